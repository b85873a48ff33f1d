"""A vGPU is a VF whose type is set, read back, and taken off again."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.edges.libvirt.simulated import ALICE, BOB, World, open_world, share

from sundog.core.devices.device import DeviceKind, MdevType, VgpuPart
from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import HostRefusedError
from sundog.core.guest_config import ConfigDevice, GuestConfig
from sundog.edges.libvirt.device_bench import LibvirtDeviceBench
from sundog.edges.libvirt.host_reader import HostIdentity, LibvirtHostReader
from sundog.edges.libvirt.kinds.kind import Site
from sundog.edges.libvirt.vgpu_folder import VgpuFiles, read_folder, size_mb
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.host_model import Fault, FaultKind
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from sundog.core.choosing.assignment import DeviceShare

L40S = "0000:17:00.0"
ONE_SIZE = "0000:b1:00.0"
HEAD = "ID    : vGPU Name\n"


def vgpu(number: int, type_id: str = "1152", card: str = L40S) -> DeviceShare:
    """Return the share of a card's VF."""
    base = PciAddress.parse(card)
    routing = 4 + number
    address = replace(base, slot=routing >> 3, function=routing & 7)
    return share(DeviceKind.VGPU, str(address), card, type_id, number)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Three L40S with 32 VFs, one of them for one size at a time; an L4."""
    return open_world("vgpu-17", tmp_path)


def fault(kind: FaultKind, card: str = L40S, times: int | None = None) -> Fault:
    return Fault(kind=kind, card=PciAddress.parse(card), times=times)


def set_now(world: World) -> dict[str, str]:
    """Return the VFs that are set, and to what, as a scan finds them."""
    return {
        str(each.address): each.vgpu.current
        for each in world.reader.scan().functions
        if each.vgpu and each.vgpu.current
    }


def start(world: World, consumer: UUID, device: DeviceShare) -> None:
    guest = ConfigDevice(
        slot=device.slot,
        alias=device.alias,
        kind=device.kind,
        address=device.address,
        type_id=device.type_id,
    )
    world.guests.start(
        GuestConfig(
            uuid=consumer,
            name=f"sundog-{consumer}",
            server_name="s",
            flavor_name="f",
            memory_mb=64,
            vcpus=1,
            devices=(guest,),
        )
    )


def test_a_folder_is_read_as_the_driver_writes_it() -> None:
    """A set type that is on no list any more is known by its number alone."""
    files = VgpuFiles("1152\n", HEAD + "1147  : NVIDIA L40S-1Q\n1156 : NVIDIA X\n\n")
    assert read_folder(files) == VgpuPart(
        current="1152",
        types=(
            MdevType(id="1147", name="NVIDIA L40S-1Q", available=1, size_mb=1024),
            MdevType(id="1156", name="NVIDIA X", available=1),
            MdevType(id="1152"),
        ),
    )
    assert read_folder(VgpuFiles("0", HEAD)) == VgpuPart()
    assert read_folder(VgpuFiles(" 00 \n", "")) == VgpuPart()


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("NVIDIA L40S-8Q", 8192),
        ("NVIDIA A100-1-5CME", 5120),
        ("NVIDIA RTX Pro 6000 Blackwell DC-1-24Q", 24576),
        ("NVIDIA H200X-141C", 144384),
        ("NVIDIA L40S-0Q", None),
        ("NVIDIA L40S", None),
        ("NVIDIA X-Y", None),
        ("", None),
    ],
)
def test_a_name_tells_the_framebuffer(name: str, size: int | None) -> None:
    assert size_mb(name) == size


@pytest.mark.parametrize(
    "files",
    [
        VgpuFiles("", HEAD),
        VgpuFiles("none", HEAD),
        VgpuFiles("-1", HEAD),
        VgpuFiles("0", "<html>"),
        VgpuFiles("0", HEAD + "L40S-8Q : 1152"),
        VgpuFiles("0", HEAD + "1152"),
    ],
)
def test_garbage_is_refused(files: VgpuFiles) -> None:
    with pytest.raises(ValueError, match="vgpu_type"):
        read_folder(files)


def test_a_scan_tells_what_each_vf_can_be(world: World) -> None:
    """PFs and cards of other drivers have no folder."""
    functions = world.reader.scan().functions
    vfs = [each for each in functions if each.vgpu is not None]
    assert {str(each.parent) for each in vfs} == {L40S, "0000:98:00.0", ONE_SIZE}
    assert len(vfs) == 3 * 32
    names = {kind.name for kind in vfs[0].types}
    assert {"NVIDIA L40S-1Q", "NVIDIA L40S-48Q"} <= names


def test_a_type_is_set_once_and_taken_off(world: World) -> None:
    """Doing either twice changes nothing."""
    one = vgpu(0)
    world.bench.make_ready(ALICE, one)
    world.bench.make_ready(ALICE, one)
    assert set_now(world) == {"0000:17:00.4": "1152"}
    world.bench.free(ALICE, one)
    world.bench.free(ALICE, one)
    assert set_now(world) == {}


def test_mixed_types_fill_a_card_to_the_last_mb(world: World) -> None:
    """24 and 3 of 8 GiB are 48; one more of one is refused."""
    for number, type_id in enumerate(("1155", "1152", "1152", "1152")):
        world.bench.make_ready(ALICE, vgpu(number, type_id))
    with pytest.raises(HostRefusedError, match=r"17:01.0 cannot be .* 1147 now"):
        world.bench.make_ready(BOB, vgpu(4, "1147"))
    assert sorted(set_now(world).values()) == ["1152", "1152", "1152", "1155"]


def test_one_size_at_a_time_is_the_drivers_word(world: World) -> None:
    """Another series of the same size fits beside the first, another size does not."""
    world.bench.make_ready(ALICE, vgpu(0, "1152", ONE_SIZE))
    world.bench.make_ready(ALICE, vgpu(1, "1161", ONE_SIZE))
    with pytest.raises(HostRefusedError, match=r"beside what is set on 0000:b1:00\.0"):
        world.bench.make_ready(BOB, vgpu(2, "1147", ONE_SIZE))


def test_what_others_set_is_never_touched(world: World) -> None:
    """Neither set over nor taken off."""
    one = vgpu(0)
    world.kernel.set_vgpu_type(one.address, "1155")
    with pytest.raises(HostRefusedError, match="is set to the vGPU type 1155 by other"):
        world.bench.make_ready(ALICE, one)
    world.bench.free(ALICE, one)
    assert set_now(world) == {"0000:17:00.4": "1155"}


def test_a_refused_type_leaves_nothing(world: World) -> None:
    """The driver's refusal is told in the kernel's words."""
    world.kernel.ask_fault(fault(FaultKind.TYPE_FAILS, times=1))
    with pytest.raises(HostRefusedError, match=r"17:00\.4 refused .* 1152: Input/outp"):
        world.bench.make_ready(ALICE, vgpu(0))
    assert set_now(world) == {}
    world.bench.make_ready(ALICE, vgpu(0))


def test_a_type_that_is_lost_is_found_by_reading_back(world: World) -> None:
    """A write that succeeds and does nothing is a failure."""
    world.kernel.ask_fault(fault(FaultKind.TYPE_IGNORED, times=1))
    with pytest.raises(HostRefusedError, match=r"took the order .* but reads 0"):
        world.bench.make_ready(ALICE, vgpu(0))


def test_a_slow_driver_is_waited_for(world: World) -> None:
    """Ten busy seconds are waited out; a driver that never lets go is told."""
    world.bench.make_ready(ALICE, vgpu(0))
    world.kernel.ask_fault(fault(FaultKind.SLOW_RELEASE, times=5))
    world.bench.free(ALICE, vgpu(0))
    assert set_now(world) == {}
    world.bench.make_ready(ALICE, vgpu(0))
    world.kernel.ask_fault(fault(FaultKind.SLOW_RELEASE))
    world.waits.clear()
    with pytest.raises(HostRefusedError, match=r"cannot be taken off .*busy"):
        world.bench.free(ALICE, vgpu(0))
    assert 10 < sum(world.waits) < 30


def test_a_vf_of_another_driver_is_refused(world: World) -> None:
    """Whoever bound it to vfio-pci took its types away; freeing it is fine."""
    one = vgpu(0)
    world.kernel.bind(one.address, "vfio-pci")
    with pytest.raises(HostRefusedError, match="the vendor's driver does not have it"):
        world.bench.make_ready(ALICE, one)
    world.bench.free(ALICE, one)


@pytest.mark.parametrize("kind", [DeviceKind.PF, DeviceKind.VF])
def test_a_guests_function_rules_a_vgpu_out(world: World, kind: DeviceKind) -> None:
    """The VF itself, or its PF, given to a guest as it is."""
    address = L40S if kind is DeviceKind.PF else str(vgpu(0).address)
    start(world, BOB, share(kind, address, L40S))
    with pytest.raises(HostRefusedError, match=f"guest {BOB} has {address}"):
        world.bench.make_ready(ALICE, vgpu(0))
    assert set_now(world) == {}


def test_a_guest_has_its_vf_unmanaged_and_keeps_it(world: World) -> None:
    """While it runs nobody else gets the VF, nor the PF."""
    world.bench.make_ready(ALICE, vgpu(0))
    start(world, ALICE, vgpu(0))
    assert world.guests.holders() == {vgpu(0).address: ALICE}
    with pytest.raises(HostRefusedError, match=f"guest {ALICE} has"):
        world.bench.make_ready(BOB, vgpu(0))
    with pytest.raises(HostRefusedError, match=f"guest {ALICE} has"):
        world.bench.make_ready(BOB, share(DeviceKind.PF, L40S))
    world.bench.make_ready(BOB, vgpu(1))


def test_a_vf_that_is_gone_is_refused_and_free(world: World) -> None:
    """A card that fell off the bus takes its types with it."""
    world.bench.make_ready(ALICE, vgpu(0))
    world.kernel.ask_fault(fault(FaultKind.VANISHES))
    world.bench.free(ALICE, vgpu(0))
    with pytest.raises(HostRefusedError, match="not on the host any more"):
        world.bench.make_ready(ALICE, vgpu(0))
    world.kernel.clear_faults()
    assert set_now(world) == {}


class _Odd(SimulatedKernel):
    """A host whose driver is not as it should be."""

    garbled = ""
    unread = False
    sets = ""
    holds = False

    def vgpu_files(self, function: PciAddress) -> tuple[str, str] | None:
        if self.unread:
            raise OSError(errno.EIO, "Input/output error")
        found = super().vgpu_files(function)
        return (self.garbled, found[1]) if found and self.garbled else found

    def set_vgpu_type(self, function: PciAddress, type_id: str) -> None:
        if type_id == "0" and self.holds:
            return
        super().set_vgpu_type(function, self.sets if type_id != "0" else "0")


def odd() -> tuple[_Odd, LibvirtDeviceBench]:
    kernel = _Odd(read_host_file(shipped_host("vgpu-17")))
    kernel.sets = "1152"
    bench = LibvirtDeviceBench(Site(kernel=kernel, wait=lambda _: None))
    return kernel, bench


def test_another_type_than_was_ordered_is_taken_off() -> None:
    """What we wrote where nothing was is ours to undo."""
    kernel, bench = odd()
    kernel.sets = "1147"
    with pytest.raises(HostRefusedError, match=r"order for .* 1152 but reads 1147"):
        bench.make_ready(ALICE, vgpu(0))
    files = kernel.vgpu_files(vgpu(0).address)
    assert files is not None
    assert files[0] == "0\n"


def test_a_type_that_stays_after_its_end_is_told() -> None:
    """Taking off is read back, too."""
    kernel, bench = odd()
    bench.make_ready(ALICE, vgpu(0))
    kernel.holds = True
    with pytest.raises(HostRefusedError, match="still is the vGPU type 1152 after 0"):
        bench.free(ALICE, vgpu(0))


def test_what_cannot_be_read_is_neither_set_nor_taken_off() -> None:
    """Unknown is not free, and not ours."""
    kernel, bench = odd()
    for garbled, unread, told in (
        ("?", False, "current_vgpu_type holds '\\?'"),
        ("", True, "cannot be read: Input/output error"),
    ):
        kernel.garbled, kernel.unread = garbled, unread
        with pytest.raises(HostRefusedError, match=told):
            bench.make_ready(ALICE, vgpu(0))
        with pytest.raises(HostRefusedError, match=told):
            bench.free(ALICE, vgpu(0))


def test_a_vf_that_cannot_be_read_is_unavailable_with_the_reason() -> None:
    """The others go on."""
    kernel, _ = odd()
    identity = HostIdentity(name="vgpu-17", uuid=ALICE)
    reader = LibvirtHostReader(identity, kernel)
    for garbled, unread, told in (("?", False, "holds '?'"), ("", True, "Input/outp")):
        kernel.garbled, kernel.unread = garbled, unread
        bad = [each for each in reader.scan().functions if each.unavailable]
        assert len(bad) == 3 * 32
        assert all(each.kind is DeviceKind.VF and each.vgpu is None for each in bad)
        assert "its vGPU types cannot be read: " in bad[0].unavailable
        assert told in bad[0].unavailable
