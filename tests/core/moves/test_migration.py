"""A move moves only along its table, and tells Nova's words."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sundog.core.choosing.assignment import Assignment
from sundog.core.errors import ConflictError
from sundog.core.moves.migration import (
    MOVE_LIFE,
    OVER,
    Migration,
    MoveEvent,
    MoveKind,
    MoveState,
)
from sundog.core.requests.flavor import Flavor

THEN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
FLAVOR = Flavor(id="1", name="f", vcpus=1, memory_mb=64, disk_gb=0)
MIGRATION = Migration(
    id=uuid.UUID(int=9),
    server_id=uuid.UUID(int=1),
    kind=MoveKind.COLD,
    project_id="p",
    user_id="u",
    created=THEN,
    updated=THEN,
    old=Assignment(host="one"),
    old_flavor=FLAVOR,
    new_flavor=FLAVOR,
)
EVERY_MOVE = [(state, event) for state in MoveState for event in MoveEvent]


@pytest.mark.parametrize(("state", "event"), EVERY_MOVE, ids=lambda one: one.name)
def test_moves_only_along_the_table(state: MoveState, event: MoveEvent) -> None:
    """A step in the table leads where it says and is dated; others are errors."""
    there = replace(MIGRATION, state=state)
    if (state, event) in MOVE_LIFE:
        moved = there.after(event, NOW)
        assert moved.state is MOVE_LIFE[state, event]
        assert moved.updated == NOW
    else:
        with pytest.raises(ConflictError):
            there.after(event, NOW)


def test_nothing_leads_out_of_what_is_over() -> None:
    """Every other state has a way on."""
    assert {state for state, _ in MOVE_LIFE} == set(MoveState) - OVER
    assert replace(MIGRATION, state=MoveState.CONFIRMED).is_over
    assert not MIGRATION.is_over


@pytest.mark.parametrize(
    ("kind", "state", "word"),
    [
        (MoveKind.RESIZE, MoveState.MOVED, "finished"),
        (MoveKind.COLD, MoveState.PREPARING, "pre-migrating"),
        (MoveKind.COLD, MoveState.FAILED, "error"),
        (MoveKind.LIVE, MoveState.PREPARING, "preparing"),
        (MoveKind.LIVE, MoveState.UNDER_WAY, "running"),
        (MoveKind.LIVE, MoveState.CANCELLED, "cancelled"),
        (MoveKind.EVACUATION, MoveState.ASKED, "accepted"),
        (MoveKind.EVACUATION, MoveState.MOVED, "done"),
        (MoveKind.EVACUATION, MoveState.FAILED, "failed"),
    ],
)
def test_status_is_novas_word(kind: MoveKind, state: MoveState, word: str) -> None:
    """The same state has another word in another kind of move."""
    assert replace(MIGRATION, kind=kind, state=state).status == word


def test_source_and_destination_are_those_of_the_sides() -> None:
    """There is no destination before one is chosen."""
    assert (MIGRATION.source, MIGRATION.dest, MIGRATION.stays) == ("one", None, False)
    there = replace(MIGRATION, new=Assignment(host="two"))
    assert (there.dest, there.stays) == ("two", False)
    assert replace(MIGRATION, new=Assignment(host="one")).stays
