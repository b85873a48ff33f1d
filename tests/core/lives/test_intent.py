"""What a job set out to do is in its server's record for as long as it takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.core.lives.test_server import NOW, THEN, server

from sundog.core.lives.intent import BOOT, PLANS, CutOff, Intent
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.core.lives.server_life import ERRANDS, Errand

DELETE = ServerEvent.ASK_DELETE


def test_every_job_has_a_plan() -> None:
    """Boot, delete and each errand: what it does, and how it ends when cut off."""
    assert set(PLANS) == {BOOT, DELETE.value} | {one.asked.value for one in ERRANDS}
    assert all(plan.steps for plan in PLANS.values())
    assert PLANS[DELETE.value].cut_off is CutOff.GOES_ON


@pytest.mark.parametrize("errand", ERRANDS, ids=lambda one: one.way.name)
def test_an_errand_is_recorded_with_the_move_that_begins_it(errand: Errand) -> None:
    """And forgotten with the move that ends it, however it ends."""
    asked = server(errand.origin).after(errand.asked, NOW)
    assert asked.intent == Intent.of(errand.asked.value, NOW)
    for end in (ServerEvent.FINISH, ServerEvent.UNDO, ServerEvent.FAIL):
        assert asked.after(end, NOW).intent is None


def test_placing_is_part_of_its_job() -> None:
    """A boot and an unshelving stay what they are while they are placed."""
    boot = Intent.of(BOOT, THEN)
    new = replace(server(Phase.SCHEDULING), intent=boot)
    placed = new.after(ServerEvent.PLACE, NOW)
    assert placed.intent == boot
    assert placed.after(ServerEvent.START, NOW).intent is None


def test_a_delete_takes_the_place_of_any_job() -> None:
    """Asked again it is the same one, and it is over when all is gone."""
    rebooting = server(Phase.ACTIVE).after(ServerEvent.REBOOT, THEN)
    going = rebooting.after(DELETE, THEN)
    assert going.intent == Intent.of(DELETE.value, THEN)
    assert going.after(DELETE, NOW).intent == going.intent
    assert going.after(ServerEvent.FINISH_DELETE, NOW).intent is None


def test_a_job_in_a_steady_phase_forbids_others() -> None:
    """Nothing but a delete or a reset may be asked of the server meanwhile."""
    busy = replace(server(Phase.ACTIVE), intent=Intent(job="attach", began=THEN))
    assert busy.obstacle(ServerEvent.POWER_OFF) == ("task_state", "attach")
    assert busy.obstacle(DELETE) is None
    assert busy.obstacle(ServerEvent.RESET_ACTIVE) is None


def test_the_step_under_way_is_told() -> None:
    """By name and number; a step that the job does not have is an error."""
    shelving = Intent.of(ServerEvent.SHELVE.value, NOW)
    assert shelving.line == "shelve, at: remove the guest (1 of 3)"
    later = shelving.reaching("forget the claim")
    assert later.line == "shelve, at: forget the claim (3 of 3)"
    assert Intent(job="attach", began=NOW).line == "attach"
    assert Intent(job="attach", began=NOW).is_undone
    assert not shelving.is_undone
    rebuilding = Intent.of(ServerEvent.REBUILD.value, NOW)
    assert rebuilding.is_undone
    assert not rebuilding.reaching("start the guest").is_undone
    with pytest.raises(ValueError, match="not in tuple"):
        shelving.reaching("dance")
