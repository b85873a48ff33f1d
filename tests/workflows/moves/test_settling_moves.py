"""What of a move was under way when the service stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.workflows.moves.moving import (
    MOVES,
    ask,
    by_name,
    check,
    force_down,
    last_move,
    standing,
)

from sundog.core.lives.claim import ClaimState
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.core.moves.migration import MoveState
from sundog.workflows.settle import settle

if TYPE_CHECKING:
    from tests.workflows.world import World

    from sundog.core.lives.server_life import Errand

GO_ON = {
    ServerEvent.CONFIRM,
    ServerEvent.REVERT,
    ServerEvent.EVACUATE,
    ServerEvent.EVACUATE_OFF,
}


@pytest.mark.parametrize("errand", MOVES, ids=by_name)
def test_a_move_that_was_not_begun_goes_back_or_on(here: World, errand: Errand) -> None:
    """Confirming, reverting and evacuating go on, all others go back."""
    call = standing(here, errand.origin)
    ask(here, call, errand.asked)
    here.queue.clear()
    settle(here.conductor, lambda _: None)
    here.work()
    if errand.asked in (ServerEvent.EVACUATE, ServerEvent.EVACUATE_OFF):
        force_down(here, last_move(here, call.server_id).source, down=False)
    check(here, call, errand.goal if errand.asked in GO_ON else errand.origin)
    if errand.goal not in (Phase.RESIZED, Phase.RESIZED_SHUTOFF):
        assert last_move(here, call.server_id).is_over


@pytest.mark.parametrize("state", [MoveState.UNDER_WAY, MoveState.MOVED])
def test_a_guest_that_has_crossed_stays_where_it_arrived(
    here: World, state: MoveState
) -> None:
    """However much of it was written down; the old side is cleaned then."""
    call = standing(here, Phase.ACTIVE)
    ask(here, call, ServerEvent.MIGRATE_LIVE)
    here.work()
    move = last_move(here, call.server_id)
    here.store.migrations.change(move.id, lambda one: replace(one, state=state))
    here.store.servers.change(
        call.server_id,
        lambda one: replace(one, phase=Phase.MIGRATING_LIVE, host=move.source),
    )
    claim = here.store.claims.get(call.server_id)
    assert claim is not None
    here.store.claims.put(replace(claim, state=ClaimState.CLAIMED))
    settle(here.conductor, lambda _: None)
    check(here, call, Phase.ACTIVE)
    assert here.store.servers.get(call.server_id).host == move.dest
    assert last_move(here, call.server_id).status == "completed"
