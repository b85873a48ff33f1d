"""A guest's configuration follows from its assignment, and misses nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from sundog.core.choosing.assignment import (
    Assignment,
    CellShare,
    DeviceShare,
    mdev_uuid,
)
from sundog.core.devices.device import DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.guest_config import (
    BootSource,
    ConfigCell,
    ConfigDevice,
    guest_config,
)
from sundog.core.hosts.host_snapshot import Cell
from sundog.core.lives.server import Server
from sundog.core.requests.flavor import Flavor
from sundog.core.requests.guest_request import GuestCell

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = UUID(int=1)
HOST = tuple(
    Cell(
        id=number,
        socket=number,
        cpus=frozenset(range(8 * number, 8 * number + 8)),
        shared=frozenset({8 * number, 8 * number + 1}),
        dedicated=frozenset(range(8 * number + 2, 8 * number + 8)),
        siblings=(),
        memory_mb=1000,
    )
    for number in range(2)
)


def server(vcpus: int, memory_mb: int = 512) -> Server:
    flavor = Flavor(
        id="1", name="gpu.small", vcpus=vcpus, memory_mb=memory_mb, disk_gb=0
    )
    return Server(
        id=ONE,
        name="web",
        project_id="p",
        user_id="u",
        flavor=flavor,
        image_id="i",
        created=NOW,
        updated=NOW,
    )


def test_a_floating_guest_has_no_cells_and_no_pins() -> None:
    """Its vCPUs and its emulator run on all shared CPUs of the host."""
    share = CellShare(host_cell=1, shared_cpus=2, memory_mb=512)
    config = guest_config(server(2), Assignment(host="h", cells=(share,)), HOST)
    assert (config.cells, config.pins, config.page_kb) == ((), (), 4)
    assert config.floating_cpus == {0, 1, 8, 9}
    assert config.emulator_cpus == {0, 1, 8, 9}
    assert (config.uuid, config.vcpus, config.memory_mb) == (ONE, 2, 512)
    assert (config.server_name, config.flavor_name) == ("web", "gpu.small")
    assert str(ONE) in config.name


def test_what_a_guest_boots_is_its_images_word() -> None:
    """Disk size from the flavor; kernel, ramdisk and command line from properties."""
    share = CellShare(host_cell=1, shared_cpus=2, memory_mb=512)
    plain, kernel = server(2), {"kernel_id": "k", "ramdisk_id": "r"}
    booted = BootSource(image_id="i", kernel_id="k", ramdisk_id="r")
    flavor = replace(plain.flavor, disk_gb=7)
    said = replace(
        plain,
        flavor=flavor,
        image_properties=kernel | {"os_command_line": "quiet", "x": "y"},
    )
    chosen = Assignment(host="h", cells=(share,))
    assert guest_config(plain, chosen, HOST).boot == BootSource(image_id="i")
    assert guest_config(said, chosen, HOST).boot == replace(
        booted, disk_gb=7, command_line="quiet"
    )


def test_a_rescued_guest_boots_from_another_image() -> None:
    """Its own disk is told, too, with the size that it has."""
    share = CellShare(host_cell=1, shared_cpus=2, memory_mb=512)
    flavor = replace(server(2).flavor, disk_gb=7)
    rescued = replace(
        server(2),
        flavor=flavor,
        rescue_image_id="other",
        rescue_properties={"kernel_id": "k"},
    )
    boot = guest_config(rescued, Assignment(host="h", cells=(share,)), HOST).boot
    assert (boot.image_id, boot.disk_gb) == ("i", 7)
    assert boot.rescue == BootSource(image_id="other", kernel_id="k")


def test_a_floating_guest_may_have_huge_pages() -> None:
    """The page size is kept although there is no cell to hold it."""
    share = CellShare(host_cell=1, shared_cpus=1, memory_mb=512, page_kb=2048)
    config = guest_config(server(1), Assignment(host="h", cells=(share,)), HOST)
    assert config.page_kb == 2048


def test_a_pinned_guest_on_two_cells() -> None:
    """Each guest cell has its vCPUs, memory, pages and host cell; pins are exact."""
    cells = (
        CellShare(
            host_cell=1,
            guest_cell=0,
            pins=((0, 10), (1, 11)),
            memory_mb=256,
            page_kb=2048,
        ),
        CellShare(host_cell=0, guest_cell=1, pins=((2, 3),), memory_mb=128),
    )
    config = guest_config(server(3, 384), Assignment(host="h", cells=cells), HOST)
    assert config.pins == (
        (0, frozenset({10})),
        (1, frozenset({11})),
        (2, frozenset({3})),
    )
    assert config.emulator_cpus == {3, 10, 11}
    assert config.cells == (
        ConfigCell(
            id=0,
            vcpus=frozenset({0, 1}),
            memory_mb=256,
            host_cells=frozenset({1}),
            page_kb=2048,
        ),
        ConfigCell(
            id=1, vcpus=frozenset({2}), memory_mb=128, host_cells=frozenset({0})
        ),
    )


MIXED = (
    CellShare(host_cell=0, guest_cell=0, pins=((1, 4),), shared_cpus=1, memory_mb=256),
    CellShare(host_cell=1, guest_cell=1, shared_cpus=2, memory_mb=256),
)


def test_floating_vcpus_in_a_cell_stay_on_its_shared_cpus() -> None:
    """Without the request's cells the vCPUs without a pin are dealt out in order."""
    config = guest_config(server(4), Assignment(host="h", cells=MIXED), HOST)
    assert config.pins == (
        (0, frozenset({0, 1})),
        (1, frozenset({4})),
        (2, frozenset({8, 9})),
        (3, frozenset({8, 9})),
    )
    assert [cell.vcpus for cell in config.cells] == [{0, 1}, {2, 3}]


