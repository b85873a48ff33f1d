"""A server moves only along its table."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sundog.core.errors import ConflictError
from sundog.core.lives.server import (
    SERVER_LIFE,
    STATUS_OF,
    Phase,
    Server,
    ServerEvent,
    ServerStatus,
    ServerTask,
)
from sundog.core.lives.server_life import ERRANDS, Errand
from sundog.core.requests.flavor import Flavor

THEN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 2, tzinfo=UTC)
EVERY_MOVE = [(phase, event) for phase in Phase for event in ServerEvent]


def server(phase: Phase) -> Server:
    return Server(
        id=uuid.UUID(int=1),
        name="vm1",
        project_id="p",
        user_id="u",
        flavor=Flavor(id="1", name="f", vcpus=1, memory_mb=64, disk_gb=0),
        image_id="i",
        created=THEN,
        updated=THEN,
        phase=phase,
    )


@pytest.mark.parametrize(("phase", "event"), EVERY_MOVE, ids=lambda one: one.name)
def test_moves_only_along_the_table(phase: Phase, event: ServerEvent) -> None:
    """A move in the table leads where it says and is dated; others are errors."""
    if (phase, event) in SERVER_LIFE:
        moved = server(phase).after(event, NOW)
        assert moved.phase is SERVER_LIFE[phase, event]
        assert moved.updated == NOW
    else:
        with pytest.raises(ConflictError):
            server(phase).after(event, NOW)


def test_every_phase_has_a_status() -> None:
    """What the API tells is there for every phase."""
    assert set(STATUS_OF) == set(Phase)


def test_phase_tells_status_and_task() -> None:
    """A server that is being placed is BUILD with task scheduling."""
    assert server(Phase.SCHEDULING).status is ServerStatus.BUILD
    assert server(Phase.SCHEDULING).task is ServerTask.SCHEDULING
    assert server(Phase.ACTIVE).task is None


def test_every_server_can_be_deleted() -> None:
    """From every phase but DELETED a delete can be asked for."""
    ways = {p for p, event in SERVER_LIFE if event is ServerEvent.ASK_DELETE}
    assert ways == set(Phase) - {Phase.DELETED}


@pytest.mark.parametrize("phase", [Phase.RESCUED, Phase.RESCUED_SHUTOFF])
@pytest.mark.parametrize(
    "event", [ServerEvent.FAIL, ServerEvent.RESET_ACTIVE, ServerEvent.RESET_ERROR]
)
def test_a_server_that_fails_or_is_reset_is_rescued_no_more(
    phase: Phase, event: ServerEvent
) -> None:
    """It would start from another's disk again, and nothing could end that."""
    rescued = replace(
        server(phase), rescue_image_id="i", rescue_properties={"hw_x": "y"}
    )
    after = rescued.after(event, NOW)
    assert (after.rescue_image_id, after.rescue_properties) == (None, {})
    lost = replace(rescued, phase=Phase.RESCUED).after(ServerEvent.LOSE, NOW)
    assert (lost.phase, lost.rescue_image_id) == (Phase.RESCUED_SHUTOFF, "i")


@pytest.mark.parametrize("errand", ERRANDS, ids=lambda one: one.way.name)
def test_every_errand_ends(errand: Errand) -> None:
    """It leads to its goal, or back to where it was asked, or into ERROR."""
    under_way = server(errand.origin).after(errand.asked, NOW)
    assert under_way.phase is errand.way
    assert under_way.task is errand.task
    assert under_way.vm_state == server(errand.origin).vm_state
    assert under_way.after(ServerEvent.FINISH, NOW).phase is errand.goal
    assert under_way.after(ServerEvent.UNDO, NOW).phase is errand.origin
    assert under_way.after(ServerEvent.FAIL, NOW).phase is Phase.ERROR


def test_what_forbids_an_event_is_told_as_nova_does() -> None:
    """The state where the state is wrong, else the task that is under way."""
    event = ServerEvent.POWER_ON
    assert server(Phase.SHUTOFF).obstacle(event) is None
    assert server(Phase.ACTIVE).obstacle(event) == ("vm_state", "active")
    assert server(Phase.PAUSING).obstacle(event) == ("vm_state", "active")
    assert server(Phase.POWERING_ON).obstacle(event) == ("task_state", "powering-on")
