"""Devices are made ready and freed on the host as it is now, and read back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.edges.libvirt.simulated import ALICE, BOB, World, open_world, share

from sundog.core.choosing.assignment import mdev_uuid
from sundog.core.devices.device import DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import HostRefusedError
from sundog.core.guest_config import ConfigDevice, GuestConfig
from sundog.edges.libvirt.device_bench import LibvirtDeviceBench
from sundog.edges.libvirt.kinds.kind import Site
from sundog.edges.libvirt.kinds.table import kind_of
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.host_model import Fault, FaultKind
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from sundog.core.choosing.assignment import DeviceShare

T4 = "0000:17:00.0"
PF = "0000:3b:00.0"
VGPU = share(DeviceKind.MDEV, T4, type_id="nvidia-231")
NIC = share(DeviceKind.PF, PF)
VF = share(DeviceKind.VF, "0000:3b:02.3", card=PF)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two sockets, eight T4, a NIC with VFs on each."""
    return open_world("two-socket-8-cards", tmp_path)


def fault(kind: FaultKind, card: str = T4, times: int | None = None) -> Fault:
    return Fault(kind=kind, card=PciAddress.parse(card), times=times)


def orders(vfs: dict[str, int]) -> dict[PciAddress, int]:
    return {PciAddress.parse(address): count for address, count in vfs.items()}


def start(world: World, consumer: UUID, device: DeviceShare) -> None:
    made = mdev_uuid(consumer, device.slot) if device.is_made else None
    world.guests.start(
        GuestConfig(
            uuid=consumer,
            name=f"sundog-{consumer}",
            server_name="s",
            flavor_name="f",
            memory_mb=64,
            vcpus=1,
            devices=(
                ConfigDevice(
                    slot=device.slot,
                    alias=device.alias,
                    kind=device.kind,
                    address=device.address,
                    type_id=device.type_id,
                    mdev=made,
                ),
            ),
        )
    )


def test_an_mdev_is_made_once_and_removed(world: World) -> None:
    """It has the name of its holder's slot; doing either twice changes nothing."""
    world.bench.make_ready(ALICE, VGPU)
    world.bench.make_ready(ALICE, VGPU)
    (made,) = world.mdevs()
    assert made.uuid == mdev_uuid(ALICE, VGPU.slot)
    assert (made.type_id, made.parent) == ("nvidia-231", VGPU.address)
    left = {each.id: each.available for each in world.function(T4).mdev_types}
    assert left["nvidia-231"] == 7
    assert left["nvidia-230"] == 0  # this card makes one type at a time
    world.bench.free(ALICE, VGPU)
    world.bench.free(ALICE, VGPU)
    assert world.mdevs() == ()


def test_the_kernels_word_wins(world: World) -> None:
    """A type that the kernel makes no more of is refused, and so is an unknown one."""
    world.bench.make_ready(ALICE, VGPU)
    with pytest.raises(HostRefusedError, match="makes no more mdev of nvidia-232"):
        world.bench.make_ready(BOB, replace(VGPU, type_id="nvidia-232"))
    with pytest.raises(HostRefusedError, match="does not offer the mdev type x"):
        world.bench.make_ready(BOB, replace(VGPU, type_id="x"))
    assert len(world.mdevs()) == 1


def test_a_name_that_is_taken_by_another_type_is_refused(world: World) -> None:
    """An mdev under our name but of another type or card is not used."""
    world.bench.make_ready(ALICE, VGPU)
    with pytest.raises(HostRefusedError, match="is there already"):
        world.bench.make_ready(ALICE, replace(VGPU, type_id="nvidia-232"))


def test_a_foreign_mdev_is_never_touched(world: World) -> None:
    """Freeing removes what has our name and nothing else."""
    world.kernel.create_mdev(VGPU.address, "nvidia-231", BOB)
    world.bench.make_ready(ALICE, VGPU)
    world.bench.free(ALICE, VGPU)
    assert [each.uuid for each in world.mdevs()] == [BOB]