def test_the_requests_cells_decide_the_vcpus() -> None:
    """hw:numa_cpus.N holds, whatever the order of the numbers."""
    guest_cells = tuple(
        GuestCell(
            id=number,
            cpus=frozenset(cpus),
            dedicated=frozenset({1} & cpus),
            memory_mb=256,
        )
        for number, cpus in enumerate(({1, 3}, {0, 2}))
    )
    assignment = Assignment(host="h", cells=MIXED)
    config = guest_config(server(4), assignment, HOST, guest_cells)
    assert [cell.vcpus for cell in config.cells] == [{1, 3}, {0, 2}]
    assert config.pins == (
        (0, frozenset({8, 9})),
        (1, frozenset({4})),
        (2, frozenset({8, 9})),
        (3, frozenset({0, 1})),
    )


def test_a_guest_cell_may_span_host_cells() -> None:
    """A guest that is fitted into a socket has one cell on several of the host's."""
    cells = tuple(
        CellShare(host_cell=number, guest_cell=0, shared_cpus=1, memory_mb=256)
        for number in range(2)
    )
    config = guest_config(server(2), Assignment(host="h", cells=cells), HOST)
    (cell,) = config.cells
    assert cell.host_cells == {0, 1}
    assert cell.memory_mb == 512
    assert config.pins == ((0, frozenset({0, 1, 8, 9})), (1, frozenset({0, 1, 8, 9})))


@pytest.mark.parametrize("kind", [DeviceKind.MDEV, DeviceKind.VF, DeviceKind.VGPU])
def test_devices_keep_their_slot_and_place(kind: DeviceKind) -> None:
    """An mdev has the name of its holder's slot, a function and a vGPU none."""
    share = DeviceShare(
        slot="vGPU-0/1",
        alias="vGPU",
        kind=kind,
        address=PciAddress.parse("0000:84:00.0"),
        card=PciAddress.parse("0000:84:00.0"),
        resource_class="VGPU",
        cost=1,
        type_id="nvidia-35",
        guest_cell=1,
        managed=False,
    )
    config = guest_config(server(1), Assignment(host="h", devices=(share,)), HOST)
    made = mdev_uuid(ONE, "vGPU-0/1") if kind is DeviceKind.MDEV else None
    assert config.devices == (
        ConfigDevice(
            slot="vGPU-0/1",
            alias="vGPU",
            kind=kind,
            address=share.address,
            type_id="nvidia-35",
            mdev=made,
            guest_cell=1,
            managed=False,
        ),
    )
