"""A move leads to its goal, or the server is where it was with what it had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.workflows.moves.moving import (
    LARGE,
    MOVES,
    OTHER,
    PLAIN,
    SMALL,
    ask,
    by_name,
    check,
    force_down,
    know,
    last_move,
    standing,
)
from tests.workflows.world import World, flavor, host, world

from sundog.core.errors import HostRefusedError, UnavailableError
from sundog.core.lives.phases import Phase
from sundog.core.moves.migration import MoveState
from sundog.workflows.actions.book import Call

if TYPE_CHECKING:
    from sundog.core.lives.server_life import Errand
    from sundog.core.requests.flavor import Flavor

FAILURE = HostRefusedError("the host says no")


@pytest.mark.parametrize("errand", MOVES, ids=by_name)
def test_a_move_leads_to_its_goal(here: World, errand: Errand) -> None:
    """Guest, claims, allocations and devices are what the goal says."""
    call = standing(here, errand.origin)
    ask(here, call, errand.asked)
    assert here.store.servers.get(call.server_id).phase is errand.way
    here.work()
    check(here, call, errand.goal)


def break_hosts(here: World, what: str, step: int) -> None:
    """Let every host fail once, at the call of a sort that is number ``step``."""
    for agent in here.agents.values():
        agent.prepare_errors = [*[None] * step, FAILURE] if what == "prepare" else []
        agent.bring_errors = [*[None] * step, FAILURE] if what == "bring" else []
        agent.refusals = ["the host says no"] if what == "boot" else []
        agent.free_errors = [FAILURE] if what == "free" else []
        agent.removal_errors = [FAILURE] if what == "remove" else []
        agent.send_errors = [FAILURE] if what == "send" else []


FAULTS = [
    *((what, step) for what in ("prepare", "bring") for step in range(4)),
    *((what, 0) for what in ("boot", "free", "remove", "send")),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: f"{one[0]}{one[1]}")
@pytest.mark.parametrize("errand", MOVES, ids=by_name)
def test_a_host_that_fails_leaves_the_server_where_it_was(
    here: World, errand: Errand, fault: tuple[str, int]
) -> None:
    """At whatever step; or the move went on to its goal on another try."""
    call = standing(here, errand.origin)
    held = here.store.claims.get(call.server_id)
    break_hosts(here, *fault)
    ask(here, call, errand.asked)
    here.work()
    break_hosts(here, "nothing", 0)
    for name in here.agents:
        force_down(here, name, down=False)
    phase = here.store.servers.get(call.server_id).phase
    assert phase in {errand.origin, errand.goal, Phase.ERROR}
    if phase is not Phase.ERROR:
        check(here, call, phase)
    now = here.store.claims.get(call.server_id)
    assert held is not None
    assert now is not None
    if phase is errand.origin and now.assignment.host == held.assignment.host:
        assert now == held


@pytest.mark.parametrize("errand", MOVES, ids=by_name)
def test_placement_that_is_away_leaves_the_server_where_it_was(
    here: World, errand: Errand
) -> None:
    """Nothing is half moved."""
    call = standing(here, errand.origin)
    ask(here, call, errand.asked)
    here.ledger.fail_next_claim(UnavailableError("away"))
    here.work()
    phase = here.store.servers.get(call.server_id).phase
    assert phase in {errand.origin, errand.goal}
    check(here, call, phase)


@pytest.mark.parametrize("errand", MOVES, ids=by_name)
def test_a_delete_in_the_middle_wins(here: World, errand: Errand) -> None:
    """The move finds the server gone, or under deletion; both sides are given back."""
    call = standing(here, errand.origin)
    ask(here, call, errand.asked)
    here.servers.delete(call.server_id)
    here.work()
    assert here.store.servers.get(call.server_id).phase is Phase.DELETED
    here.check_agreement()
    for name in here.agents:
        assert here.store.claims.of_host(name) == []
    assert last_move(here, call.server_id).is_over


def test_a_resize_on_one_host_needs_only_what_is_new(alone: World) -> None:
    """From two vGPUs to three of three, and back to two."""
    know(alone)
    [one] = alone.boot(LARGE)
    three = Call(server_id=one)
    alone.flavors.create(flavor("more", pci="vGPU:3"))
    alone.moves.resize(three, "more")
    alone.work()
    check(alone, three, Phase.RESIZED)
    alone.moves.revert(three)
    alone.work()
    check(alone, three, Phase.ACTIVE)
    assert alone.servers.get(one).flavor == LARGE
    assert last_move(alone, one).state is MoveState.REVERTED


@pytest.mark.parametrize("target", [OTHER, PLAIN, LARGE], ids=lambda one: one.id)
def test_a_resize_goes_to_and_from_device_flavors(here: World, target: Flavor) -> None:
    """To it, confirmed, and back by another resize."""
    call = standing(here, Phase.ACTIVE)
    for wanted in (target, SMALL):
        here.moves.resize(call, wanted.id)
        here.work()
        check(here, call, Phase.RESIZED)
        here.moves.confirm(call)
        here.work()
        check(here, call, Phase.ACTIVE)
        assert here.servers.get(call.server_id).flavor == wanted
        assert last_move(here, call.server_id).state is MoveState.CONFIRMED


def test_a_cold_migration_goes_elsewhere_and_may_come_back(here: World) -> None:
    """Never to the host where it is."""
    call = standing(here, Phase.ACTIVE)
    first = here.servers.get(call.server_id).host
    here.moves.migrate(call)
    here.work()
    check(here, call, Phase.RESIZED)
    assert here.servers.get(call.server_id).host != first
    here.moves.revert(call)
    here.work()
    check(here, call, Phase.ACTIVE)
    assert here.servers.get(call.server_id).host == first


def test_where_nothing_fits_the_server_is_untouched() -> None:
    """The record of the move and the history say so; the server runs on."""
    here = world(host("a"))
    call = standing(here, Phase.ACTIVE)
    here.moves.migrate(call)
    here.work()
    check(here, call, Phase.ACTIVE)
    assert last_move(here, call.server_id).status == "error"


def test_a_host_that_refuses_is_followed_by_the_next() -> None:
    """Before anything is asked of the guest."""
    here = world(host("a"), host("b"), host("c"))
    call = standing(here, Phase.ACTIVE)
    first = here.servers.get(call.server_id).host
    others = [agent for name, agent in here.agents.items() if name != first]
    others[0].prepare_errors = [FAILURE]
    here.moves.migrate(call)
    here.work()
    check(here, call, Phase.RESIZED)


def test_an_evacuated_server_leaves_its_old_side_claimed_until_the_host_is_back(
    here: World,
) -> None:
    """Nobody knows what runs there; then guest, devices and claim go."""
    call = standing(here, Phase.ACTIVE)
    old = here.servers.get(call.server_id).host
    assert old is not None
    force_down(here, old, down=True)
    here.moves.evacuate(call)
    here.work()
    check(here, call, Phase.ACTIVE)
    assert call.server_id in here.agents[old].running()
    [left] = here.store.claims.of_host(old)
    assert left.guest == call.server_id
    assert last_move(here, call.server_id).status == "done"
    force_down(here, old, down=False)
    assert call.server_id not in here.agents[old].guests
    assert here.store.claims.of_host(old) == []
    assert last_move(here, call.server_id).status == "completed"
    here.check_agreement()


def test_a_deleted_server_that_was_evacuated_is_cleaned_later(here: World) -> None:
    """Its old host is asked nothing while it is down."""
    call = standing(here, Phase.ACTIVE)
    old = str(here.servers.get(call.server_id).host)
    force_down(here, old, down=True)
    here.moves.evacuate(call)
    here.work()
    here.servers.delete(call.server_id)
    here.work()
    assert call.server_id in here.agents[old].guests
    force_down(here, old, down=False)
    assert call.server_id not in here.agents[old].guests
    assert here.store.claims.of_host(old) == []
    here.check_agreement()


def test_a_live_migration_that_is_aborted_is_undone(here: World) -> None:
    """What was made ready there is given back; the guest never stopped."""
    call = standing(here, Phase.ACTIVE)
    here.moves.migrate_live(call)
    number = last_move(here, call.server_id).number
    for agent in here.agents.values():
        agent.on_send = lambda: here.moves.abort(call.server_id, number)
    here.work()
    check(here, call, Phase.ACTIVE)
    assert last_move(here, call.server_id).status == "cancelled"
