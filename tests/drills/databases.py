"""What outlives every process of a service."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from tests.stories.service import new_databases

from sundog.edges.placement.embedded import EmbeddedPlacement
from sundog.edges.storage.store import Store, open_store

if TYPE_CHECKING:
    from pathlib import Path


class Databases:
    """What outlives every process: Sundog's database and Placement with its own."""

    def __init__(self, folder: Path) -> None:
        """Open both; new ones are copies, since making them takes a second."""
        for made in new_databases().iterdir():
            if not (folder / made.name).exists():
                shutil.copy(made, folder)
        with ExitStack() as opening:
            self.store: Store = open_store(f"sqlite:///{folder}/sundog.db")
            opening.callback(self.store.close)
            self.placement = EmbeddedPlacement(folder / "placement.db")
            opening.callback(self.placement.close)
            self._closing = opening.pop_all()

    def __enter__(self) -> Self:
        """Return them."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close both."""
        self._closing.close()
