"""Ledgers for the contract: the fake, Placement in process, Placement over HTTP."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tests.clients.listening import listening
from tests.fakes.ledger import FakeLedger

from sundog.edges.placement.embedded import EmbeddedPlacement
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.sessions import inside_session, token_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sundog.workflows.ports import Ledger

KINDS: Final = ("fake", "Placement in process", "Placement over HTTP")


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Ledger]:
    """Open a ledger of one of ``KINDS``."""
    if kind == "fake":
        yield FakeLedger()
        return
    app = EmbeddedPlacement(folder / "placement.sqlite")
    try:
        if kind == "Placement in process":
            yield PlacementLedger(inside_session(app))
        else:
            with listening(app) as address:
                yield PlacementLedger(token_session(address, "admin"))
    finally:
        app.close()
