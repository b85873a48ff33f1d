"""A host calls for one provider tree: itself, its cells, its cards."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.hosts.tree_hosts import (
    CELL_0,
    CELL_1,
    GPU,
    GPU_PROVIDER,
    HOST,
    NIC_PROVIDER,
    PF,
    SERVER,
    below,
    function,
    holding,
    host,
    mdev_type,
    mixed_gpu,
    nic,
    one_type_gpu,
    share,
    vf,
)

from sundog.core.choosing.assignment import CellShare, mdev_uuid
from sundog.core.devices.device import Card, DeviceKind, DeviceTags, Mdev
from sundog.core.hosts.allocation import allocation_of
from sundog.core.hosts.called_tree import call_for
from sundog.core.hosts.provider_tree import Inventory, Provider


def _gpu(card: Card, *held: int, **rest: object) -> dict[str, Inventory]:
    """Return the GPU's inventories while devices of it, by index, are held."""
    devices = [share(card.devices[at], GPU, n) for n, at in enumerate(held)]
    tree = call_for(host(card, **rest), [holding(*devices)])
    return dict(tree.providers[GPU_PROVIDER].inventories)


def test_a_host_has_its_cells_below_it_and_cards_below_cells() -> None:
    """Names and uuids follow from the host's; a card hangs under its own cell."""
    tree = call_for(host(nic(), one_type_gpu()), [])
    places = {each.name: (each.uuid, each.parent) for each in tree.top_down()}
    assert places == {
        "h1": (HOST, None),
        "h1_cell0": (CELL_0, HOST),
        "h1_cell1": (CELL_1, HOST),
        "h1_0000:3B:00.0": (NIC_PROVIDER, CELL_0),
        "h1_0000:84:00.0": (GPU_PROVIDER, CELL_1),
    }


def test_a_card_without_one_known_cell_hangs_under_the_host() -> None:
    """Node unknown, several nodes, or a node that is no cell: the root."""
    for nodes in ([], [0, 1], [7]):
        device = mdev_type("t4", 4, 1, numa_nodes=frozenset(nodes))
        tree = call_for(host(Card(address=GPU, devices=(device,), budget=4)), [])
        assert tree.providers[GPU_PROVIDER].parent == HOST


def test_cells_have_cpus_memory_and_pages() -> None:
    """Shared CPUs and small-page memory are multiplied, the rest is not."""
    cell = call_for(host(), []).providers[CELL_1]
    assert cell.inventories == {
        "VCPU": Inventory.of(2, ratio=4.0),
        "PCPU": Inventory.of(2),
        "MEMORY_MB": Inventory.of(1024, ratio=1.5),
        "CUSTOM_HUGEPAGES_2048KB": Inventory.of(512),
    }
    assert cell.traits == {"CUSTOM_OWNER_SUNDOG", "HW_NUMA_ROOT"}


def test_the_host_has_its_disk_and_its_traits() -> None:
    """A host without disk for guests has no inventory of it."""
    snapshot = host(disk_ratio=2.0, traits=frozenset({"CUSTOM_RACK_1"}))
    root = call_for(snapshot, []).providers[HOST]
    assert root.inventories == {"DISK_GB": Inventory.of(100, ratio=2.0)}
    assert root.traits == {"CUSTOM_OWNER_SUNDOG", "CUSTOM_RACK_1"}
    assert call_for(host(disk_gb=0), []).root == Provider(
        uuid=HOST, name="h1", traits=frozenset({"CUSTOM_OWNER_SUNDOG"})
    )


def test_amounts_of_nothing_are_left_out() -> None:
    """A cell without dedicated CPUs has no PCPU: Placement knows no empty total."""
    snapshot = host()
    bare = replace(snapshot.cells[0], dedicated=frozenset(), memory_mb=0, pages=())
    tree = call_for(replace(snapshot, cells=(bare,)), [])
    assert set(tree.providers[CELL_0].inventories) == {"VCPU"}


def test_a_card_of_one_type_has_no_budget_inventory() -> None:
    """Its total says it all."""
    assert _gpu(one_type_gpu()) == {"VGPU": Inventory.of(4)}


def test_types_that_share_a_card_have_a_budget_beside_them() -> None:
    """Each type could take the whole card, so the card's budget is counted too."""
    assert _gpu(mixed_gpu()) == {
        "CUSTOM_SMALL": Inventory.of(16),
        "CUSTOM_LARGE": Inventory.of(4),
        "CUSTOM_CARD_BUDGET": Inventory.of(16),
    }


