"""Booting goes from BUILD to ACTIVE, or leaves nothing behind and says why."""

from dataclasses import replace
from uuid import UUID

import pytest
from tests.fakes.shelf import FakeShelf
from tests.workflows.world import World, flavor, host, hosts, world

from sundog.core.errors import ClaimConflictError, HostRefusedError, UnavailableError
from sundog.core.lives.claim import Claim, ClaimState
from sundog.core.lives.server import Phase, ServerStatus
from sundog.core.projects.aggregates import Aggregates
from sundog.core.requests.extra_specs import guest_request
from sundog.core.requests.flavor import Flavor
from sundog.workflows.settle import settle_one

VF = flavor("vf", pci="vf:1")
VGPU = flavor("vgpu", pci="vGPU:1")


def test_boot_ends_active_with_claim_allocation_and_guest() -> None:
    """All four records name the server once it is ACTIVE."""
    here = world(host("a"))
    [one] = here.boot(VGPU)
    server = here.servers.get(one)
    assert (server.status, server.host) == (ServerStatus.ACTIVE, "a")
    assert server.launched is not None
    claim = here.servers.claim(one)
    assert claim is not None
    assert claim.state is ClaimState.ALLOCATED
    assert [share.type_id for share in claim.assignment.devices] == ["nvidia-35"]
    assert here.agents["a"].guests[one] == claim.assignment
    here.check_agreement()


def test_refusing_host_is_left_for_the_next() -> None:
    """A host that refuses gets everything undone, and the next alternate is taken."""
    here = world(*hosts("a", "b"))
    here.agents["a"].refusals.append("the kernel said no")
    here.agents["b"].refusals.clear()
    [one] = here.boot(VF)
    server = here.servers.get(one)
    refused_first = not here.agents["a"].refusals
    assert server.status is ServerStatus.ACTIVE
    assert server.host == ("b" if refused_first else "a")
    here.check_agreement()


def test_conflict_in_placement_takes_the_next_alternate() -> None:
    """A 409 costs one host, not the server."""
    here = world(*hosts("a", "b"))
    here.ledger.fail_next_claim(ClaimConflictError("Inventory changed."))
    [one] = here.boot(VF)
    assert here.servers.get(one).status is ServerStatus.ACTIVE
    here.check_agreement()


def test_attempts_are_bounded_and_their_reasons_told() -> None:
    """After max_attempts hosts the server is in ERROR with each host's reason."""
    here = world(*hosts("a", "b", "c", "d"))
    for agent in here.agents.values():
        agent.refusals.append("the card fell off the bus")
    [one] = here.boot(VF)
    server = here.servers.get(one)
    assert server.status is ServerStatus.ERROR
    assert server.fault is not None
    assert server.fault.message.startswith("No valid host was found. 3 tried")
    assert server.fault.message.count("the card fell off the bus") == 3
    assert server.host is None
    here.check_agreement()


def test_what_cannot_fit_says_why() -> None:
    """A server that fits nowhere is in ERROR, and its fault names the constraint."""
    here = world(host("a"))
    [one] = here.boot(flavor("many", pci="vGPU:3"))
    server = here.servers.get(one)
    assert server.fault is not None
    assert server.fault.message.startswith("No valid host was found.")
    assert "nvidia-35" in server.fault.message
    here.check_agreement()


def test_last_devices_go_to_as_many_servers() -> None:
    """5 servers on 4 VFs: 4 are ACTIVE, 1 is in ERROR."""
    here = world(*hosts("a", "b"))
    ids = here.boot(VF, count=5)
    statuses = [here.servers.get(one).status for one in ids]
    assert statuses.count(ServerStatus.ACTIVE) == 4
    assert statuses.count(ServerStatus.ERROR) == 1
    here.check_agreement()


def test_delete_that_comes_first_wins() -> None:
    """A server deleted before its job began is never built."""
    here = world(host("a"))
    [one] = here.order(VF)
    here.servers.delete(one)
    here.work()
    assert here.store.servers.get(one).phase is Phase.DELETED
    assert here.agents["a"].guests == {}
    here.check_agreement()


def test_delete_in_the_middle_undoes_the_boot() -> None:
    """A delete asked for while the guest starts ends in DELETED, nothing left."""
    here = world(host("a"))
    [one] = here.order(VF)
    agent = here.agents["a"]
    agent.on_boot = lambda: here.servers.delete(one)
    here.work()
    assert here.store.servers.get(one).phase is Phase.DELETED
    assert agent.guests == {}
    here.check_agreement()


def test_forced_host_is_taken_or_refused() -> None:
    """A server that names its host goes there or nowhere."""
    here = world(*hosts("a", "b"))
    here.boot(flavor("both", pci="vf:2"))
    taken = {name for name, agent in here.agents.items() if agent.guests}
    [full] = taken
    [one] = here.order(VF)
    here.store.servers.change(one, lambda server: replace(server, wanted_host=full))
    here.work()
    assert here.servers.get(one).status is ServerStatus.ERROR
    here.check_agreement()


def test_servers_asked_for_together_are_claimed_in_one_write() -> None:
    """Five servers cost Placement one write, not five."""
    here = world(*hosts("a", "b", "c"))
    before = here.ledger.writes
    here.boot(VF, count=5)
    assert here.ledger.writes == before + 1
    here.check_agreement()


