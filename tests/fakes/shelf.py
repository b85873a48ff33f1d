"""A shelf in memory."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class FakeShelf(Generic[T]):
    """Fulfils ``Shelf``."""

    def __init__(self, is_over: Callable[[T], bool] = lambda _: False) -> None:
        """Start empty."""
        self._is_over = is_over
        self._things: dict[tuple[str, str], T] = {}
        self._lock = Lock()

    def get(self, owner: str, key: str) -> T | None:
        with self._lock:
            return self._things.get((owner, key))

    def list(self, owner: str | None = None) -> Sequence[T]:
        with self._lock:
            places = sorted(self._things)
            return [self._things[p] for p in places if owner in (None, p[0])]

    def unfinished(self) -> Sequence[T]:
        return [one for one in self.list() if not self._is_over(one)]

    def change(
        self, owner: str, key: str, edit: Callable[[T | None], T | None]
    ) -> T | None:
        with self._lock:
            new = edit(self._things.get((owner, key)))
            if new is None:
                self._things.pop((owner, key), None)
            else:
                self._things[owner, key] = new
            return new
