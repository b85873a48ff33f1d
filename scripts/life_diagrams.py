"""Draws the lives of claims and servers from the tables that the core moves along."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from sundog.core.lives.claim import CLAIM_LIFE, ClaimState
from sundog.core.lives.server import SERVER_LIFE, STATUS_OF, Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)

_HEAD = """# Lives

Drawn by `make docs` from the tables in `src/sundog/core/lives`; a test compares. A
move that is not drawn is an error, not a repair.
"""


def lives_page() -> str:
    """Return docs/lives.md."""
    claim = _diagram(CLAIM_LIFE, ClaimState.AVAILABLE)
    server = _diagram(SERVER_LIFE, Phase.SCHEDULING)
    return (
        f"{_HEAD}\n## A claim on a device\n\n{claim}\n"
        f"## A server\n\n{server}\n{_statuses()}"
    )


def _diagram(table: Mapping[tuple[S, E], S], first: S) -> str:
    moves = [
        f"    {state.name} --> {after.name}: {event.value}"
        for (state, event), after in table.items()
    ]
    left = {state for state, _ in table}
    ends = [f"    {end.name} --> [*]" for end in type(first) if end not in left]
    lines = [f"    [*] --> {first.name}", *moves, *ends]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```", ""])


def _statuses() -> str:
    rows = [
        f"| {phase.name} | {shown.status.value} | {shown.task.value} |"
        if shown.task
        else f"| {phase.name} | {shown.status.value} | none |"
        for phase, shown in STATUS_OF.items()
    ]
    head = ["| phase | `status` | `OS-EXT-STS:task_state` |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])
