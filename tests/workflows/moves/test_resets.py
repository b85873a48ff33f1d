"""A server that holds both sides of a move may be called what it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.workflows.moves.moving import (
    OTHER,
    ask,
    check,
    force_down,
    last_move,
    standing,
)
from tests.workflows.world import World, host, world

from sundog.core.errors import ConflictError
from sundog.core.lives.phases import Phase, ServerEvent, ServerStatus

if TYPE_CHECKING:
    from sundog.core.lives.claim import Claim


def claims(here: World) -> list[Claim]:
    return [claim for name in here.agents for claim in here.store.claims.of_host(name)]


@pytest.mark.parametrize("end", [ServerEvent.CONFIRM, ServerEvent.REVERT])
@pytest.mark.parametrize("is_reset", [True, False])
def test_a_resized_server_in_error_is_resized_again_when_reset(
    here: World, end: ServerEvent, *, is_reset: bool
) -> None:
    """Whether it was reset or failed: both sides stay held until it is confirmed."""
    call = standing(here, Phase.RESIZED)
    held = claims(here)
    if is_reset:
        here.actions.reset(call, active=False)
    else:
        here.conductor.fail(call.server_id, "something")
    assert here.servers.get(call.server_id).status is ServerStatus.ERROR
    assert claims(here) == held
    here.check_agreement()
    here.actions.reset(call, active=True)
    check(here, call, Phase.RESIZED)
    ask(here, call, end)
    here.work()
    check(here, call, Phase.ACTIVE)
    assert last_move(here, call.server_id).is_over


@pytest.mark.parametrize("phase", [Phase.RESIZED, Phase.RESIZED_SHUTOFF])
def test_a_resized_server_reset_to_active_stays_resized(
    here: World, phase: Phase
) -> None:
    call = standing(here, phase)
    here.actions.reset(call, active=True)
    check(here, call, phase)


def test_a_resized_server_in_error_gives_both_sides_back(here: World) -> None:
    call = standing(here, Phase.RESIZED)
    here.actions.reset(call, active=False)
    here.servers.delete(call.server_id)
    here.work()
    assert claims(here) == []
    assert last_move(here, call.server_id).is_over
    here.check_agreement()


def test_a_server_that_runs_again_with_both_sides_moves_no_further(
    here: World,
) -> None:
    """A second move would forget the side of the first."""
    call = standing(here, Phase.RESIZED)
    here.actions.reset(call, active=False)
    here.actions.act(call, ServerEvent.REBOOT_HARD)
    here.work()
    check(here, call, Phase.ACTIVE)
    with pytest.raises(ConflictError, match="reset its state to active, then confirm"):
        here.moves.resize(call, OTHER.id)
    here.actions.reset(call, active=True)
    here.moves.confirm(call)
    here.work()
    check(here, call, Phase.ACTIVE)
    here.moves.resize(call, OTHER.id)
    here.work()
    check(here, call, Phase.RESIZED)


def test_a_resized_server_that_was_evacuated_since_does_not_go_back() -> None:
    """What it has on its new host would be left behind; confirming gives the old up."""
    here = world(host("a"), host("b"), host("c"))
    call = standing(here, Phase.RESIZED)
    first = last_move(here, call.server_id)
    here.actions.reset(call, active=False)
    ask(here, call, ServerEvent.EVACUATE)
    here.work()
    check(here, call, Phase.ACTIVE)
    here.actions.reset(call, active=True)
    here.moves.revert(call)
    here.work()
    check(here, call, Phase.RESIZED)
    here.moves.confirm(call)
    here.work()
    check(here, call, Phase.ACTIVE)
    assert here.store.migrations.get(first.id).is_over
    force_down(here, str(first.dest), down=False)
    here.check_agreement()
    assert {one.consumer for one in claims(here)} == {call.server_id}
