"""A job that leaves its server in its phase: recorded, noted on the way, forgotten."""

from __future__ import annotations

import pytest
from tests.workflows.world import THEN, World, flavor, hosts, world

from sundog.core.errors import ConflictError
from sundog.core.lives.intent import Intent
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.workflows.actions.book import Call

SHELVE = ServerEvent.SHELVE.value


@pytest.fixture
def there() -> World:
    return world(*hosts("a"))


def test_a_job_in_a_steady_phase_is_recorded_until_it_ends(there: World) -> None:
    [one] = there.boot(flavor("small"))
    servers, conductor = there.store.servers, there.conductor
    intent = Intent.of(SHELVE, THEN)
    assert conductor.intend(one, intent).intent == intent
    conductor.reach(one, SHELVE, "forget the claim")
    assert servers.get(one).intent == intent.reaching("forget the claim")
    conductor.end_intent(one, SHELVE)
    assert servers.get(one).intent is None


def test_only_one_job_works_on_a_server(there: World) -> None:
    """Neither a second one, nor an action, nor one while an action is under way."""
    [one] = there.boot(flavor("small"))
    first = Intent.of(SHELVE, THEN)
    there.conductor.intend(one, first)
    with pytest.raises(ConflictError, match="it is in task_state shelve"):
        there.conductor.intend(one, first)
    with pytest.raises(ConflictError, match="it is in task_state shelve"):
        there.actions.act(Call(server_id=one), ServerEvent.PAUSE)
    there.conductor.end_intent(one, SHELVE)
    there.actions.act(Call(server_id=one), ServerEvent.PAUSE)
    with pytest.raises(ConflictError, match="it is in task_state pausing"):
        there.conductor.intend(one, first)


def test_a_job_that_gave_way_to_a_delete_notes_nothing(there: World) -> None:
    """The delete is what is recorded, whatever the job still tells."""
    [one] = there.boot(flavor("small"))
    there.conductor.intend(one, Intent.of(SHELVE, THEN))
    there.servers.delete(one)
    going = there.store.servers.get(one)
    there.conductor.reach(one, SHELVE, "forget the claim")
    there.conductor.end_intent(one, SHELVE)
    assert there.store.servers.get(one) == going
    there.work()
    assert there.store.servers.get(one).phase is Phase.DELETED