def test_a_refused_creation_leaves_nothing(world: World) -> None:
    """The kernel's refusal is told in its words."""
    world.kernel.ask_fault(fault(FaultKind.CREATE_FAILS, times=1))
    with pytest.raises(HostRefusedError, match=r"17:00\.0 refused .*Input/output"):
        world.bench.make_ready(ALICE, VGPU)
    assert world.mdevs() == ()
    world.bench.make_ready(ALICE, VGPU)


def test_a_creation_that_is_lost_is_found_by_reading_back(world: World) -> None:
    """A write that succeeds and does nothing is a failure."""
    world.kernel.ask_fault(fault(FaultKind.CREATE_IGNORED, times=1))
    with pytest.raises(HostRefusedError, match="none is there"):
        world.bench.make_ready(ALICE, VGPU)
    assert sum(world.waits) < 5


def test_a_slow_driver_is_waited_for(world: World) -> None:
    """Ten busy seconds are waited out; a driver that never lets go is told."""
    world.bench.make_ready(ALICE, VGPU)
    world.kernel.ask_fault(fault(FaultKind.SLOW_RELEASE, times=5))
    world.bench.free(ALICE, VGPU)
    assert world.mdevs() == ()
    world.bench.make_ready(ALICE, VGPU)
    world.kernel.ask_fault(fault(FaultKind.SLOW_RELEASE))
    world.waits.clear()
    with pytest.raises(HostRefusedError, match=r"cannot be removed: .*busy"):
        world.bench.free(ALICE, VGPU)
    assert 10 < sum(world.waits) < 30


@pytest.mark.parametrize("device", [VGPU, NIC, VF], ids=lambda d: d.kind.name)
def test_what_vanished_or_cannot_be_read_is_refused(
    world: World, device: DeviceShare
) -> None:
    """Unknown is not free; freeing what is gone is fine."""
    card = str(device.card)
    world.kernel.ask_fault(fault(FaultKind.GARBAGE, card))
    with pytest.raises(HostRefusedError, match="is unavailable"):
        world.bench.make_ready(ALICE, device)
    world.kernel.clear_faults()
    world.bench.make_ready(ALICE, device)
    world.kernel.ask_fault(fault(FaultKind.VANISHES, card))
    world.bench.free(ALICE, device)
    with pytest.raises(HostRefusedError, match="not on the host any more"):
        world.bench.make_ready(ALICE, device)


@pytest.mark.parametrize(("held", "wanted"), [(VF, NIC), (NIC, VF), (VF, VF)])
def test_a_pf_and_its_vfs_exclude_each_other(
    world: World, held: DeviceShare, wanted: DeviceShare
) -> None:
    """What a running guest has rules out itself, its PF and its VFs for others."""
    world.bench.make_ready(ALICE, held)
    start(world, ALICE, held)
    with pytest.raises(HostRefusedError, match=f"guest {ALICE} has {held.address}"):
        world.bench.make_ready(BOB, wanted)
    world.bench.make_ready(ALICE, held)
    world.guests.stop(ALICE)
    world.bench.make_ready(BOB, wanted)


def test_a_vgpu_rules_out_nobody_elses_function(world: World) -> None:
    """A running guest with an mdev leaves functions to others."""
    world.bench.make_ready(ALICE, VGPU)
    start(world, ALICE, VGPU)
    world.bench.make_ready(BOB, VF)


def test_a_device_that_changed_its_kind_is_refused(world: World) -> None:
    """A plain function that became a PF, or a VF under another PF, is refused."""
    with pytest.raises(HostRefusedError, match="chosen as type-PCI but is type-PF"):
        world.bench.make_ready(ALICE, replace(NIC, kind=DeviceKind.PCI))
    moved = replace(VF, card=PciAddress.parse("0000:af:00.0"))
    with pytest.raises(HostRefusedError, match=r"chosen as a VF of 0000:af:00\.0"):
        world.bench.make_ready(ALICE, moved)


def wanted(counts: dict[str, int]) -> dict[PciAddress, int]:
    return {PciAddress.parse(text): count for text, count in counts.items()}


