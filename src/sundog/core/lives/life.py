"""What the transition tables share: a move along a table."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from sundog.core.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Mapping

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


def move(table: Mapping[tuple[S, E], S], state: S, event: E) -> S:
    """Return the state that ``event`` leads to; raise ConflictError if it may not."""
    try:
        return table[state, event]
    except KeyError:
        raise ConflictError(f"cannot {event.value} while {state.value}") from None
