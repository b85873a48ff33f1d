"""The contract of the ledger, held by the fake and by Placement, near and far."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from tests.contracts.ledger import KINDS, opened

from sundog.core.errors import ClaimConflictError
from sundog.core.hosts.provider_tree import (
    Inventory,
    Provider,
    ProviderTree,
    provider_uuid,
)
from sundog.workflows.ports import Owner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sundog.workflows.ports import Ledger

OWNER = Owner(project_id="demo", user_id="ann")


@pytest.fixture(scope="module", params=KINDS)
def ledger(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ledger]:
    with opened(request.param, tmp_path_factory.mktemp("ledger")) as ledger:
        yield ledger


class AHost:
    """A host of its own for each test: a root with a cell and a card."""

    def __init__(self, **card: Inventory) -> None:
        self.root = uuid4()
        name = f"host-{self.root}"
        self.cell = provider_uuid(self.root, f"{name}_cell0")
        self.card = provider_uuid(self.root, f"{name}_card")
        self.bare = ProviderTree.of(
            [
                Provider(
                    uuid=self.root,
                    name=name,
                    inventories={"DISK_GB": Inventory.of(10)},
                    traits=frozenset({"CUSTOM_OWNER_SUNDOG"}),
                ),
                Provider(
                    uuid=self.cell,
                    name=f"{name}_cell0",
                    parent=self.root,
                    inventories={"PCPU": Inventory.of(4)},
                    traits=frozenset({"HW_NUMA_ROOT"}),
                ),
            ]
        )
        self.tree = self.with_card(**(card or {"VGPU": Inventory.of(2)}))

    def with_card(self, **inventories: Inventory) -> ProviderTree:
        """Return the tree with these inventories on the card."""
        name = f"host-{self.root}_card"
        card = Provider(
            uuid=self.card, name=name, parent=self.cell, inventories=inventories
        )
        return ProviderTree({**self.bare.providers, self.card: card})


def _claims(ledger: Ledger, allocation: dict[UUID, dict[str, int]]) -> UUID | None:
    """Claim for a new consumer; None if it was refused."""
    consumer = uuid4()
    try:
        ledger.claim(consumer, allocation, OWNER)
    except ClaimConflictError:
        return None
    return consumer


def test_a_claim_comes_back_as_it_was(ledger: Ledger) -> None:
    host = AHost()
    ledger.report(host.tree)
    wanted = {host.card: {"VGPU": 1}, host.cell: {"PCPU": 2}, host.root: {"DISK_GB": 5}}
    consumer = _claims(ledger, wanted)
    assert consumer is not None
    assert ledger.allocation(consumer) == wanted
    assert ledger.consumers(host.root) == {consumer}


def test_a_release_leaves_nothing_and_may_be_repeated(ledger: Ledger) -> None:
    host = AHost()
    ledger.report(host.tree)
    consumer = _claims(ledger, {host.card: {"VGPU": 2}})
    assert consumer is not None
    ledger.release(consumer)
    ledger.release(consumer)
    assert ledger.allocation(consumer) == {}
    assert ledger.consumers(host.root) == frozenset()
    assert _claims(ledger, {host.card: {"VGPU": 2}})


def test_consumers_are_told_by_host(ledger: Ledger) -> None:
    hosts = AHost(), AHost()
    for host in hosts:
        ledger.report(host.tree)
    first, second = (_claims(ledger, {host.card: {"VGPU": 1}}) for host in hosts)
    assert ledger.consumers(hosts[0].root) == {first}
    assert ledger.consumers(hosts[1].root) == {second}
    assert ledger.consumers(uuid4()) == frozenset()


def test_what_is_held_is_told_by_consumer(ledger: Ledger) -> None:
    """Each consumer with its amounts on this host, and on no other."""
    here, there = AHost(), AHost()
    for host in (here, there):
        ledger.report(host.tree)
    wanted = {here.card: {"VGPU": 1}, here.cell: {"PCPU": 2}}
    both = _claims(ledger, {**wanted, there.card: {"VGPU": 1}})
    assert both is not None
    assert ledger.held(here.root) == {both: wanted}
    assert ledger.held(there.root) == {both: {there.card: {"VGPU": 1}}}
    assert ledger.held(uuid4()) == {}


def test_providers_are_told_by_name(ledger: Ledger) -> None:
    host = AHost()
    ledger.report(host.tree)
    every = host.tree.providers.values()
    assert ledger.providers(host.root) == {each.uuid: each.name for each in every}
    assert ledger.providers(uuid4()) == {}


def test_an_allocation_is_written_again_whatever_it_was(ledger: Ledger) -> None:
    """New, another and none: each replaces what was held."""
    host, consumer = AHost(), uuid4()
    ledger.report(host.tree)
    for wanted in (
        {host.card: {"VGPU": 1}},
        {host.card: {"VGPU": 2}, host.cell: {"PCPU": 1}},
        {},
    ):
        ledger.rewrite(consumer, wanted, OWNER)
        assert ledger.allocation(consumer) == wanted


def test_an_allocation_that_cannot_be_written_stays_as_it_was(ledger: Ledger) -> None:
    host = AHost()
    ledger.report(host.tree)
    consumer = _claims(ledger, {host.card: {"VGPU": 1}})
    assert consumer is not None
    with pytest.raises(ClaimConflictError):
        ledger.rewrite(consumer, {host.card: {"VGPU": 3}}, OWNER)
    assert ledger.allocation(consumer) == {host.card: {"VGPU": 1}}


def test_both_sides_of_a_move_are_written_at_once(ledger: Ledger) -> None:
    """The last unit goes to another consumer while its holder takes something else."""
    host = AHost(VGPU=Inventory.of(1))
    ledger.report(host.tree)
    server, migration = uuid4(), uuid4()
    old, new = {host.card: {"VGPU": 1}}, {host.cell: {"PCPU": 1}}
    ledger.claim(server, old, OWNER)
    ledger.exchange({server: (new, OWNER), migration: (old, OWNER)})
    assert (ledger.allocation(server), ledger.allocation(migration)) == (new, old)
    ledger.exchange({server: (old, OWNER), migration: ({}, OWNER)})
    assert (ledger.allocation(server), ledger.allocation(migration)) == (old, {})
    ledger.exchange({server: ({}, OWNER), migration: ({}, OWNER)})
    assert host.root not in ledger.allocation(server)
    assert ledger.consumers(host.root) == frozenset()
    ledger.exchange({server: ({}, OWNER)})


def test_a_move_that_does_not_fit_changes_neither_side(ledger: Ledger) -> None:
    host = AHost()
    ledger.report(host.tree)
    server, migration = uuid4(), uuid4()
    old = {host.card: {"VGPU": 2}}
    ledger.claim(server, old, OWNER)
    with pytest.raises(ClaimConflictError, match="Placement refused"):
        ledger.exchange({server: (old, OWNER), migration: (old, OWNER)})
    assert (ledger.allocation(server), ledger.allocation(migration)) == (old, {})


def test_a_claim_is_all_or_nothing(ledger: Ledger) -> None:
    host = AHost()
    ledger.report(host.tree)
    assert _claims(ledger, {host.cell: {"PCPU": 4}, host.card: {"VGPU": 3}}) is None
    assert ledger.consumers(host.root) == frozenset()
    assert _claims(ledger, {host.cell: {"PCPU": 4}})


def test_several_claims_are_written_together_or_not_at_all(ledger: Ledger) -> None:
    """Two consumers get theirs at once; a third that is too many refuses all three."""
    host = AHost()
    ledger.report(host.tree)
    one = {host.card: {"VGPU": 1}, host.cell: {"PCPU": 1}}
    first, second = uuid4(), uuid4()
    ledger.claim_many({first: (one, OWNER), second: ({}, OWNER)})
    assert ledger.allocation(first) == one
    assert ledger.consumers(host.root) == {first}
    more = {uuid4(): (one, OWNER) for _ in range(2)}
    with pytest.raises(ClaimConflictError):
        ledger.claim_many(more)
    assert ledger.consumers(host.root) == {first}
    ledger.claim_many({})


def test_a_claim_of_nothing_holds_nothing(ledger: Ledger) -> None:
    consumer = uuid4()
    ledger.claim(consumer, {}, OWNER)
    assert ledger.allocation(consumer) == {}


def test_a_consumer_claims_once(ledger: Ledger) -> None:
    host = AHost()
    ledger.report(host.tree)
    consumer = _claims(ledger, {host.card: {"VGPU": 1}})
    assert consumer is not None
    with pytest.raises(ClaimConflictError):
        ledger.claim(consumer, {host.cell: {"PCPU": 1}}, OWNER)
    assert ledger.allocation(consumer) == {host.card: {"VGPU": 1}}


def test_the_refusal_says_why(ledger: Ledger) -> None:
    host = AHost()
    ledger.report(host.tree)
    with pytest.raises(ClaimConflictError, match=r"refused the claim: .*VGPU"):
        ledger.claim(uuid4(), {host.card: {"VGPU": 3}}, OWNER)


def test_unknown_providers_and_classes_are_refused(ledger: Ledger) -> None:
    host = AHost()
    ledger.report(host.tree)
    assert _claims(ledger, {uuid4(): {"VGPU": 1}}) is None
    assert _claims(ledger, {host.card: {"PCPU": 1}}) is None
    assert _claims(ledger, {host.card: {"CUSTOM_NEVER_HEARD_OF": 1}}) is None


def test_an_inventory_gives_what_it_says(ledger: Ledger) -> None:
    """What is reserved, multiplied, the most, the least and the step for one claim."""
    limits = {
        "CUSTOM_RESERVED": (Inventory.of(4, reserved=1), 3, 4),
        "CUSTOM_MULTIPLIED": (
            Inventory(total=4, max_unit=6, allocation_ratio=1.5),
            6,
            7,
        ),
        "CUSTOM_MOST": (Inventory(total=4, max_unit=2), 2, 3),
        "CUSTOM_LEAST": (Inventory(total=4, max_unit=4, min_unit=2), 2, 1),
        "CUSTOM_STEP": (Inventory(total=4, max_unit=4, step_size=2), 4, 3),
    }
    host = AHost(**{name: limit[0] for name, limit in limits.items()})
    ledger.report(host.tree)
    for name, (_, _, refused) in limits.items():
        assert _claims(ledger, {host.card: {name: refused}}) is None, name
    assert _claims(
        ledger, {host.card: {name: fits for name, (_, fits, _) in limits.items()}}
    )


def test_a_later_report_changes_what_there_is(ledger: Ledger) -> None:
    host = AHost()
    ledger.report(host.bare)
    assert _claims(ledger, {host.card: {"VGPU": 1}}) is None
    ledger.report(host.tree)
    ledger.report(host.tree)
    assert _claims(ledger, {host.card: {"VGPU": 2}})
    ledger.report(host.with_card(VGPU=Inventory.of(3)))
    assert _claims(ledger, {host.card: {"VGPU": 1}})
    assert _claims(ledger, {host.card: {"VGPU": 1}}) is None


def test_a_provider_moves_with_what_is_held_on_it(ledger: Ledger) -> None:
    host = AHost()
    ledger.report(host.tree)
    consumer = _claims(ledger, {host.card: {"VGPU": 1}})
    card = replace(host.tree.providers[host.card], parent=host.root)
    ledger.report(ProviderTree({**host.tree.providers, host.card: card}))
    assert ledger.consumers(host.root) == {consumer}


def test_a_provider_that_goes_stays_for_its_holder_only(ledger: Ledger) -> None:
    host = AHost(VGPU=Inventory.of(2), CUSTOM_SLICE=Inventory.of(2))
    ledger.report(host.tree)
    consumer = _claims(ledger, {host.card: {"VGPU": 1}})
    assert consumer is not None
    ledger.report(host.bare)
    ledger.report(host.bare)
    assert ledger.allocation(consumer) == {host.card: {"VGPU": 1}}
    assert _claims(ledger, {host.card: {"VGPU": 1}}) is None
    assert _claims(ledger, {host.card: {"CUSTOM_SLICE": 1}}) is None
    ledger.release(consumer)
    assert _claims(ledger, {host.card: {"VGPU": 1}}) is None
    ledger.report(host.bare)
    ledger.report(host.tree)
    assert _claims(ledger, {host.card: {"VGPU": 2, "CUSTOM_SLICE": 2}})


def test_a_class_that_goes_stays_for_its_holder_only(ledger: Ledger) -> None:
    host = AHost(VGPU=Inventory.of(2), CUSTOM_SLICE=Inventory.of(2))
    ledger.report(host.tree)
    consumer = _claims(ledger, {host.card: {"CUSTOM_SLICE": 1}})
    ledger.report(host.with_card(VGPU=Inventory.of(2)))
    assert consumer is not None
    assert ledger.allocation(consumer) == {host.card: {"CUSTOM_SLICE": 1}}
    assert _claims(ledger, {host.card: {"CUSTOM_SLICE": 1}}) is None
    assert _claims(ledger, {host.card: {"VGPU": 2}})


def test_an_inventory_may_shrink_below_what_is_held(ledger: Ledger) -> None:
    host = AHost()
    ledger.report(host.tree)
    assert _claims(ledger, {host.card: {"VGPU": 2}})
    ledger.report(host.with_card(VGPU=Inventory.of(1)))
    assert _claims(ledger, {host.card: {"VGPU": 1}}) is None


def test_the_empty_tree_reports_nothing(ledger: Ledger) -> None:
    ledger.report(ProviderTree())


def test_threads_that_claim_the_last_units_get_exactly_those(ledger: Ledger) -> None:
    """Eight threads ask for three units: three claims hold, five are refused."""
    host = AHost(VGPU=Inventory.of(3))
    ledger.report(host.tree)
    with ThreadPoolExecutor(8) as threads:
        asked = [
            threads.submit(_claims, ledger, {host.card: {"VGPU": 1}}) for _ in range(8)
        ]
    held = {each.result() for each in asked} - {None}
    assert len(held) == 3
    assert ledger.consumers(host.root) == held


def test_reports_and_claims_at_once_leave_both(ledger: Ledger) -> None:
    """Claims move generations under a report; it reads again and goes on."""
    host = AHost(VGPU=Inventory.of(8))
    ledger.report(host.tree)
    with ThreadPoolExecutor(3) as threads:
        asked = [
            threads.submit(_claims, ledger, {host.card: {"VGPU": 1}}) for _ in range(4)
        ]
        threads.submit(ledger.report, host.with_card(VGPU=Inventory.of(9))).result()
    assert all(each.result() for each in asked)
    assert len(ledger.consumers(host.root)) == 4
    assert _claims(ledger, {host.card: {"VGPU": 5}})
