"""A simulated host with the libvirt edge on top, as wiring puts them together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from sundog.core.choosing.assignment import DeviceShare
from sundog.core.devices.pci_address import PciAddress
from sundog.edges.libvirt.connection import open_connection
from sundog.edges.libvirt.device_bench import LibvirtDeviceBench
from sundog.edges.libvirt.guest_xml import TEST_DRIVER
from sundog.edges.libvirt.guests import LibvirtGuests
from sundog.edges.libvirt.host_reader import HostIdentity, LibvirtHostReader
from sundog.edges.libvirt.kinds.kind import Site
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host

if TYPE_CHECKING:
    from pathlib import Path

    from sundog.core.devices.device import DeviceKind, Mdev, PciFunction

SPACE = UUID("d5a6d2a4-2d5c-4d4d-8a6e-5a5a9a0f7a11")
ALICE = uuid5(SPACE, "alice")
BOB = uuid5(SPACE, "bob")


@dataclass(kw_only=True)
class World:
    """One host; ``waits`` are the seconds that the bench would have slept."""

    kernel: SimulatedKernel
    reader: LibvirtHostReader
    bench: LibvirtDeviceBench
    guests: LibvirtGuests
    waits: list[float] = field(default_factory=list)

    def function(self, address: str) -> PciFunction:
        """Read one function as a scan finds it."""
        wanted = PciAddress.parse(address)
        return next(f for f in self.reader.scan().functions if f.address == wanted)

    def mdevs(self) -> tuple[Mdev, ...]:
        """Read the mdevs as a scan finds them."""
        return self.reader.scan().mdevs


def open_world(name: str, folder: Path) -> World:
    """Build a shipped host whose guests' driver keeps its file in ``folder``."""
    kernel = SimulatedKernel(read_host_file(shipped_host(name)))
    guests = LibvirtGuests(
        open_connection(write_test_host(kernel, folder)), TEST_DRIVER
    )
    waits: list[float] = []
    identity = HostIdentity(name=name, uuid=uuid5(SPACE, name))
    return World(
        kernel=kernel,
        reader=LibvirtHostReader(identity, kernel),
        bench=LibvirtDeviceBench(
            Site(kernel=kernel, holders=guests.holders, wait=waits.append)
        ),
        guests=guests,
        waits=waits,
    )


def share(
    kind: DeviceKind, address: str, card: str = "", type_id: str = "", number: int = 0
) -> DeviceShare:
    """One device of a guest; its slot follows ``number``."""
    return DeviceShare(
        slot=f"dev-0/{number}",
        alias="dev",
        kind=kind,
        address=PciAddress.parse(address),
        card=PciAddress.parse(card or address),
        resource_class="CUSTOM_X",
        cost=1,
        type_id=type_id,
    )
