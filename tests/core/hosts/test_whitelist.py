"""A host offers what its rules mean, and keeps what is held."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from sundog.core.choosing.assignment import Assignment, DeviceShare
from sundog.core.devices.device import (
    Card,
    Device,
    DeviceKind,
    DeviceTags,
    Mdev,
    MdevType,
    PciFunction,
)
from sundog.core.devices.device_spec import parse_device_specs
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.host_snapshot import Cell, Holding, HostFacts, Problem
from sundog.core.hosts.whitelist import (
    GONE,
    LEFT,
    ONCE_IS_NOT_FOR_VFS,
    HostPolicy,
    offer,
)

BOOTED = datetime(2026, 1, 1, tzinfo=UTC)
GPU = PciFunction(
    address=PciAddress(0, 0x84, 0, 0),
    vendor_id="10de",
    product_id="1eb8",
    kind=DeviceKind.PCI,
    product="Tesla T4",
    numa_nodes=frozenset({1}),
    mdev_types=(
        MdevType(id="nvidia-35", name="T4-1", available=16, total=16),
        MdevType(id="nvidia-36", name="T4-2", available=8, total=8),
    ),
)
PF = PciFunction(
    address=PciAddress(0, 0x81, 0, 0),
    vendor_id="8086",
    product_id="1572",
    kind=DeviceKind.PF,
    product="XL710",
    numa_nodes=frozenset({0}),
    netdevs=("ens1",),
    total_vfs=4,
)
VFS = tuple(
    PciFunction(
        address=PciAddress(0, 0x81, 2, number),
        vendor_id="8086",
        product_id="154c",
        kind=DeviceKind.VF,
        parent=PF.address,
        numa_nodes=frozenset({0}),
    )
    for number in range(4)
)
CELL = Cell(
    id=0,
    socket=0,
    cpus=frozenset({0}),
    shared=frozenset({0}),
    dedicated=frozenset(),
    siblings=(frozenset({0}),),
    memory_mb=1024,
)


def facts(*functions: PciFunction, mdevs: tuple[Mdev, ...] = ()) -> HostFacts:
    """Return a host with these functions."""
    return HostFacts(
        name="h1",
        uuid=UUID(int=1),
        cells=(CELL,),
        functions=functions,
        mdevs=mdevs,
        disk_gb=100,
        libvirt_version=9000000,
        boot_id="b",
        booted=BOOTED,
        problems=(Problem(where="x", reason="y"),),
    )


def cards(found: HostFacts, *rules: str, held: tuple[Holding, ...] = ()) -> list[Card]:
    """Return the cards that the host offers under these rules."""
    snapshot = offer(found, parse_device_specs(rules), HostPolicy(), held)
    return list(snapshot.cards)


def holding(*shares: DeviceShare) -> Holding:
    """Return what one server holds."""
    return Holding(
        consumer=UUID(int=7), assignment=Assignment(host="h1", devices=shares)
    )


def share(function: PciFunction, type_id: str = "", cost: int = 1) -> DeviceShare:
    """Return a held device of a function."""
    return DeviceShare(
        slot="a-0/0",
        alias="a",
        kind=DeviceKind.MDEV if type_id else function.kind,
        address=function.address,
        card=function.parent or function.address,
        resource_class="CUSTOM_HELD",
        cost=cost,
        type_id=type_id,
        numa_nodes=function.numa_nodes,
    )


def test_the_host_itself_goes_through() -> None:
    """Cells, disk, versions and problems are the scan's; ratios are the policy's."""
    policy = HostPolicy(
        cpu_ratio=4.0, ram_ratio=1.5, disk_ratio=2.0, traits=frozenset({"CUSTOM_A"})
    )
    snapshot = offer(facts(GPU), (), policy)
    assert snapshot.cells == (CELL,)
    assert snapshot.booted == BOOTED
    assert (snapshot.disk_gb, snapshot.libvirt_version, snapshot.boot_id) == (
        100,
        9000000,
        "b",
    )
    assert (snapshot.cpu_ratio, snapshot.ram_ratio, snapshot.disk_ratio) == (4, 1.5, 2)
    assert snapshot.traits == {"CUSTOM_A"}
    assert snapshot.problems == (Problem(where="x", reason="y"),)
    assert snapshot.cards == ()


def test_a_rule_without_a_type_offers_the_whole_function() -> None:
    """By Nova's class, with Nova's traits."""
    (card,) = cards(facts(GPU), '{"vendor_id": "10de", "live_migratable": true}')
    (device,) = card.devices
    assert (card.address, card.budget, card.product) == (GPU.address, 1, "Tesla T4")
    assert device == Device(
        address=GPU.address,
        kind=DeviceKind.PCI,
        vendor_id="10de",
        product_id="1eb8",
        resource_class="CUSTOM_PCI_10DE_1EB8",
        numa_nodes=frozenset({1}),
        tags=DeviceTags(live_migratable=True, traits=device.tags.traits),
    )
    assert device.tags.traits >= {
        "COMPUTE_MANAGED_PCI_DEVICE",
        "HW_PCI_LIVE_MIGRATABLE",
    }


def test_a_rule_with_a_type_offers_that_type_only() -> None:
    """One type on the card is VGPU, and not the function itself."""
    (card,) = cards(facts(GPU), '{"mdev_type": "nvidia-36", "max_instances": 5}')
    (device,) = card.devices
    assert (device.kind, device.type_id) == (DeviceKind.MDEV, "nvidia-36")
    assert device.type_name == "T4-2"
    assert device.resource_class == "VGPU"
    assert (device.total, device.available, device.cost, card.budget) == (8, 8, 1, 8)
    assert card.max_instances == 5


def test_mixed_types_have_a_class_each_and_one_budget() -> None:
    """Their costs are their shares of the card."""
    (card,) = cards(facts(GPU), '{"mdev_type": "*", "traits": "blue"}')
    assert [device.resource_class for device in card.devices] == [
        "CUSTOM_NVIDIA_35",
        "CUSTOM_NVIDIA_36",
    ]
    assert card.budget == 16
    assert [device.cost for device in card.devices] == [1, 2]
    assert [device.total for device in card.devices] == [16, 8]
    assert all("CUSTOM_BLUE" in device.tags.traits for device in card.devices)
    assert card.devices[0].tags.traits != card.devices[1].tags.traits
    assert card.max_instances is None


def test_a_rules_class_is_used_for_types_and_functions() -> None:
    """It is the operator's word."""
    rules = (
        '{"vendor_id": "10de", "mdev_type": "*", "resource_class": "gpu"}',
        '{"resource_class": "nic"}',
    )
    found = cards(facts(GPU, PF), *rules)
    classes = {device.resource_class for card in found for device in card.devices}
    assert classes == {"CUSTOM_GPU", "CUSTOM_NIC"}


