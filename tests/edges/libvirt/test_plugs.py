"""Devices are plugged into running guests, and held until guests let go of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import libvirt
import pytest
from lxml import etree
from tests.edges.libvirt.simulated import ALICE, BOB
from tests.edges.libvirt.test_guests import config

from sundog.core.choosing.assignment import mdev_uuid
from sundog.core.devices.device import DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import HostRefusedError
from sundog.core.guest_config import ConfigCell, ConfigDevice
from sundog.core.lives.guest import GuestState
from sundog.edges.libvirt.connection import libvirt_error, open_connection
from sundog.edges.libvirt.guest_buses import SPARE_PORTS
from sundog.edges.libvirt.guest_xml import METADATA, TEST_DRIVER
from sundog.edges.libvirt.guests import LibvirtGuests
from sundog.edges.libvirt.plugging.hostdevs import document, hostdevs
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.host_model import Fault, FaultKind
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.plugging.hot_plug import HotPlug
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

V100 = PciAddress.parse("0000:65:00.0")
T4 = PciAddress.parse("0000:17:00.0")
CARD = ConfigDevice(slot="v100+1/0", alias="v100", kind=DeviceKind.PCI, address=V100)
SLICE = ConfigDevice(
    slot="vGPU/0",
    alias="vGPU",
    kind=DeviceKind.MDEV,
    address=T4,
    type_id="nvidia-232",
    mdev=mdev_uuid(ALICE, "vGPU/0"),
)
CELLS = tuple(
    ConfigCell(
        id=number,
        vcpus=frozenset({number}),
        memory_mb=64,
        host_cells=frozenset({number}),
    )
    for number in range(2)
)


def _bus(address: etree._Element) -> int:
    return int(address.get("bus"), 16)


class Host:
    """A small host whose guests' devices can be plugged; it counts its waits."""

    def __init__(self, folder: Path) -> None:
        self.kernel = SimulatedKernel(read_host_file(shipped_host("small")))
        uri = write_test_host(self.kernel, folder)
        self.connection = HotPlug(open_connection(uri), self.kernel, libvirt_error)
        self.waits: list[float] = []
        self.guests = LibvirtGuests(self.connection, TEST_DRIVER, self.waits.append)

    def ask(
        self, kind: FaultKind, times: int | None = None, card: PciAddress = V100
    ) -> None:
        self.kernel.ask_fault(Fault(kind=kind, card=card, times=times))

    def running(self) -> list[str]:
        """Return what the running guest has by libvirt's word."""
        return [str(source) for source in hostdevs(self._document(0))]

    def defined(self) -> list[str]:
        return [
            str(source)
            for source in hostdevs(self._document(libvirt.VIR_DOMAIN_XML_INACTIVE))
        ]

    def noted(self) -> list[str]:
        """Return the slots in the guest's own record."""
        return [
            each.get("slot")
            for each in self._document(0).iterfind(f".//{{{METADATA}}}device")
        ]

    def cell_of(self, device: ConfigDevice) -> int | None:
        """Return the guest cell that a device's bus is on; None: the default bus."""
        root = self._document(0)
        text = hostdevs(root)[device.mdev or device.address]
        place = etree.fromstring(text).find("address")
        # Libvirt would choose a port, on any bus.
        assert place is not None
        ports = {int(c.get("index")): c for c in root.iterfind(".//controller")}
        # A port without an address is one that libvirt puts on the default bus.
        at = ports[int(place.get("bus"), 16)].find("address")
        return None if at is None else int(ports[_bus(at)].findtext("target/node"))

    def _document(self, flags: int) -> etree._Element:
        return document(self.connection.lookupByUUIDString(str(ALICE)), flags)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Start a host; the mdev of SLICE is made."""
    host = Host(tmp_path)
    host.kernel.create_mdev(T4, SLICE.type_id, mdev_uuid(ALICE, SLICE.slot))
    yield host
    host.connection.close()


def test_a_device_is_plugged_into_the_guest_and_its_definition(host: Host) -> None:
    """Twice is once, and the guest's own record names it."""
    host.guests.start(config(ALICE, SLICE))
    for _ in range(2):
        host.guests.attach(ALICE, [CARD])
        assert host.running() == host.defined() == [str(SLICE.mdev), str(V100)]
        assert host.noted() == [SLICE.slot, CARD.slot]
    assert host.guests.holders() == {SLICE.mdev: ALICE, V100: ALICE}


def test_what_somebody_else_unplugs_is_seen(host: Host) -> None:
    """What was read of the guest before is not believed."""
    host.guests.start(config(ALICE, SLICE, CARD))
    assert host.guests.devices() == {ALICE: {SLICE.mdev, V100}}
    others = LibvirtGuests(host.connection, TEST_DRIVER, host.waits.append)
    assert others.detach(ALICE, [CARD], 1.0) == {CARD.slot}
    assert host.guests.devices() == {ALICE: {SLICE.mdev}}
    assert host.guests.holders() == {SLICE.mdev: ALICE}