def test_refused_write_for_all_leaves_each_to_itself() -> None:
    """When the common write is refused, every server is claimed on its own."""
    here = world(*hosts("a", "b"))
    here.ledger.fail_next_claim(ClaimConflictError("Inventory changed."))
    ids = here.boot(VF, count=4)
    states = {here.servers.get(one).status for one in ids}
    assert states == {ServerStatus.ACTIVE}
    here.check_agreement()


class _FailsOnce(FakeShelf[Aggregates]):
    """Aggregates that cannot be read the second time."""

    reads = 0

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def get(self, owner: str, key: str) -> Aggregates | None:
        self.reads += 1
        if self.reads == 2:
            raise self.error
        return super().get(owner, key)


@pytest.mark.parametrize(
    "error", [UnavailableError("the database is away"), RuntimeError("unforeseen")]
)
def test_a_choice_that_fails_leaves_each_to_itself(error: Exception) -> None:
    """What was held for the others until then is let go."""
    here = world(*hosts("a", "b"))
    here.conductor = replace(here.conductor, aggregates=_FailsOnce(error))
    ids = here.order(VF, count=4)
    for one in ids:
        here.store.servers.change(one, lambda s: replace(s, availability_zone="nova"))
    here.work()
    states = {here.servers.get(one).status for one in ids}
    assert states == {ServerStatus.ACTIVE}
    here.check_agreement()


def test_one_refusal_costs_its_own_server_only() -> None:
    """A host that refuses one of several leaves the others alone."""
    here = world(*hosts("a", "b"))
    here.agents["a"].refusals.append("the kernel said no")
    ids = here.boot(VF, count=3)
    states = [here.servers.get(one).status for one in ids]
    assert states == [ServerStatus.ACTIVE] * 3
    here.check_agreement()


def test_what_cannot_be_undone_stays_claimed() -> None:
    """A host that refuses and then cannot clean up keeps its claim until deleted."""
    here = world(host("a"))
    here.agents["a"].refusals.append("the guest did not start")
    here.agents["a"].removal_errors.append(HostRefusedError("the driver holds it"))
    [one] = here.boot(VGPU)
    server = here.servers.get(one)
    assert server.status is ServerStatus.ERROR
    assert server.fault is not None
    assert "the driver holds it" in server.fault.message
    assert here.servers.claim(one) is not None
    here.servers.delete(one)
    here.work()
    assert here.servers.claim(one) is None
    here.check_agreement()


def test_placement_that_goes_away_after_the_boot_costs_no_server() -> None:
    """The report is made up for later; the server is ACTIVE."""
    here = world(host("a"))
    [one] = here.order(VGPU)
    here.agents["a"].on_boot = lambda: setattr(here.ledger, "away", True)
    here.work()
    assert here.servers.get(one).status is ServerStatus.ACTIVE
    here.ledger.away = False
    here.check_agreement()


def test_a_boot_waits_for_placement_then_fails_and_holds_nothing() -> None:
    """Nothing is begun on a host; what Placement kept is known when it is back."""
    here = world(host("a"))
    [one] = here.order(VGPU)
    here.ledger.away = True
    here.work()
    assert here.servers.get(one).status is ServerStatus.BUILD
    assert here.agents["a"].guests == {}
    here.ledger.away = False
    assert here.conductor.waiting.take().keys() == {one}
    settle_one(here.conductor, one, here.servers.begin_delete, "It was away.")
    assert here.servers.get(one).status is ServerStatus.ERROR
    here.check_agreement()


def other_claim(here: World, one: Flavor, consumer: int, state: ClaimState) -> Claim:
    """Claim in the records, as another conductor does that shares the database."""
    request = guest_request(one, {}, here.conductor.aliases)
    assignment = here.fleet.fits(request, limit=1)[0]
    claim = Claim(consumer=UUID(int=consumer), assignment=assignment, state=state)
    here.store.claims.put(claim)
    return claim


@pytest.mark.parametrize("state", [ClaimState.ALLOCATED, ClaimState.CLAIMED])
def test_device_that_another_conductor_took_is_not_asked_for(
    state: ClaimState,
) -> None:
    """Who sees the other's claim chooses another device, on the same host even."""
    here = world(host("a"))
    theirs = other_claim(here, VF, 10**9, state)
    writes = here.ledger.writes
    [one] = here.boot(VF)
    claim = here.servers.claim(one)
    assert claim is not None
    taken = {share.address for share in theirs.assignment.devices}
    assert taken.isdisjoint(share.address for share in claim.assignment.devices)
    assert here.servers.get(one).status is ServerStatus.ACTIVE
    assert here.ledger.writes == writes + 1


def test_host_that_others_filled_is_left_with_the_reason() -> None:
    """When nothing is left after the other's claim, the server says why."""
    here = world(host("a", vfs=1))
    other_claim(here, VF, 10**9, ClaimState.ALLOCATED)
    [one] = here.boot(VF)
    fault = here.servers.get(one).fault
    assert fault is not None
    assert fault.message.startswith("No valid host was found.")
    assert here.servers.claim(one) is None


def test_what_another_conductor_gave_back_is_free_again() -> None:
    """A look at the host drops what the records no longer hold, and only that."""
    here = world(host("a", vfs=2))
    [mine] = here.boot(VF)
    theirs = other_claim(here, VF, 10**9, ClaimState.ALLOCATED)
    here.conductor.refresh("a")
    state = here.fleet.state("a")
    assert state is not None
    assert set(state.held_by) == {mine, theirs.consumer}
    here.store.claims.remove(theirs.consumer)
    here.conductor.refresh("a")
    here.check_agreement()
    assert here.boot(VF) != []
    here.check_agreement()
