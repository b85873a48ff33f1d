"""What Sundog must say of the lab host: all that the topology has, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.topology import IDS, LAB, VFS, Model
from tests.stories.devices.device_stories import provider_tree

if TYPE_CHECKING:
    from tests.stories.devices.device_stories import Ground

_BUDGET: Final = 16384
_SLICES: Final = {f"sundog_card-{size}g": 16 // size for size in (1, 2, 3, 4, 8, 16)}
# As the rules have it: a NIC has two VFs, the card with SR-IOV four.
_COUNTS: Final = {
    Model.CARD: len(_SLICES),
    Model.SRIOV_CARD: 4 * len(_SLICES),
    Model.NIC: 1 + 2,
    Model.PLAIN: 1,
}


def check_devices(ground: Ground) -> None:
    """Check each card, type, instance count, VF and node."""
    [host] = ground.api.call("GET", "/v1/hosts")["hosts"]
    cells = [cell for socket in host["sockets"] for cell in socket["cells"]]
    assert host["problems"] == host["loose_cards"] == []
    assert [(s["id"], len(s["cells"])) for s in host["sockets"]] == [(0, 2), (1, 2)]
    for built, cell in zip(LAB, cells, strict=True):
        assert tuple(cell["cpus"]) == built.cpus
        assert {"size_kb": 2048, "total": built.huge_pages, "used": 0} in cell["pages"]
        assert len(cell["cards"]) == len(built.functions)
        for model, card in zip(built.functions, cell["cards"], strict=True):
            assert card["numa_nodes"] == [built.id]
            found = {
                (each["product_id"], each["kind"], each["type"], each["total"])
                for each in card["devices"]
            }
            assert found == _devices(model)
            assert len(card["devices"]) == _COUNTS[model]


def check_provider_tree(ground: Ground) -> None:
    """Check Placement's providers: the host, its cells, and the cards on each."""
    tree = provider_tree(ground)
    assert tree.pop("lab")[0] == ""
    for cell in LAB:
        parent, totals = tree.pop(f"lab_cell{cell.id}")
        assert parent == "lab"
        # How much memory the kernel keeps for itself differs from boot to boot.
        assert 0 < totals.pop("MEMORY_MB") < cell.memory_mb
        pages = {"CUSTOM_HUGEPAGES_2048KB": cell.huge_pages}
        assert totals == {"VCPU": 1, "PCPU": 1} | pages
        for place, model in enumerate(cell.functions):
            name = f"lab_0000:{cell.bus + place + 1:02X}:00.0"
            assert tree.pop(name) == (f"lab_cell{cell.id}", _inventories(model))
    assert tree == {}


def _devices(model: Model) -> set[tuple[str, str, str, int]]:
    product = IDS[model][1]
    if model is Model.PLAIN:
        return {(product, "type-PCI", "", 1)}
    if model is Model.NIC:
        return {(product, "type-PF", "", 1), (VFS[model][1], "type-VF", "", 1)}
    most = 1 if model is Model.SRIOV_CARD else 16
    return {
        (product, "type-MDEV", name, min(most, count))
        for name, count in _SLICES.items()
    }


def _inventories(model: Model) -> dict[str, int]:
    """Return a card's classes; those that exclude each other share a budget."""
    vendor, product = IDS[model]
    whole = {f"CUSTOM_PCI_{vendor}_{product}".upper(): 1}
    if model is Model.PLAIN:
        return whole
    if model is Model.NIC:
        vfs = {f"CUSTOM_PCI_{vendor}_{VFS[model][1]}".upper(): 2}
        return {"CUSTOM_CARD_BUDGET": 2} | whole | vfs
    # A VF makes one mdev, and has a slice of all the card's memory at most.
    most = 4 if model is Model.SRIOV_CARD else 16
    slices = {
        f"CUSTOM_{name.replace('-', '_')}".upper(): min(most, count)
        for name, count in _SLICES.items()
    }
    return {"CUSTOM_CARD_BUDGET": _BUDGET} | slices
