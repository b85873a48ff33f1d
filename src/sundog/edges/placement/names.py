"""The resource classes and traits that Placement knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sundog.edges.placement.calls import Calls


class KnownNames:
    """Remembers which names exist; makes custom ones that do not."""

    def __init__(self, calls: Calls, path: str, key: str) -> None:
        """Watch one collection: ``/traits`` is listed under ``traits``."""
        self._calls = calls
        self._path = path
        self._key = key
        self._known: set[str] = set()

    def ensure(self, names: Iterable[str]) -> frozenset[str]:
        """Make what is missing and custom; return those of ``names`` that exist.

        A standard name that is newer than this Placement cannot be made.
        """
        asked = frozenset(names)
        if asked - self._known:
            self._read()
        for name in sorted(asked - self._known):
            if self._calls.call("PUT", f"{self._path}/{name}").ok:
                self._known.add(name)
        return asked & self._known

    def forget(self) -> None:
        """Read them again at the next use: somebody may have removed some."""
        self._known.clear()

    def _read(self) -> None:
        listed = self._calls.get(self._path).get(self._key, [])
        self._known.update(
            each["name"] if isinstance(each, dict) else each for each in listed
        )
