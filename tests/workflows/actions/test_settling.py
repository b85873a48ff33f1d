"""What was under way when the service stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.workflows.actions.test_errands import PLAIN, ask, by_name, check, standing
from tests.workflows.world import World, host, world

from sundog.core.lives.instance_action import Asked
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.workflows.actions.recorded import end_cut_off
from sundog.workflows.settle import settle

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sundog.core.lives.server import Server
    from sundog.core.lives.server_life import Errand
    from sundog.workflows.actions.book import Call


@pytest.fixture(name="here")
def _here() -> World:
    return world(host("a"), host("b"))


def restart(here: World, *, guests_are_lost: bool) -> None:
    """Lose what was queued, and the guests with the host, and settle."""
    here.queue.clear()
    if guests_are_lost:
        for agent in here.agents.values():
            for consumer, assignment in [*agent.guests.items()]:
                agent.remove(consumer, assignment)
    settle(here.conductor, lambda _: None)


def work_to_the_last_step(here: World, call: Call) -> Server:
    """Do an errand; returns what was last recorded of its server before its end."""
    change = here.store.servers.change
    under_way = [here.store.servers.get(call.server_id)]

    def watched(server_id: UUID, edit: Callable[[Server], Server]) -> Server:
        server = change(server_id, edit)
        if server.intent is not None:
            under_way.append(server)
        return server

    here.store.servers.change = watched  # type: ignore[method-assign]  # it looks on
    here.work()
    here.store.servers.change = change  # type: ignore[method-assign]  # no more
    return under_way[-1]


@pytest.mark.parametrize("guests_are_lost", [False, True])
@pytest.mark.parametrize("errand", PLAIN, ids=by_name)
def test_an_errand_that_was_cut_off_goes_back_or_ends(
    here: World, errand: Errand, *, guests_are_lost: bool
) -> None:
    """Shelving goes on; a guest whose memory is lost is shut off."""
    call = standing(here, errand.origin)
    ask(here, call, errand.asked)
    restart(here, guests_are_lost=guests_are_lost)
    expected = errand.origin
    if errand.asked is ServerEvent.SHELVE:
        expected = errand.goal
    elif guests_are_lost and expected in {Phase.PAUSED, Phase.SUSPENDED}:
        expected = Phase.SHUTOFF
    if expected is Phase.ERROR:
        assert here.servers.get(call.server_id).phase is Phase.ERROR
    else:
        check(here, call, expected)


@pytest.mark.parametrize("errand", PLAIN, ids=by_name)
def test_an_errand_that_was_done_but_not_recorded_is_settled(
    here: World, errand: Errand
) -> None:
    """The guest follows the record, whatever it was brought to."""
    call = standing(here, errand.origin)
    ask(here, call, errand.asked)
    last = work_to_the_last_step(here, call)
    here.store.servers.change(call.server_id, lambda _: last)
    restart(here, guests_are_lost=False)
    phase = here.servers.get(call.server_id).phase
    assert phase in {errand.origin, errand.goal, Phase.SHUTOFF}
    if phase is not Phase.ERROR:
        check(here, call, phase)


def test_a_host_that_is_gone_leaves_its_servers_in_error(here: World) -> None:
    """With their claims."""
    call = standing(here, Phase.SHUTOFF)
    here.agents.clear()
    restart(here, guests_are_lost=False)
    server = here.servers.get(call.server_id)
    assert server.phase is Phase.ERROR
    assert server.fault is not None
    assert "is not configured any more" in server.fault.message
    assert here.store.claims.get(call.server_id) is not None


def test_what_was_cut_off_has_failed_and_deletes_go_on(here: World) -> None:
    """The history says so; what had ended stays as it was."""
    asked = Asked(request_id="req-1", user_id="u", project_id="p")
    call = replace(standing(here, Phase.ACTIVE), asked=asked)
    here.actions.act(call, ServerEvent.PAUSE)
    here.queue.clear()
    end_cut_off(here.store.servers, here.history)
    action = here.history.get(call.server_id, "req-1")
    assert (action.action, action.has_failed) == ("pause", True)
    [event] = action.events
    assert "stopped meanwhile" in event.error
    here.servers.delete(call.server_id, replace(asked, request_id="req-2"))
    end_cut_off(here.store.servers, here.history)
    here.work()
    assert not here.history.get(call.server_id, "req-2").has_failed
    assert here.history.get(call.server_id, "req-1") == action


def test_a_rebuild_that_was_cut_off_takes_back_what_it_changed(here: World) -> None:
    """The guest is the old one, so the record must say so."""
    call = standing(here, Phase.ACTIVE)
    before = here.servers.get(call.server_id)
    ask(here, call, ServerEvent.REBUILD)
    assert here.servers.get(call.server_id).name != before.name
    restart(here, guests_are_lost=False)
    after = here.servers.get(call.server_id)
    assert replace(after, updated=before.updated) == before
