"""Guests start whole or not at all, and stop for good."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import pytest
from tests.edges.libvirt.simulated import ALICE, BOB, SPACE

from sundog.core.devices.device import DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import HostRefusedError, UnavailableError
from sundog.core.guest_config import ConfigCell, ConfigDevice, GuestConfig
from sundog.edges.libvirt.connection import Connection, open_connection
from sundog.edges.libvirt.guest_xml import TEST_DRIVER
from sundog.edges.libvirt.guests import LibvirtGuests
from sundog.edges.simulation.consoles import SimulatedConsoles
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VF = ConfigDevice(
    slot="nic-0/0", alias="nic", kind=DeviceKind.VF, address=PciAddress(0, 59, 2, 0)
)
VGPU = ConfigDevice(
    slot="gpu-0/0",
    alias="gpu",
    kind=DeviceKind.MDEV,
    address=PciAddress(0, 23, 0, 0),
    type_id="nvidia-230",
    mdev=SPACE,
)
FOREIGN = """
<domain type='test'><name>foreign</name><uuid>{uuid}</uuid>
<memory unit='MiB'>64</memory><os><type arch='i686'>hvm</type></os>
<devices><hostdev mode='subsystem' type='pci' managed='yes'><source>
<address domain='0x0' bus='0x3b' slot='0x2' function='0x0'/></source></hostdev>
</devices></domain>"""


def config(consumer: UUID, *devices: ConfigDevice) -> GuestConfig:
    return GuestConfig(
        uuid=consumer,
        name=f"sundog-{consumer}",
        server_name="server",
        flavor_name="flavor",
        memory_mb=64,
        vcpus=1,
        devices=devices,
    )


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """Open a small host's test driver."""
    kernel = SimulatedKernel(read_host_file(shipped_host("small")))
    connection = open_connection(write_test_host(kernel, tmp_path))
    yield connection
    connection.close()


@pytest.fixture
def guests(connection: Connection) -> LibvirtGuests:
    """Guests of that host."""
    return LibvirtGuests(connection, TEST_DRIVER)


def test_a_guest_runs_until_it_is_stopped(
    guests: LibvirtGuests, connection: Connection
) -> None:
    """It is defined while it runs, and nothing is left of it afterwards."""
    guests.start(config(ALICE, VF, VGPU))
    assert guests.running() == {ALICE}
    assert guests.holders() == {VF.address: ALICE, SPACE: ALICE}
    guests.stop(ALICE)
    guests.stop(ALICE)
    assert guests.running() == frozenset()
    assert guests.holders() == {}
    assert connection.listAllDomains() == []


def test_what_our_guests_have_is_told(
    guests: LibvirtGuests, connection: Connection
) -> None:
    """By the names that libvirt has; what others' guests have is not."""
    connection.createXML(FOREIGN.format(uuid=BOB))
    assert guests.devices() == {}
    guests.start(config(ALICE, VGPU))
    assert guests.devices() == {ALICE: {SPACE}}


def test_stopping_undefines_a_guest_that_died(
    guests: LibvirtGuests, connection: Connection
) -> None:
    """A guest that ended by itself does not count as running and can be removed."""
    guests.start(config(ALICE))
    connection.lookupByUUIDString(str(ALICE)).destroy()
    assert guests.running() == frozenset()
    guests.stop(ALICE)
    assert connection.listAllDomains() == []


def test_guests_of_others_are_told_apart(
    guests: LibvirtGuests, connection: Connection
) -> None:
    """A foreign guest does not count as ours, but what it has is not free."""
    connection.createXML(FOREIGN.format(uuid=BOB))
    assert guests.running() == frozenset()
    assert guests.holders() == {VF.address: BOB}
    with pytest.raises(HostRefusedError, match=f"guest {BOB} has 0000:3b:02"):
        guests.start(config(ALICE, VF))
    assert [each.UUIDString() for each in connection.listAllDomains()] == [str(BOB)]


def test_a_running_guest_is_not_started_again(guests: LibvirtGuests) -> None:
    """The second start is refused and the guest goes on."""
    guests.start(config(ALICE))
    with pytest.raises(HostRefusedError, match="runs already"):
        guests.start(config(ALICE))
    assert guests.running() == {ALICE}


def test_a_refused_definition_leaves_nothing(
    guests: LibvirtGuests, connection: Connection
) -> None:
    """Libvirt's own reason is told in one line."""
    cell = ConfigCell(
        id=3, vcpus=frozenset({0}), memory_mb=64, host_cells=frozenset({0})
    )
    with pytest.raises(HostRefusedError, match=r"refused the guest's definition: .+"):
        guests.start(replace(config(ALICE), cells=(cell,)))
    assert connection.listAllDomains() == []


