"""Audit finds what a crash or a person left, and heal mends what is safe to mend."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.workflows.world import World, flavor, hosts, world

from sundog.core.agreement.records import DisagreementKind, Repair
from sundog.core.errors import ClaimConflictError, NotFoundError, UnavailableError
from sundog.core.hosts.provider_tree import Provider, ProviderTree, provider_uuid
from sundog.core.lives.claim import ClaimState
from sundog.core.lives.server import Phase
from sundog.workflows.agreement.audit import AuditBook, collect
from sundog.workflows.ports import Owner

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

VF = flavor("one-vf", pci="vf:1")
VGPU = flavor("one-vgpu", pci="vGPU:1")
Kind = DisagreementKind


def furnished() -> tuple[World, list[UUID]]:
    """Return a world with two hosts and two servers on them."""
    there = world(*hosts("a", "b"))
    return there, [*there.boot(VF), *there.boot(VGPU)]


def book(there: World) -> AuditBook:
    return AuditBook(there.conductor)


def host_of(there: World, server: UUID) -> UUID:
    claim = there.store.claims.get(server)
    assert claim is not None
    return there.agents[claim.assignment.host].report().uuid


def lose_allocation(there: World, server: UUID) -> None:
    there.ledger.release(server)


def take_too_much(there: World, server: UUID) -> None:
    held = there.ledger.allocation(server)
    more = {**held, host_of(there, server): {"DISK_GB": 3}}
    there.ledger.rewrite(server, more, Owner(project_id="p", user_id="u"))


def forget_server(there: World, server: UUID) -> None:
    """As if its delete had been cut off after its record was closed."""
    del there.agents["a"].guests[server]
    there.store.servers.change(server, lambda s: replace(s, phase=Phase.DELETED))


def lose_claim_of_deleted(there: World, server: UUID) -> None:
    forget_server(there, server)
    there.store.claims.remove(server)
    there.fleet.drop(server, "a")


def leave_provider(there: World, server: UUID) -> None:
    root = host_of(there, server)
    tree = there.ledger.trees[root]
    name = "a_0000:99:00.0"
    left = Provider(uuid=provider_uuid(root, name), name=name, parent=root)
    there.ledger.trees[root] = ProviderTree.of([*tree.providers.values(), left])


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        (lose_allocation, Kind.ALLOCATION_MISSING),
        (take_too_much, Kind.ALLOCATION_WRONG),
        (forget_server, Kind.CLAIM_ABANDONED),
        (lose_claim_of_deleted, Kind.ALLOCATION_ORPHANED),
        (leave_provider, Kind.PROVIDER_LEFT),
    ],
)
def test_what_is_safe_to_mend_is_mended(
    harm: Callable[[World, UUID], None], kind: DisagreementKind
) -> None:
    """A dry run only tells; heal mends; then everything agrees."""
    there, [one, _] = furnished()
    harm(there, one)
    told = book(there).heal(dry_run=True)
    assert [(each.disagreement.kind, each.mended) for each in told] == [(kind, False)]
    assert book(there).audit() == tuple(each.disagreement for each in told)
    assert [each.mended for each in book(there).heal()] == [True]
    assert book(there).audit() == ()
    there.check_agreement()


def test_records_that_agree_are_left_alone() -> None:
    there, _ = furnished()
    assert book(there).heal() == ()


def test_a_guest_nobody_claims_is_only_told() -> None:
    """Its allocation stays too: it runs on it."""
    there, [one, _] = furnished()
    there.store.claims.remove(one)
    there.store.servers.change(one, lambda s: replace(s, phase=Phase.DELETED))
    told = book(there).heal()
    assert {each.disagreement.kind for each in told} == {
        Kind.GUEST_UNCLAIMED,
        Kind.ALLOCATION_ORPHANED,
    }
    assert not any(each.mended for each in told)
    assert there.ledger.allocation(one)


def test_a_server_that_is_built_now_is_left_alone() -> None:
    """A claim is written before the guest starts: that is no disagreement."""
    there = world(*hosts("a"))
    seen = []
    there.agents["a"].on_boot = lambda: seen.append(book(there).audit())
    there.boot(VGPU)
    assert seen == [()]


def test_a_server_that_changes_while_it_is_read_is_moving() -> None:
    there, [one, other] = furnished()
    agent = there.agents["a"]
    report = agent.report

    class Restless:
        name = "a"
        guest_devices = staticmethod(agent.guest_devices)

        def report(self) -> object:
            there.store.servers.change(one, lambda s: replace(s, name="new"))
            return report()

    records = collect(there.conductor, Restless())  # type: ignore[arg-type]  # as much of an agent as is read
    assert records.moving == {one}
    assert other in records.servers


def test_a_repair_that_fails_is_told_with_its_reason() -> None:
    there, [one, _] = furnished()
    lose_allocation(there, one)
    there.ledger.fail_next_claim(ClaimConflictError("somebody else has it"))
    [told] = book(there).heal()
    assert (told.mended, told.problem) == (False, "somebody else has it")
    assert told.disagreement.repair is Repair.WRITE


def test_unknown_is_not_agreed() -> None:
    """With Placement away there is no answer, not a good one."""
    there, _ = furnished()
    there.ledger.away = True
    with pytest.raises(UnavailableError):
        book(there).audit()


def test_a_host_that_is_away_hides_no_other() -> None:
    """It is named; what the others have is told, and mended, as ever."""
    there, [one, _] = furnished()
    lose_allocation(there, one)
    there.agents["b"].away = True
    kinds = [found.kind.value for found in book(there).audit()]
    assert kinds == ["allocation-missing", "host-away"]
    assert [told.mended for told in book(there).heal()] == [True, False]
    there.agents["b"].away = False
    assert book(there).audit() == ()


def test_servers_on_a_host_that_is_not_configured_are_told() -> None:
    """Nobody looks at that host: its servers would be forgotten."""
    there, [one, _] = furnished()
    name = there.store.servers.get(one).host
    assert name is not None
    agent = there.agents.pop(name)
    count = len(agent.guests)
    [told] = [found for found in book(there).audit() if found.host == name]
    assert told.kind.value == "host-unknown"
    assert told.what == f"{count} servers are on it, and it is not configured"
    assert [healing.mended for healing in book(there).heal()] == [False]


def test_a_failed_delete_keeps_its_claim_and_agrees() -> None:
    """A server in ERROR holds what could not be given back; that is known."""
    there, [one, _] = furnished()
    there.agents["a"].removal_errors.append(NotFoundError("stuck"))
    there.servers.delete(one)
    there.work()
    claim = there.store.claims.get(one)
    assert claim is not None
    assert claim.state is ClaimState.FREEING
    assert book(there).audit() == ()
