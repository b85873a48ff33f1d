"""A request's query string, read with care."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from werkzeug.datastructures import MultiDict

_TRUE: Final = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE: Final = frozenset({"0", "f", "false", "off", "n", "no"})
_LONGEST_VALUE: Final = 255
_LONGEST_LIST: Final = 16384
_QUANTIFIERS: Final = frozenset("*+?{")
_MOST_QUANTIFIERS: Final = 2
MOST_ITEMS: Final = 1000


class Query:
    """Typed access to the parameters of a query string."""

    def __init__(self, pairs: MultiDict[str, str]) -> None:
        """Read from decoded pairs."""
        self._pairs = pairs

    def __contains__(self, name: str) -> bool:
        """Whether the parameter was given."""
        return name in self._pairs

    def text(self, name: str) -> str | None:
        """Return a parameter, the last of several; raises Fault 400 if too long."""
        values = self.all(name)
        return values[-1] if values else None

    def all(self, name: str) -> Sequence[str]:
        """Return every value of a parameter."""
        values = self._pairs.getlist(name)
        for value in values:
            if len(value) > _LONGEST_LIST or "\0" in value:
                raise Fault(
                    400,
                    f"Invalid input for query parameter {name[:80]}: it is too long or "
                    "holds a NUL.",
                )
        return values

    def number(self, name: str) -> int | None:
        """Return a number from 0 on; raises Fault 400."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
            raise Fault(
                400,
                f"Invalid input for query parameter {name}: {value[:80]!r} is not a "
                "number from 0 to 999999999.",
            )
        return int(value)

    def flag(self, name: str, *, default: bool | None = False) -> bool | None:
        """Return a boolean; raises Fault 400."""
        value = self.text(name)
        if value is None:
            return default
        read = as_flag(value)
        if read is None:
            raise Fault(
                400,
                f"Invalid input for query parameter {name}: {value[:80]!r} is not a "
                "boolean; write true or false.",
            )
        return read

    def moment(self, name: str) -> datetime | None:
        """Return an ISO 8601 time, in UTC; raises Fault 400."""
        value = self.text(name)
        if value is None:
            return None
        try:
            read = datetime.fromisoformat(value)
            aware = read if read.tzinfo else read.replace(tzinfo=UTC)
            return aware.astimezone(UTC)
        except (ValueError, OverflowError):
            raise Fault(
                400,
                f"Invalid input for query parameter {name}: {value[:80]!r} is not a "
                "time like 2026-01-31T12:00:00Z.",
            ) from None

    def pattern(self, name: str) -> re.Pattern[str] | None:
        """Return a regular expression, bounded so that it cannot run away.

        At most two quantifiers and none after a group: over names of 255 characters
        that is milliseconds. Raises Fault 400.
        """
        value = self.text(name)
        if value is None:
            return None
        many = sum(value.count(sign) for sign in _QUANTIFIERS)
        if (
            len(value) > _LONGEST_VALUE
            or many > _MOST_QUANTIFIERS
            or any(f"){sign}" in value for sign in _QUANTIFIERS)
        ):
            raise Fault(
                400,
                f"Invalid input for query parameter {name}: a pattern has at most "
                f"{_LONGEST_VALUE} characters and {_MOST_QUANTIFIERS} of * + ? {{, "
                "none of them after a group.",
            )
        try:
            return re.compile(value)
        except (re.error, OverflowError, RecursionError, FutureWarning):
            raise Fault(
                400,
                f"Invalid input for query parameter {name}: {value[:80]!r} does not "
                "match a 'regex'.",
            ) from None

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        """Return one of some words; raises Fault 400."""
        value = self.text(name)
        if value is None:
            return default
        if value not in choices:
            raise Fault(
                400,
                f"Invalid input for query parameter {name}: {value[:80]!r} is not one "
                f"of {', '.join(sorted(choices))}.",
            )
        return value

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raise Fault 400 if a parameter is not one of these."""
        for name in self._pairs:
            if name not in known:
                raise Fault(
                    400,
                    f"Additional properties are not allowed ({name[:80]!r} was "
                    "unexpected)",
                )

    def without(self, *names: str) -> list[tuple[str, str]]:
        """Return all pairs but those of some names, for a link to the next page."""
        return [
            (key, value)
            for key, value in self._pairs.items(multi=True)
            if key not in names
        ]


def as_flag(value: str) -> bool | None:
    """Read a boolean as Nova spells it; None if it is none."""
    low = value.strip().lower()
    if low in _TRUE:
        return True
    return False if low in _FALSE else None
