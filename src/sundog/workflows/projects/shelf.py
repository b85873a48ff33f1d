"""A shelf: things of one kind by owner and key, changed one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class Shelf(Protocol[T]):
    """Things of one kind, which an owner (a project, a user) has under keys."""

    def get(self, owner: str, key: str) -> T | None:
        """Return one, or None."""
        ...

    def list(self, owner: str | None = None) -> Sequence[T]:
        """Return an owner's, or everybody's, ordered by owner and key."""
        ...

    def unfinished(self) -> Sequence[T]:
        """Return everybody's that are not over, in the same order.

        What is over is not read; things of most kinds never are.
        """
        ...

    def change(
        self, owner: str, key: str, edit: Callable[[T | None], T | None]
    ) -> T | None:
        """Read, edit and write one in a transaction; returns what was written.

        ``edit`` is given None when there is none, and answers None to remove it; an
        error that it raises changes nothing.
        """
        ...
