"""The pulse: hosts that go and come back, and jobs that wait meanwhile."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.workflows.world import World, flavor, hosts, world

from sundog.core.errors import UnavailableError
from sundog.core.lives.claim import ClaimState
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.workflows.actions.book import Call
from sundog.workflows.actions.recorded import end_settled
from sundog.workflows.pulse.heartbeat import Heartbeat
from sundog.workflows.settle import settle

if TYPE_CHECKING:
    from uuid import UUID

SMALL = flavor("small")
AWAY = UnavailableError("libvirt does not answer")


@pytest.fixture
def there() -> World:
    return world(*hosts("a", "b"))


def beat(there: World) -> None:
    """Let the heart beat once, and do all jobs that it begins."""
    Heartbeat(
        conductor=there.conductor,
        hosts=there.hosts,
        begin=there.queue.append,
        begin_delete=there.servers.begin_delete,
        settled=partial(end_settled, there.store.servers, there.history),
    ).beat()
    there.work()


def up(there: World) -> list[bool]:
    return [view.up for view in there.hosts.hosts()]


def boot_on_a(there: World) -> UUID:
    there.agents["b"].away = True
    beat(there)
    [one] = there.boot(SMALL)
    there.agents["b"].away = False
    beat(there)
    assert there.store.servers.get(one).host == "a"
    return one


def test_a_scan_that_fails_unforeseen_is_its_hosts_trouble_only(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service goes on, and so does the heartbeat."""

    def report() -> None:
        raise RuntimeError("nobody thought of this")

    with monkeypatch.context() as patch:
        patch.setattr(there.agents["a"], "report", report)
        beat(there)
    assert up(there) == [False, True]
    beat(there)
    assert up(there) == [True, True]


def test_a_host_that_is_away_is_down_and_takes_no_servers(there: World) -> None:
    """The others go on, and nobody's inventory is touched; then it comes back."""
    there.agents["a"].away = True
    before = {**there.ledger.trees}
    beat(there)
    assert up(there) == [False, True]
    ids = there.boot(SMALL, count=2)
    assert {there.store.servers.get(one).host for one in ids} == {"b"}
    [refusal] = there.hosts.explain("small").refusals
    assert "it does not answer: libvirt of a" in refusal.detail
    assert there.ledger.trees == before
    there.agents["a"].away = False
    beat(there)
    assert up(there) == [True, True]
    assert not there.hosts.explain("small").refusals


def test_an_operators_word_outlives_a_silence(there: World) -> None:
    """Disabled before or meanwhile, a host that comes back is still disabled."""
    there.boot(SMALL)
    [service, _] = there.hosts.service_list()
    there.agents["a"].away = True
    beat(there)
    there.hosts.set_service(service.id, disabled=True, reason="a fan is loud")
    there.agents["a"].away = False
    beat(there)
    [view, _] = there.hosts.hosts()
    assert (view.up, view.service.disabled) == (True, True)
    [refusal] = there.hosts.explain("small").refusals
    assert "a fan is loud" in refusal.detail


def test_a_host_that_was_away_at_the_start_is_taken_up_when_it_comes() -> None:
    """Its servers stay what they are until then."""
    there = world(*hosts("a"))
    [one] = there.boot(SMALL)
    later = world()
    later.agents.update(there.agents)
    later.agents["a"].away = True
    later.store.servers.add([there.store.servers.get(one)])
    claim = there.store.claims.get(one)
    assert claim is not None
    later.store.claims.put(claim)
    later.agents["a"].bring_errors.append(AWAY)
    beat(later)
    settle(later.conductor, later.servers.begin_delete)
    assert later.store.servers.get(one).phase is Phase.ACTIVE
    assert later.fleet.state("a") is None
    later.agents["a"].away = False
    beat(later)
    state = later.fleet.state("a")
    assert state is not None
    assert set(state.held_by) == {one}
    assert later.store.servers.get(one).phase is Phase.ACTIVE


@pytest.mark.parametrize("what", ["libvirt", "Placement"])
def test_a_delete_goes_on_when_what_was_away_is_back(there: World, what: str) -> None:
    """It waits as it is, however often it is tried meanwhile."""
    one = boot_on_a(there)
    there.ledger.away = what == "Placement"
    there.agents["a"].removal_errors = [AWAY] * 3 if what == "libvirt" else []
    there.servers.delete(one)
    there.work()
    for _ in range(2):
        beat(there)
        assert there.store.servers.get(one).phase is Phase.DELETING
    there.ledger.away = False
    beat(there)
    assert there.store.servers.get(one).phase is Phase.DELETED
    there.check_agreement()


def test_an_action_waits_for_a_host_that_is_away(there: World) -> None:
    """It could neither be done nor undone; then it is undone, and its history ends."""
    one = boot_on_a(there)
    there.agents["a"].bring_errors += [AWAY, AWAY]
    there.actions.act(Call(server_id=one), ServerEvent.POWER_OFF)
    there.work()
    assert there.store.servers.get(one).phase is Phase.POWERING_OFF
    beat(there)
    assert there.store.servers.get(one).phase is Phase.ACTIVE
    there.check_agreement()


def test_a_boot_that_cannot_be_undone_waits(there: World) -> None:
    """Placement went away in the middle: when it is back the server holds nothing."""
    there.agents["a"].on_boot = there.agents["b"].on_boot = lambda: setattr(
        there.ledger, "away", True
    )
    there.agents["a"].refusals = there.agents["b"].refusals = ["no"] * 9
    [one] = there.boot(SMALL)
    server = there.store.servers.get(one)
    assert server.phase is Phase.SPAWNING
    claim = there.store.claims.get(one)
    assert claim is not None
    assert claim.state is ClaimState.FREEING
    there.ledger.away = False
    beat(there)
    server = there.store.servers.get(one)
    assert server.phase is Phase.ERROR
    assert server.fault is not None
    assert "giving back what it had failed too" in server.fault.message
    there.check_agreement()