def test_a_pf_and_its_vfs_are_one_card_and_exclude_each_other() -> None:
    """The PF costs as much as all VFs together."""
    (card,) = cards(facts(*VFS, PF), '{"address": "0000:81:00.0"}')
    assert card.address == PF.address
    assert card.budget == 4
    assert [(d.kind, d.cost) for d in card.devices] == [
        (DeviceKind.PF, 4),
        *[(DeviceKind.VF, 1)] * 4,
    ]


def test_a_vfs_card_is_its_pfs_even_if_the_pf_is_not_offered() -> None:
    """By name of the PF's network device, here; the PF's product names the card."""
    rules = ('{"product_id": "154c", "devname": "ens1"}',)
    (card,) = cards(facts(PF, *VFS), *rules)
    assert (card.address, card.budget, card.product) == (PF.address, 4, "XL710")
    assert {device.kind for device in card.devices} == {DeviceKind.VF}
    (alone,) = cards(facts(VFS[0]), '{"product_id": "154c"}')
    assert (alone.address, alone.product) == (PF.address, "")


def test_each_vf_that_makes_types_is_a_parent_on_the_same_card() -> None:
    """A VF makes one; the card makes what is told; the PF excludes them all."""
    types = (
        MdevType(id="big", available=1, total=2),
        MdevType(id="small", available=1, total=3),
    )
    parents = [replace(vf, mdev_types=types) for vf in VFS]
    rules = ('{"product_id": "154c", "mdev_type": ["big", "small"]}', "{}")
    (card,) = cards(facts(PF, *parents), *rules)
    pf, *made = card.devices
    assert pf.cost == card.budget == 6
    assert [(d.type_id, d.total, d.cost) for d in made] == [
        ("big", 1, 3),
        ("small", 1, 2),
    ] * 4


def test_the_kernels_word_on_what_is_available_goes_through() -> None:
    """Foreign mdevs count as use; they are passed on, and never claimed as ours."""
    mdev = Mdev(uuid=UUID(int=9), type_id="nvidia-36", parent=GPU.address)
    used = replace(
        GPU,
        mdev_types=(
            MdevType(id="nvidia-35", available=0),
            MdevType(id="nvidia-36", available=7),
        ),
    )
    found = facts(used, mdevs=(mdev,))
    snapshot = offer(found, parse_device_specs(['{"mdev_type": "*"}']), HostPolicy())
    assert snapshot.mdevs == (mdev,)
    (card,) = snapshot.cards
    assert [(d.available, d.total) for d in card.devices] == [(0, 1), (7, 8)]


def test_a_card_that_shows_that_it_holds_one_type_is_marked() -> None:
    """There is room, but the kernel makes no other type."""
    types = (
        MdevType(id="nvidia-35", available=15, total=16),
        MdevType(id="nvidia-36", available=0, total=8),
    )
    mdev = Mdev(uuid=UUID(int=9), type_id="nvidia-35", parent=GPU.address)
    found = facts(replace(GPU, mdev_types=types), mdevs=(mdev,))
    (card,) = cards(found, '{"mdev_type": "nvidia-35"}')
    assert card.one_type