def test_types_of_one_class_are_counted_as_the_card_can_make_them() -> None:
    """16 small or 4 large of one class are 16, and 4 on a card that is capped."""
    small = mdev_type("small", 16, 1, resource_class="VGPU")
    large = mdev_type("large", 4, 4, resource_class="VGPU")
    card = mixed_gpu(devices=(small, large))
    assert _gpu(card)["VGPU"].total == 16
    assert _gpu(replace(card, max_instances=4))["VGPU"].total == 4
    small_few = replace(small, total=3)
    assert _gpu(replace(card, devices=(small_few, large)))["VGPU"].total == 3 + 3
    one_type = replace(card, one_type=True, devices=(small_few, large))
    assert _gpu(one_type)["VGPU"].total == 4


def test_a_device_without_cost_is_bounded_by_its_total() -> None:
    """Nothing is divided by a cost of zero."""
    free = mdev_type("free", 5, 0)
    assert _gpu(mixed_gpu(devices=(free,))) == {"CUSTOM_FREE": Inventory.of(5)}


def test_a_type_that_a_card_makes_none_of_has_no_inventory() -> None:
    """Placement knows no empty total."""
    devices = (mdev_type("none", 0, 1), mdev_type("some", 1, 1))
    assert set(_gpu(mixed_gpu(devices=devices))) == {"CUSTOM_SOME"}


def test_a_pf_and_its_vfs_share_the_budget() -> None:
    """The PF costs all of it."""
    inventories = call_for(host(nic()), []).providers[NIC_PROVIDER].inventories
    assert inventories == {
        "CUSTOM_NIC": Inventory.of(1),
        "CUSTOM_PCI_15B3_101E": Inventory.of(4),
        "CUSTOM_CARD_BUDGET": Inventory.of(4),
    }


def test_unavailable_devices_are_reserved() -> None:
    """Unknown is not free; the PF's absence does not take the budget from its VFs."""
    tree = call_for(host(nic(unavailable="its driver is gone")), [])
    inventories = tree.providers[NIC_PROVIDER].inventories
    assert inventories["CUSTOM_NIC"] == Inventory.of(1, reserved=1)
    assert inventories["CUSTOM_PCI_15B3_101E"] == Inventory.of(4)
    assert inventories["CUSTOM_CARD_BUDGET"] == Inventory.of(4)


def test_unavailable_devices_that_are_held_are_not_reserved() -> None:
    """Of a broken type, what servers hold stays counted and the rest is reserved."""
    device = mdev_type("t4", 4, 4, resource_class="VGPU", unavailable="broken")
    card = one_type_gpu(devices=(device,))
    assert _gpu(card, 0) == {"VGPU": Inventory.of(4, reserved=3)}


def test_foreign_mdevs_are_reserved_with_what_they_cost() -> None:
    """Ours, found again by its derived uuid, is not."""
    foreign = Mdev(uuid=below("foreign"), type_id="large", parent=GPU)
    ours = Mdev(uuid=mdev_uuid(SERVER, "d-0/0"), type_id="small", parent=GPU)
    elsewhere = Mdev(uuid=below("elsewhere"), type_id="large", parent=PF)
    inventories = _gpu(mixed_gpu(), 0, mdevs=(foreign, ours, elsewhere))
    assert inventories == {
        "CUSTOM_SMALL": Inventory.of(16, reserved=4),
        "CUSTOM_LARGE": Inventory.of(4, reserved=1),
        "CUSTOM_CARD_BUDGET": Inventory.of(16, reserved=4),
    }


def test_a_foreign_mdev_of_unknown_cost_leaves_the_kernels_word() -> None:
    """What the kernel would still make, and what is held, is all that is offered."""
    stranger = Mdev(uuid=below("foreign"), type_id="other", parent=GPU)
    types = mdev_type("small", 16, 1, available=7), mdev_type("large", 4, 4)
    card = mixed_gpu(devices=(types[0], replace(types[1], available=1)))
    inventories = _gpu(card, 0, mdevs=(stranger,))
    assert inventories == {
        "CUSTOM_SMALL": Inventory.of(16, reserved=8),
        "CUSTOM_LARGE": Inventory.of(4, reserved=3),
        "CUSTOM_CARD_BUDGET": Inventory.of(16, reserved=8),
    }


