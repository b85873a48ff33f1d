"""Draws the lives of claims, servers and moves from the tables of the core."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from sundog.core.lives.claim import CLAIM_LIFE, ClaimState
from sundog.core.lives.intent import PLANS
from sundog.core.lives.plug import PLUG_LIFE, PlugState
from sundog.core.lives.server import STATUS_OF, Phase
from sundog.core.lives.server_life import BUILD_LIFE, ERRANDS
from sundog.core.moves.migration import MOVE_LIFE, MoveState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.core.lives.intent import Plan

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)

_HEAD = """# Lives

Drawn by `make docs` from the tables in `src/sundog/core/lives`; a test compares. A
move that is not drawn is an error, not a repair.
"""
_PLUG_HEAD = """\
A device that is asked for later begins as ATTACHING. One that is DETACHING is held
until libvirt says that the guest has let go of it; see [attach](how-to/attach.md).

"""
_ERRANDS_HEAD = """\
An action is an errand: asked in one phase, under way in another. From there it also
goes back to where it was asked (when it failed), to ERROR, or to DELETING. A server
that is unshelved is placed as a new one is.

"""
_JOBS_HEAD = """\
## Jobs

Each is in its server's record before its first side effect
([decision 10](decisions/0010-intents.md)), and `sundog audit` names those under way.
This is what becomes of one that the end of its process cut off, after whatever step.

"""


def lives_page() -> str:
    """Return docs/lives.md."""
    claim = _diagram(CLAIM_LIFE, ClaimState.AVAILABLE)
    plug = _diagram(PLUG_LIFE, PlugState.ATTACHED)
    server = _diagram(BUILD_LIFE, Phase.SCHEDULING)
    moves = _diagram(MOVE_LIFE, MoveState.ASKED)
    return (
        f"{_HEAD}\n## A claim on a device\n\n{claim}\n"
        f"## A device in its server\n\n{_PLUG_HEAD}{plug}\n"
        f"## A server\n\n{server}\n{_ERRANDS_HEAD}{_errands()}\n{_statuses()}\n"
        f"{_JOBS_HEAD}{_jobs()}\n"
        f"## A move\n\n{moves}"
    )


def _errands() -> str:
    rows = [
        f"| {one.asked.value} | {one.origin.name} | {one.way.name} | {one.goal.name} |"
        for one in ERRANDS
    ]
    head = ["| asked | in | under way | then |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])


def _jobs() -> str:
    rows = [
        f"| {job} | {', '.join(plan.steps)} | {_cut_off(plan)} |"
        for job, plan in PLANS.items()
    ]
    head = ["| job | steps | cut off, it |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])


def _cut_off(plan: Plan) -> str:
    since = f" from *{plan.steps[plan.since]}* on" if plan.since else ""
    return plan.cut_off.value + since


def _diagram(table: Mapping[tuple[S, E], S], first: S) -> str:
    moves = [
        f"    {state.name} --> {after.name}: {event.value}"
        for (state, event), after in table.items()
    ]
    left = {state for state, _ in table}
    known = left | set(table.values())
    ends = [f"    {end.name} --> [*]" for end in type(first) if end in known - left]
    lines = [f"    [*] --> {first.name}", *moves, *ends]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```", ""])


def _statuses() -> str:
    rows = [
        f"| {phase.name} | {shown.status.value} | {shown.vm_state} | "
        f"{shown.task.value if shown.task else 'none'} |"
        for phase, shown in STATUS_OF.items()
    ]
    head = [
        "| phase | `status` | `OS-EXT-STS:vm_state` | `OS-EXT-STS:task_state` |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows, ""])
