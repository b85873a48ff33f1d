"""Reading a TOML table key by key, every problem kept to be told at once."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_TEXT = 255
MOST_ITEMS = 4096
Parsed = TypeVar("Parsed")


class Table:
    """A table at ``where``; what is wrong with it goes to ``problems``.

    Reading a key that is wrong or missing returns a stand-in, so that reading goes
    on; the caller looks at ``problems`` before it uses anything.
    """

    def __init__(self, data: object, where: str, problems: list[str]) -> None:
        """Read ``data``, which should be a table."""
        self.where = where
        self.problems = problems
        self._read: set[str] = set()
        self._data = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            self.problem("", f"must be a table, not {data!r:.60}")

    def problem(self, key: str, text: str) -> None:
        """Keep one problem of a key."""
        place = ".".join(part for part in (self.where, key) if part)
        self.problems.append(f"{place}: {text}")

    def has(self, key: str) -> bool:
        """Whether the key is written."""
        self._read.add(key)
        return key in self._data

    def text(self, key: str, default: str | None = None) -> str:
        """Read a line of text; without a default it must be there."""
        value = self._value(key, default)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.isprintable():
            self.problem(key, f"must be a line of text, not {value!r:.60}")
            return ""
        if len(value) > MOST_TEXT or (default is None and not value.strip()):
            self.problem(key, f"must have 1 to {MOST_TEXT} characters")
        return value

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Read a whole number from ``low`` to ``high``."""
        value = self._value(key, default)
        if value is None:
            return low
        if isinstance(value, bool) or not isinstance(value, int):
            self.problem(key, f"must be a whole number, not {value!r:.60}")
            return low
        if not low <= value <= high:
            self.problem(key, f"must be from {low} to {high}, not {value}")
            return low
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._value(key, default)
        if isinstance(value, bool):
            return value
        self.problem(key, f"must be true or false, not {value!r:.60}")
        return default

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """Read one of some words."""
        value = self.text(key, default)
        if value not in choices:
            self.problem(key, f"must be one of {', '.join(choices)}, not {value!r}")
            return default
        return value

    def parsed(
        self, key: str, parse: Callable[[str], Parsed], stand_in: Parsed
    ) -> Parsed:
        """Read text that ``parse`` understands; it raises ValueError if not."""
        before = len(self.problems)
        text = self.text(key)
        if len(self.problems) > before:
            return stand_in
        try:
            return parse(text)
        except ValueError as error:
            self.problem(key, str(error))
            return stand_in

    def items(self, key: str, most: int) -> list[object]:
        """Read a list, or one thing in place of a list of one; none is fine."""
        value = self._data.get(key, [])
        self._read.add(key)
        items = value if isinstance(value, list) else [value]
        if len(items) > most:
            self.problem(key, f"must have at most {most} entries, not {len(items)}")
        return items[:most]

    def tables(self, key: str, most: int) -> list[Table]:
        """Read a list of tables (``[[key]]``)."""
        place = ".".join(part for part in (self.where, key) if part)
        return [
            Table(item, f"{place}[{number}]", self.problems)
            for number, item in enumerate(self.items(key, most), start=1)
        ]

    def table(self, key: str) -> Table | None:
        """Read a table (``[key]``), None when it is not written."""
        if not self.has(key):
            return None
        place = ".".join(part for part in (self.where, key) if part)
        return Table(self._data[key], place, self.problems)

    def keys(self) -> list[str]:
        """Return all keys as they are written, and count them as read."""
        self._read.update(self._data)
        return list(self._data)

    def done(self) -> None:
        """Tell every key that nobody read, with the nearest known one."""
        for key in self._data.keys() - self._read:
            near = difflib.get_close_matches(key, self._read, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            known = ", ".join(sorted(self._read))
            self.problem(
                f"{key:.60}", f"is not a key here{hint or f' (known: {known})'}"
            )

    def _value(self, key: str, default: object) -> object:
        self._read.add(key)
        value = self._data.get(key, default)
        if value is None:
            self.problem(key, "is missing")
        return value
