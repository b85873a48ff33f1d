"""Several devices in one guest, whole functions, and cards that are filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.devices.device_stories import (
    PINNED,
    boot,
    boot_with,
    cells_of,
    device_cells,
)

if TYPE_CHECKING:
    from typing import Any

    from tests.lab.lab_ground import LabGround


def _end(ground: LabGround, *servers: dict[str, Any]) -> None:
    ground.check_agreement()
    ground.api.delete([server["id"] for server in servers])
    ground.check_agreement()
    ground.check_nothing_left()


def test_two_mdevs_on_two_guest_cells(ground: LabGround) -> None:
    """Whole cards are on different cells; the guest sees each on the right one."""
    two = PINNED | {"hw:numa_nodes": "2"}
    server = boot_with(ground, "two-mdevs", "slice16:2", two, vcpus=2, ram=64)
    assert server["status"] == "ACTIVE", server.get("fault")
    assert len(cells_of(ground, server["id"])) == 2
    assert device_cells(ground, server["id"]) == set(cells_of(ground, server["id"]))
    ground.check_guest(server["id"])
    _end(ground, server)


def test_an_mdev_and_a_vf_together_and_a_whole_function(ground: LabGround) -> None:
    """Three kinds in one guest, all on its cell."""
    server = boot_with(ground, "three-kinds", "slice:1,vf:1,plain:1", PINNED)
    assert server["status"] == "ACTIVE", server.get("fault")
    assert len(ground.devices(server["id"])) == 3
    assert device_cells(ground, server["id"]) == {0}
    ground.check_guest(server["id"])
    _end(ground, server)


def test_a_pf_takes_its_vfs_with_it(ground: LabGround) -> None:
    """With a whole NIC held its VFs are not free; given back they are enabled anew."""
    before = _free_vfs(ground)
    assert before == 4
    server = boot_with(ground, "whole-nic", "pf:1", PINNED)
    assert server["status"] == "ACTIVE", server.get("fault")
    assert _free_vfs(ground) == before - 2
    ground.check_guest(server["id"])
    ground.api.delete([server["id"]])
    ground.check_nothing_left()
    assert _free_vfs(ground) == before
    ground.check_agreement()


def test_types_are_mixed_to_the_last_mib_of_a_card(ground: LabGround) -> None:
    """8 + 4 + 3 + 1 GiB fill one card; after each step the kernel says as we do."""
    servers = []
    only = {"hw:numa_nodes": "1"}
    for size in (8, 4, 3, 1):
        name = f"mixed-{size}"
        server = boot_with(ground, name, f"mixed{size}:1", only)
        assert server["status"] == "ACTIVE", server.get("fault")
        servers.append(server)
        ground.check_agreement()
    cards = {ground.devices(server["id"])[0]["address"] for server in servers}
    assert len(cards) == 1
    left = ground.available()
    assert {left[address, kind] for address, kind in left if address in cards} == {0}
    _end(ground, *servers)


def test_a_device_of_the_socket_is_near_enough_for_socket(ground: LabGround) -> None:
    """Cell 3 is full: its card serves cell 2, and nobody in the other socket."""
    near = boot(ground, "vf-slice")
    across = boot(ground, "vf-slice-socket")
    assert cells_of(ground, near["id"]) == [3]
    assert cells_of(ground, across["id"]) == [2], across.get("fault")
    assert device_cells(ground, across["id"]) == {3}
    refused = boot(ground, "vf-slice-socket")
    assert refused["status"] == "ERROR"
    legacy = boot(ground, "vf-slice-legacy")
    assert legacy["status"] == "ERROR"
    ground.check_guest(across["id"])
    _end(ground, near, across, refused, legacy)


def _free_vfs(ground: LabGround) -> int:
    rows = ground.api.call("GET", "/v1/devices")["devices"]
    free = [row["device"]["free"] for row in rows if row["device"]["kind"] == "type-VF"]
    return sum(free)