def test_an_unreadable_function_is_shown_but_not_offered() -> None:
    """Whole or as types, with the reason; the host tells it as a problem."""
    broken = replace(GPU, unavailable="cannot be read")
    for rule in ("{}", '{"mdev_type": "nvidia-35"}'):
        snapshot = offer(facts(broken), parse_device_specs([rule]), HostPolicy())
        (card,) = snapshot.cards
        assert [device.unavailable for device in card.devices] == ["cannot be read"]
        assert Problem(where="0000:84:00.0", reason="cannot be read") in (
            snapshot.problems
        )


def test_a_listed_type_that_nothing_makes_is_a_problem_and_no_device() -> None:
    """So is a vGPU type that no VF can be, and too many VFs."""
    rules = (
        '{"vendor_id": "10de", "mdev_type": ["nvidia-35", "nvidia-99"]}',
        '{"product_id": "1572", "sriov_numvfs": 5}',
        '{"vgpu_type": 558}',
        '{"mdev_type": "of no function"}',
    )
    snapshot = offer(facts(GPU, PF, VFS[0]), parse_device_specs(rules), HostPolicy())
    assert [problem.reason for problem in snapshot.problems[1:]] == [
        "makes at most 4 VFs, but [pci] device_spec rule 2 has sriov_numvfs 5",
        "no function that it means makes the mdev_type nvidia-99",
        (
            "no VF that it means can be the vgpu_type 558; VFs must be enabled, and "
            "the driver's own"
        ),
    ]
    assert [len(card.devices) for card in snapshot.cards] == [1, 1]


def test_a_held_device_that_left_the_whitelist_is_kept_until_freed() -> None:
    """It is never offered again, and its siblings stay as they were."""
    held = (holding(share(VFS[3])),)
    (card,) = cards(facts(*VFS), '{"address": "*:81:02.0"}')
    assert [device.unavailable for device in card.devices] == [""]
    (card,) = cards(facts(*VFS), '{"address": "*:81:02.0"}', held=held)
    assert [(d.unavailable, d.available) for d in card.devices] == [
        ("", 1),
        (LEFT, 0),
    ]
    assert card.devices[1].resource_class == "CUSTOM_HELD"
    assert card.budget == 2


def test_a_held_type_that_left_the_whitelist_is_kept_with_its_share() -> None:
    """The card's budget still counts it; the other type stays the one on offer."""
    held = (holding(share(GPU, "nvidia-36"), share(GPU, "nvidia-36")),)
    (card,) = cards(facts(GPU), '{"mdev_type": "nvidia-35"}', held=held)
    one, kept = card.devices
    assert (one.resource_class, one.unavailable) == ("VGPU", "")
    assert (kept.type_id, kept.unavailable, kept.available) == ("nvidia-36", LEFT, 0)
    assert (card.budget, one.cost, kept.cost) == (16, 1, 2)


def test_a_held_device_that_is_offered_is_not_doubled() -> None:
    """What is held and still meant is one device."""
    held = (holding(share(GPU, "nvidia-35")),)
    (card,) = cards(facts(GPU), '{"mdev_type": "nvidia-35"}', held=held)
    assert [device.unavailable for device in card.devices] == [""]


@pytest.mark.parametrize("type_id", ["", "nvidia-35"])
def test_a_held_device_that_is_gone_keeps_its_record(type_id: str) -> None:
    """What the scan no longer tells is known from the record."""
    held = (holding(share(GPU, type_id, cost=3)),)
    (card,) = cards(facts(), "{}", held=held)
    (device,) = card.devices
    assert (card.address, card.budget) == (GPU.address, 3)
    assert device.unavailable == GONE
    assert (device.address, device.type_id) == (GPU.address, type_id)
    assert (device.vendor_id, device.product_id) == ("", "")
    assert device.resource_class == "CUSTOM_HELD"
    assert device.numa_nodes == {1}
    assert (device.available, device.cost) == (0, 3)


def test_a_held_type_that_its_function_no_longer_makes_is_gone() -> None:
    """If the function could not be read, that is the reason told."""
    held = (holding(share(GPU, "nvidia-9")),)
    (card,) = cards(facts(GPU), '{"mdev_type": "nvidia-35"}', held=held)
    assert [device.unavailable for device in card.devices] == ["", GONE]
    broken = replace(GPU, unavailable="cannot be read", mdev_types=())
    (card,) = cards(facts(broken), '{"mdev_type": "nvidia-35"}', held=held)
    assert [device.unavailable for device in card.devices] == ["cannot be read"]


def test_a_one_time_device_is_marked_for_placement() -> None:
    """Nova's trait says so."""
    (card,) = cards(facts(GPU), '{"one_time_use": "yes"}')
    assert "HW_PCI_ONE_TIME_USE" in card.devices[0].tags.traits


def test_a_vf_is_not_used_once() -> None:
    """It is not offered, with the reason; its PF is."""
    (card,) = cards(facts(PF, VFS[0]), '{"vendor_id": "8086", "one_time_use": true}')
    pf, vf = card.devices
    assert (pf.unavailable, vf.unavailable) == ("", ONCE_IS_NOT_FOR_VFS)