def test_a_held_device_that_left_the_whitelist_stays_until_it_is_freed() -> None:
    """It adds to its class what is held and nothing more; its card may be gone."""
    left = share(function(vf(7), DeviceKind.VF), PF)
    tree = call_for(host(nic()), [holding(left)])
    vfs = tree.providers[NIC_PROVIDER].inventories["CUSTOM_PCI_15B3_101E"]
    assert vfs == Inventory.of(5)
    gone = call_for(host(), [holding(left)]).providers[NIC_PROVIDER]
    assert gone.inventories == {"CUSTOM_PCI_15B3_101E": Inventory.of(1)}
    assert gone.parent == CELL_0
    assert NIC_PROVIDER not in call_for(host(), []).providers


def test_what_was_claimed_under_another_class_is_not_offered_again() -> None:
    """A rule renamed the class while a server held one of the four."""
    old = one_type_gpu().devices[0]
    new = replace(old, resource_class="CUSTOM_T4")
    tree = call_for(host(one_type_gpu(devices=(new,))), [holding(share(old, GPU))])
    assert tree.providers[GPU_PROVIDER].inventories == {
        "VGPU": Inventory.of(1),
        "CUSTOM_T4": Inventory.of(4, reserved=1),
    }


def test_a_host_that_shrank_still_has_what_is_held() -> None:
    """A cell, CPUs or disk may vanish under guests; inventories cover them."""
    shares = (
        CellShare(host_cell=0, pins=((0, 2), (1, 3), (2, 4))),
        CellShare(host_cell=5, memory_mb=512),
        CellShare(host_cell=1, shared_cpus=9),
    )
    tree = call_for(host(disk_gb=10), [holding(cells=shares, disk_gb=30)])
    assert tree.providers[CELL_0].inventories["PCPU"] == Inventory.of(3)
    assert tree.providers[below("h1_cell5")].inventories == {
        "MEMORY_MB": Inventory.of(512)
    }
    assert tree.providers[CELL_1].inventories["VCPU"] == Inventory.of(3, ratio=4.0)
    assert tree.providers[HOST].inventories["DISK_GB"] == Inventory.of(30)


def test_cards_carry_the_traits_of_their_devices() -> None:
    """The rule's traits, the tags that Nova has traits for, and the type's own."""
    tags = DeviceTags(
        traits=frozenset({"CUSTOM_A"}), live_migratable=True, one_time_use=True
    )
    typed = mdev_type("nvidia-35.x", 4, 4, tags=tags)
    vendor = mdev_type("1145", 1, 16, kind=DeviceKind.VGPU)
    card = mixed_gpu(devices=(typed, vendor))
    assert call_for(host(card), []).providers[GPU_PROVIDER].traits == {
        "CUSTOM_OWNER_SUNDOG",
        "COMPUTE_MANAGED_PCI_DEVICE",
        "CUSTOM_A",
        "HW_PCI_LIVE_MIGRATABLE",
        "HW_PCI_ONE_TIME_USE",
        "CUSTOM_MDEV_TYPE_NVIDIA_35_X",
        "CUSTOM_VGPU_TYPE_1145",
    }


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    held=st.lists(st.integers(0, 1), max_size=20),
    broken=st.sets(st.integers(0, 1)),
    foreign=st.lists(st.sampled_from(["small", "large", "other"]), max_size=6),
    one_type=st.booleans(),
    most=st.none() | st.integers(1, 8),
)
def test_no_inventory_is_below_what_is_held(
    held: list[int],
    broken: set[int],
    foreign: list[str],
    one_type: bool,  # noqa: FBT001 - Hypothesis passes what it drew by name
    most: int | None,
) -> None:
    """Whatever is broken, foreign or capped, held amounts fit what is reported."""
    card = mixed_gpu(one_type=one_type, max_instances=most)
    devices = tuple(
        replace(device, unavailable="broken" if at in broken else "", available=1)
        for at, device in enumerate(card.devices)
    )
    card = replace(card, devices=devices)
    mdevs = tuple(
        Mdev(uuid=below(str(at)), type_id=type_id, parent=GPU)
        for at, type_id in enumerate(foreign)
    )
    snapshot = host(card, mdevs=mdevs)
    one = holding(*(share(card.devices[at], GPU, n) for n, at in enumerate(held)))
    tree = call_for(snapshot, [one])
    for uuid, amounts in allocation_of(one.assignment, snapshot).items():
        for name, amount in amounts.items():
            inventory = tree.providers[uuid].inventories[name]
            assert amount <= inventory.capacity
            assert 0 <= inventory.reserved <= inventory.total
