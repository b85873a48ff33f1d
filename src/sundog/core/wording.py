"""How a message shows what someone else wrote."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST: Final = 80
_MOST: Final = 10


def shown(value: object) -> str:
    """Quote ``value`` on one line, cut to a readable length."""
    text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def listed(names: Iterable[str]) -> str:
    """Join a few names for a way out, in order: ``a, b, c``."""
    return ", ".join(islice(sorted(names), _MOST))


def version_text(number: int) -> str:
    """Write a version as people do: 9000000 is 9.0.0."""
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"
