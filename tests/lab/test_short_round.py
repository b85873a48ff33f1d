"""The short round, as CI runs it: from power on to a guest, a loss of power, clean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.topology import IDS, LAB, VFS, Model
from tests.stories.devices.device_stories import (
    KINDS,
    running_servers_run_again_after_a_loss_of_power,
)

if TYPE_CHECKING:
    from tests.lab.lab_ground import LabGround

SLICES = {f"sundog_card-{size}g": 16 // size for size in (1, 2, 3, 4, 8, 16)}
# As the rules have it: a NIC has two VFs, the card with SR-IOV four.
COUNTS = {
    Model.CARD: len(SLICES),
    Model.SRIOV_CARD: 4 * len(SLICES),
    Model.NIC: 1 + 2,
    Model.PLAIN: 1,
}


def test_discovery_equals_what_was_built(ground: LabGround) -> None:
    """Each card, type, instance count, VF and node is as the topology has it."""
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
            assert len(card["devices"]) == COUNTS[model]


def test_servers_with_an_mdev_and_a_vf_outlive_a_loss_of_power(
    ground: LabGround,
) -> None:
    """The main job with both kinds; each guest reports its device before and after."""
    running_servers_run_again_after_a_loss_of_power(ground, KINDS)


def _devices(model: Model) -> set[tuple[str, str, str, int]]:
    product = IDS[model][1]
    if model is Model.PLAIN:
        return {(product, "type-PCI", "", 1)}
    if model is Model.NIC:
        return {(product, "type-PF", "", 1), (VFS[model][1], "type-VF", "", 1)}
    most = 1 if model is Model.SRIOV_CARD else 16
    return {
        (product, "type-MDEV", name, min(most, count)) for name, count in SLICES.items()
    }