def test_vfs_are_enabled_where_there_are_none(tmp_path: Path) -> None:
    """One without gets what was ordered; a PF with some refuses, and keeps them."""
    world = open_world("mixed", tmp_path)
    assert world.function(PF).kind is DeviceKind.PF
    refused = world.bench.enable_vfs(wanted({PF: 4, "0000:b1:00.0": 2}))
    assert refused == {PciAddress.parse("0000:b1:00.0"): "Device or resource busy"}
    vfs = [f for f in world.reader.scan().functions if f.kind is DeviceKind.VF]
    assert sum(str(f.parent) == PF for f in vfs) == 4
    assert sum(str(f.parent) == "0000:b1:00.0" for f in vfs) == 16
    first = next(f for f in vfs if str(f.parent) == PF)
    assert (str(first.address), first.netdevs) == ("0000:3b:02.0", ("ens1f0v0",))
    assert (first.vendor_id, first.product_id) == ("8086", "154c")


def test_vfs_that_cannot_be_enabled_are_all_told(tmp_path: Path) -> None:
    """Each refusal is named; the others are enabled."""
    world = open_world("mixed", tmp_path)
    world.kernel.set_vfs(PciAddress.parse("0000:b1:00.0"), 0)
    world.kernel.ask_fault(fault(FaultKind.VFS_FAIL, PF))
    refused = world.bench.enable_vfs(wanted({PF: 4, "0000:b1:00.0": 16, T4: 1}))
    assert {str(address) for address in refused} == {PF, T4}
    assert refused[PciAddress.parse(PF)] == "Input/output error"
    vfs = [f for f in world.reader.scan().functions if f.kind is DeviceKind.VF]
    assert len(vfs) == 16


def test_an_mdev_without_a_name_is_refused() -> None:
    """A guest is never written with a device that has no source."""
    nameless = ConfigDevice(
        slot="dev-0/0", alias="dev", kind=DeviceKind.MDEV, address=VGPU.address
    )
    with pytest.raises(HostRefusedError, match=r"dev-0/0 of 0000:17:00\.0 has no mdev"):
        kind_of(DeviceKind.MDEV).hostdev(nameless)


class _Bridge(SimulatedKernel):
    """A host on which every device turned out to be a bridge."""

    def node_device(self, name: str) -> str | None:
        text = super().node_device(name)
        bridge = "<capability type='pci-bridge'/>"
        return text and text.replace("<iommuGroup", f"{bridge}<iommuGroup")


def test_what_is_no_device_is_refused() -> None:
    """An address that holds a bridge now is nothing to hand out."""
    kernel = _Bridge(read_host_file(shipped_host("two-socket-8-cards")))
    bench = LibvirtDeviceBench(Site(kernel=kernel))
    with pytest.raises(HostRefusedError, match="no device that can be handed out"):
        bench.make_ready(ALICE, VF)


class _Racing(SimulatedKernel):
    """A host on which an mdev goes by itself just before it is removed."""

    def remove_mdev(self, uuid: UUID) -> None:
        super().remove_mdev(uuid)
        super().remove_mdev(uuid)


class _Forgetful(SimulatedKernel):
    """A host on which removing succeeds and does nothing."""

    def remove_mdev(self, uuid: UUID) -> None:
        """Remove nothing."""


def test_a_removal_is_read_back() -> None:
    """Gone by itself is gone; still there after a removal is a failure."""
    host = read_host_file(shipped_host("two-socket-8-cards"))
    racing = LibvirtDeviceBench(Site(kernel=_Racing(host)))
    racing.make_ready(ALICE, VGPU)
    racing.free(ALICE, VGPU)
    waits: list[float] = []
    forgetful = LibvirtDeviceBench(Site(kernel=_Forgetful(host), wait=waits.append))
    forgetful.make_ready(ALICE, VGPU)
    with pytest.raises(HostRefusedError, match="is still there after its removal"):
        forgetful.free(ALICE, VGPU)