def test_a_name_that_is_taken_is_refused(
    guests: LibvirtGuests, connection: Connection
) -> None:
    """The guest that has the name goes on."""
    guests.start(config(ALICE))
    clash = replace(config(BOB), name=f"sundog-{ALICE}")
    with pytest.raises(HostRefusedError, match=r"^libvirt refused [^\n]+$"):
        guests.start(clash)
    assert [each.UUIDString() for each in connection.listAllDomains()] == [str(ALICE)]
    assert guests.running() == {ALICE}


class _Meddled:
    """A connection on which another hand starts what was just defined."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def defineXML(self, text: str) -> object:  # noqa: N802  libvirt's name
        domain = self._connection.defineXML(text)
        self._connection.lookupByUUIDString(domain.UUIDString()).create()
        return domain


def test_a_start_that_fails_leaves_nothing(connection: Connection) -> None:
    """A guest that was defined and cannot be started is told and is not there."""
    guests = LibvirtGuests(_Meddled(connection), TEST_DRIVER)
    with pytest.raises(HostRefusedError, match=r"^libvirt could not start [^\n]+$"):
        guests.start(config(ALICE))
    assert connection.listAllDomains() == []


def test_a_libvirt_that_went_away_is_never_read_as_no_guests(
    guests: LibvirtGuests, connection: Connection
) -> None:
    """Every call says that libvirt could not do it, in one line."""
    guests.start(config(ALICE))
    closed = open_connection("test:///default")
    closed.close()
    away = LibvirtGuests(closed, TEST_DRIVER)
    for call in (
        away.running,
        away.holders,
        lambda: away.stop(ALICE),
        lambda: away.start(config(BOB)),
    ):
        with pytest.raises(HostRefusedError, match=r"^libvirt could not [^\n]+$"):
            call()
    assert len(connection.listAllDomains()) == 1


def test_many_guests_at_once(guests: LibvirtGuests) -> None:
    """Threads may start and stop guests of one host together."""
    consumers = [uuid5(SPACE, str(number)) for number in range(24)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: guests.start(config(each)), consumers))
        assert guests.running() == set(consumers)
        list(pool.map(guests.stop, consumers))
    assert guests.running() == frozenset()


def test_a_libvirt_that_is_away_is_unavailable() -> None:
    """Opening a connection to nothing tells the address and libvirt's reason."""
    with pytest.raises(UnavailableError, match=r"^libvirt at test:///no/such: [^\n]+$"):
        open_connection("test:///no/such")


def test_what_a_running_guest_takes_is_counted(
    guests: LibvirtGuests, connection: Connection
) -> None:
    guests.start(replace(config(ALICE), vcpus=2))
    figures = guests.figures(ALICE)
    assert figures.hypervisor == "test"
    assert len(figures.cpu_ns) == 2
    assert all(time > 0 for time in figures.cpu_ns)
    assert figures.memory_kb == 64 * 1024
    assert figures.used_kb is None
    assert figures.disks == ()
    balloon = "<memballoon model='virtio'/></devices>"
    text = FOREIGN.format(uuid=BOB).replace("</devices>", balloon)
    connection.createXML(text)
    assert guests.figures(BOB).used_kb == 32 * 1024
    with pytest.raises(HostRefusedError, match="is not there"):
        guests.figures(UUID(int=7))


def test_disks_are_counted_by_name(
    guests: LibvirtGuests, connection: Connection
) -> None:
    disk = "<disk type='file'><source file='/x'/><target dev='vda'/></disk>"
    text = FOREIGN.format(uuid=BOB).replace("</devices>", f"{disk}</devices>")
    connection.createXML(text)
    (figures,) = guests.figures(BOB).disks
    assert figures.name == "vda"
    assert figures.read_bytes > 0


def test_a_definition_is_told_while_there_is_one(guests: LibvirtGuests) -> None:
    assert guests.definition(ALICE) is None
    guests.start(config(ALICE))
    assert str(ALICE) in (guests.definition(ALICE) or "")


def test_a_simulated_guest_says_what_it_would_find(guests: LibvirtGuests) -> None:
    consoles = SimulatedConsoles(guests.definition)
    assert consoles.console(ALICE) is None
    guests.start(config(ALICE))
    lines = (consoles.console(ALICE) or "").split("\n")
    assert lines[1:] == [
        "Machine hvm, 1 CPU",
        "Memory 64 MiB",
        "NUMA: no cells",
        "PCI: no devices of the host",
        "",
        "server login: ",
    ]
    cell = ConfigCell(
        id=0, vcpus=frozenset({0, 1}), memory_mb=64, host_cells=frozenset({0})
    )
    guests.start(replace(config(BOB, VF, VGPU), vcpus=2, cells=(cell,)))
    said = consoles.console(BOB) or ""
    assert "2 CPUs" in said
    assert "NUMA: cell 0 with CPUs 0-1" in said
    assert "PCI: nic-0/0 is a type-VF of 0000:3b:02.0" in said
    assert "PCI: gpu-0/0 is a type-MDEV nvidia-230 of 0000:17:00.0" in said
