"""What comes between the steps of a move, and must not leave anything half done."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from tests.workflows.moves.moving import ask, check, force_down, last_move, standing
from tests.workflows.world import World, host, world

from sundog.core.errors import HostRefusedError, UnavailableError
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.core.moves.migration import MoveState
from sundog.workflows.settle import settle, settle_one

FAILURE = HostRefusedError("the host says no")


@pytest.mark.parametrize("end", [ServerEvent.CONFIRM, ServerEvent.REVERT])
def test_a_request_that_came_too_late_is_not_taken_for_the_move(
    here: World, end: ServerEvent
) -> None:
    """Of two resizes at once one fails; its record is the newer one."""
    call = standing(here, Phase.ACTIVE)
    ask(here, call, ServerEvent.RESIZE)
    move = last_move(here, call.server_id)
    late = replace(move, id=UUID(int=999), state=MoveState.FAILED)
    here.store.migrations.add(late)
    here.work()
    check(here, call, Phase.RESIZED)
    ask(here, call, end)
    here.work()
    check(here, call, Phase.ACTIVE)
    assert here.store.migrations.get(move.id).is_over


def test_an_evacuation_whose_new_host_cannot_let_go_goes_back() -> None:
    """After a restart, too: it may be asked for again then."""
    here = world(host("a"), host("b"), host("c"))
    call = standing(here, Phase.ACTIVE)
    ask(here, call, ServerEvent.EVACUATE)
    here.work()
    move = last_move(here, call.server_id)
    here.store.migrations.change(
        move.id, lambda one: replace(one, state=MoveState.UNDER_WAY)
    )
    here.store.servers.change(
        call.server_id,
        lambda one: replace(one, phase=Phase.EVACUATING, host=move.source),
    )
    here.agents[str(move.dest)].removal_errors = [FAILURE]
    settle(here.conductor, lambda _: None)
    assert here.store.servers.get(call.server_id).phase is Phase.ACTIVE
    for name in (move.dest, move.source):
        force_down(here, str(name), down=False)
    check(here, call, Phase.ACTIVE)


def test_a_server_deleted_while_it_crosses_leaves_no_old_side(here: World) -> None:
    """Its old host cannot let go at once: it does when it is looked at again."""
    call = standing(here, Phase.ACTIVE)
    source = str(here.store.servers.get(call.server_id).host)
    ask(here, call, ServerEvent.MIGRATE_LIVE)
    here.agents[source].on_send = lambda: here.servers.delete(call.server_id)
    here.agents[source].removal_errors = [FAILURE]
    here.work()
    assert here.store.servers.get(call.server_id).phase is Phase.DELETED
    force_down(here, source, down=False)
    assert here.store.claims.of_host(source) == []
    here.check_agreement()


def test_a_revert_goes_on_when_placement_is_back(here: World) -> None:
    """The guest is back already: the server is not called resized meanwhile."""
    call = standing(here, Phase.RESIZED)
    ask(here, call, ServerEvent.REVERT)
    move, release = last_move(here, call.server_id), here.ledger.release
    asked = [UnavailableError("Placement cannot be reached"), None]

    def away(consumer: UUID) -> None:
        """Answer while the sides are turned round, and not when one is to go."""
        error = asked.pop() if consumer == move.id else None
        if error is not None:
            raise error
        release(consumer)

    here.ledger.release = away  # type: ignore[method-assign]  # away for a while
    here.work()
    assert here.store.servers.get(call.server_id).phase is Phase.REVERTING
    here.ledger.release = release  # type: ignore[method-assign]  # back again
    for one, why in here.conductor.waiting.take().items():
        settle_one(here.conductor, one, here.servers.begin_delete, why)
    check(here, call, Phase.ACTIVE)
    assert last_move(here, call.server_id).state is MoveState.REVERTED