def test_a_device_of_another_guest_is_refused(host: Host) -> None:
    """Libvirt's test driver would not."""
    host.guests.start(config(ALICE))
    host.guests.start(config(BOB, CARD))
    with pytest.raises(HostRefusedError, match=f"guest {BOB} has {V100} already"):
        host.guests.attach(ALICE, [CARD])
    assert host.running() == []


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (FaultKind.PLUG_FAILS, "^libvirt could not attach a device: [^\n]*device_add"),
        (FaultKind.PLUG_IGNORED, "took the order to attach .* but the guest has no"),
    ],
)
def test_what_the_guest_does_not_get_is_told(
    host: Host, kind: FaultKind, reason: str
) -> None:
    """What was begun can be taken back."""
    host.guests.start(config(ALICE))
    host.ask(kind, times=1)
    with pytest.raises(HostRefusedError, match=reason):
        host.guests.attach(ALICE, [CARD])
    assert host.guests.detach(ALICE, [CARD], 0) == {CARD.slot}
    assert host.running() == host.defined() == []
    host.guests.attach(ALICE, [CARD])
    assert host.running() == [str(V100)]


def test_a_guest_lets_go_of_a_device(host: Host) -> None:
    """It is gone from the guest, its definition and its record; twice is once."""
    host.guests.start(config(ALICE, SLICE, CARD))
    for _ in range(2):
        assert host.guests.detach(ALICE, [CARD], 1) == {CARD.slot}
        assert host.running() == host.defined() == [str(SLICE.mdev)]
        assert host.noted() == [SLICE.slot]
    assert host.guests.holders() == {SLICE.mdev: ALICE}
    assert host.waits == []


def test_a_guest_that_is_slow_is_waited_for(host: Host) -> None:
    """It is asked once, and looked at until it has let go."""
    host.guests.start(config(ALICE, CARD))
    host.ask(FaultKind.UNPLUG_IGNORED, times=3)
    assert host.guests.detach(ALICE, [CARD], 5) == {CARD.slot}
    assert len(host.waits) == 3


def test_a_guest_that_never_lets_go_keeps_its_device(host: Host) -> None:
    """The wait is bounded; asked again later, it is found to have let go."""
    host.guests.start(config(ALICE, CARD))
    host.ask(FaultKind.UNPLUG_IGNORED)
    for _ in range(2):
        assert host.guests.detach(ALICE, [CARD], 3) == frozenset()
        assert 3 <= sum(host.waits) < 5
        assert (host.running(), host.defined()) == ([str(V100)], [])
        assert host.guests.holders() == {V100: ALICE}
        host.waits.clear()
    host.kernel.clear_faults()
    assert host.guests.detach(ALICE, [CARD], 0) == {CARD.slot}
    assert host.guests.holders() == {}


def test_a_detach_that_libvirt_refuses_is_told(host: Host) -> None:
    """Nothing is begun then."""
    host.guests.start(config(ALICE, CARD))
    domain = host.connection.connection.lookupByUUIDString(str(ALICE))
    plain = LibvirtGuests(host.connection.connection, TEST_DRIVER, host.waits.append)
    with pytest.raises(HostRefusedError, match="libvirt could not detach a device"):
        plain.detach(ALICE, [CARD], 1)
    assert domain.isActive()
    assert host.running() == [str(V100)]


def test_a_guest_that_ended_has_let_go(host: Host) -> None:
    """Whether it is still defined or not; it starts without the device."""
    host.guests.start(config(ALICE, CARD))
    host.ask(FaultKind.UNPLUG_IGNORED)
    assert host.guests.detach(ALICE, [CARD], 0) == frozenset()
    host.guests.power_off(ALICE)
    assert host.guests.detach(ALICE, [CARD], 0) == {CARD.slot}
    assert host.defined() == []
    host.guests.stop(ALICE)
    assert host.guests.detach(ALICE, [CARD], 0) == {CARD.slot}


def test_a_device_appears_on_the_cell_that_it_is_near(host: Host) -> None:
    """Each cell of a guest has empty ports; when they are used up that is told."""
    guest = replace(config(ALICE), vcpus=2, memory_mb=128, cells=CELLS)
    near = replace(SLICE, guest_cell=1)
    host.guests.start(replace(guest, devices=(near,)))
    devices = [
        replace(
            CARD,
            slot=f"vf+1/{number}",
            address=PciAddress(0, 0x3B, 1, number),
            guest_cell=1,
        )
        for number in range(SPARE_PORTS + 1)
    ]
    for device in devices[:-1]:
        host.guests.attach(ALICE, [device])
        assert host.cell_of(device) == 1
    with pytest.raises(HostRefusedError, match="no free PCIe port on its cell 1"):
        host.guests.attach(ALICE, devices[-1:])
    host.guests.detach(ALICE, [near], 0)
    host.guests.attach(ALICE, devices[-1:])
    assert host.cell_of(devices[-1]) == 1
    for number in range(SPARE_PORTS):
        one = replace(CARD, slot=f"far+1/{number}")
        one = replace(one, address=PciAddress(0, 0x3B, 2, number))
        host.guests.attach(ALICE, [one])
        assert host.cell_of(one) is None


def test_what_was_attached_is_saved_and_restored(host: Host) -> None:
    """Devices are out of the guest while its memory is written."""
    host.guests.start(config(ALICE, SLICE))
    host.guests.attach(ALICE, [CARD])
    host.guests.save(ALICE)
    assert host.guests.state(ALICE) is GuestState.SAVED
    host.guests.restore(ALICE)
    assert sorted(host.running()) == sorted([str(SLICE.mdev), str(V100)])
    host.ask(FaultKind.UNPLUG_IGNORED)
    with pytest.raises(HostRefusedError, match="did not let go of its device"):
        host.guests.save(ALICE)
    assert host.guests.state(ALICE) is GuestState.RUNNING
