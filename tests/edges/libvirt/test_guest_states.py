"""Guests are ended, paused, saved and restored, and their devices with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libvirt
import pytest
from lxml import etree
from tests.edges.libvirt.simulated import ALICE
from tests.edges.libvirt.test_guests import VF, VGPU, config

from sundog.core.errors import HostRefusedError
from sundog.core.lives.guest import GuestState
from sundog.edges.libvirt import guest_states
from sundog.edges.libvirt.connection import Connection, open_connection
from sundog.edges.libvirt.guest_xml import TEST_DRIVER
from sundog.edges.libvirt.guests import LibvirtGuests

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Open libvirt's test driver; a process shares the host of this URI."""
    connection = open_connection("test:///default")
    yield connection
    # Somebody may still refer to it, and then its guests would live on.
    for domain in connection.listAllDomains():
        if domain.isActive():
            domain.destroy()
        if domain.hasManagedSaveImage():
            domain.managedSaveRemove()
        domain.undefine()
    connection.close()


@pytest.fixture
def guests(connection: Connection) -> LibvirtGuests:
    """Return its guests; nothing waits."""
    return LibvirtGuests(connection, TEST_DRIVER, wait=lambda _: None)


def test_a_guest_that_is_powered_off_stays_defined(guests: LibvirtGuests) -> None:
    """It starts again from a definition that is written anew."""
    guests.start(config(ALICE, VF))
    guests.power_off(ALICE, grace_seconds=1)
    guests.power_off(ALICE)
    assert guests.state(ALICE) is GuestState.OFF
    assert guests.running() == frozenset()
    guests.start(config(ALICE, VGPU))
    assert guests.state(ALICE) is GuestState.RUNNING
    assert list(guests.holders()) == [VGPU.mdev]


def test_a_guest_that_is_not_there_is_told(guests: LibvirtGuests) -> None:
    """Its state is absent, and nothing can be done to it."""
    assert guests.state(ALICE) is GuestState.ABSENT
    for call in (guests.power_off, guests.pause, guests.save, guests.restore):
        with pytest.raises(HostRefusedError, match=f"guest {ALICE} is not there"):
            call(ALICE)


def test_a_paused_guest_goes_on(guests: LibvirtGuests) -> None:
    """It keeps its devices; what is not running cannot be paused."""
    guests.start(config(ALICE, VF))
    guests.pause(ALICE)
    assert guests.state(ALICE) is GuestState.PAUSED
    assert guests.holders() == {VF.address: ALICE}
    with pytest.raises(HostRefusedError, match=r"^libvirt could not pause [^\n]+$"):
        guests.pause(ALICE)
    guests.unpause(ALICE)
    assert guests.state(ALICE) is GuestState.RUNNING
    with pytest.raises(HostRefusedError, match=r"^libvirt could not unpause [^\n]+$"):
        guests.unpause(ALICE)


def test_a_saved_guest_comes_back_with_its_devices(guests: LibvirtGuests) -> None:
    """The test driver cannot detach, and saves guests with their devices."""
    guests.start(config(ALICE, VF, VGPU))
    guests.save(ALICE)
    assert guests.state(ALICE) is GuestState.SAVED
    assert guests.holders() == {}
    guests.restore(ALICE)
    assert guests.state(ALICE) is GuestState.RUNNING
    assert guests.holders() == {VF.address: ALICE, VGPU.mdev: ALICE}


@pytest.mark.parametrize("leave", ["power_off", "stop"])
def test_saved_memory_is_dropped_with_its_guest(
    guests: LibvirtGuests, leave: str
) -> None:
    """A guest that is ended while it is saved starts anew."""
    guests.start(config(ALICE))
    guests.save(ALICE)
    getattr(guests, leave)(ALICE)
    left = GuestState.OFF if leave == "power_off" else GuestState.ABSENT
    assert guests.state(ALICE) is left


class Plugged:
    """A domain whose devices can be detached, as QEMU's can, over the test driver's.

    ``keeps`` never lets go of a device; ``full`` finds no room to save.
    """

    def __init__(self, domain: Any, *, keeps: bool = False, full: bool = False) -> None:
        self._domain = domain
        self._keeps = keeps
        self._full = full
        self.gone: list[str] = []
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._domain, name)

    def XMLDesc(self, flags: int = 0) -> str:  # noqa: N802  libvirt's name
        root = etree.fromstring(self._domain.XMLDesc(flags).encode())
        if not flags & libvirt.VIR_DOMAIN_XML_INACTIVE:
            for each in root.findall("devices/hostdev"):
                if source(each) in self.gone:
                    each.getparent().remove(each)
        return str(etree.tostring(root, encoding="unicode"))

    def detachDeviceFlags(self, device: str, _: int) -> None:  # noqa: N802  libvirt's name
        self.calls.append("detach")
        if not self._keeps:
            self.gone.append(source(etree.fromstring(device)))

    def attachDeviceFlags(self, device: str, _: int) -> None:  # noqa: N802  libvirt's name
        self.calls.append("attach")
        self.gone.remove(source(etree.fromstring(device)))

    def managedSave(self) -> None:  # noqa: N802  libvirt's name
        self.calls.append("save")
        if self._full:
            raise libvirt.libvirtError("no space left on device")
        self._domain.managedSave()


def source(device: Any) -> str:
    return str(etree.tostring(device.find("source/address")).strip())


def test_devices_are_detached_before_saving_and_attached_after(
    guests: LibvirtGuests, connection: Connection
) -> None:
    """Each is gone before the memory is written, as libvirt demands."""
    guests.start(config(ALICE, VF, VGPU))
    domain = Plugged(connection.lookupByUUIDString(str(ALICE)))
    guest_states.save(domain, lambda _: None)
    assert domain.calls == ["detach", "detach", "save"]
    guest_states.restore(domain)
    assert domain.calls[3:] == ["attach", "attach"]
    assert domain.gone == []


def test_a_save_that_fails_attaches_all_again(
    guests: LibvirtGuests, connection: Connection
) -> None:
    """The guest runs on with what it had."""
    guests.start(config(ALICE, VF, VGPU))
    domain = Plugged(connection.lookupByUUIDString(str(ALICE)), full=True)
    with pytest.raises(HostRefusedError, match="could not suspend"):
        guest_states.save(domain, lambda _: None)
    assert domain.gone == []
    assert guests.state(ALICE) is GuestState.RUNNING


def test_a_device_that_stays_stops_the_save(
    guests: LibvirtGuests, connection: Connection
) -> None:
    """A detach counts only when libvirt shows the device no more."""
    guests.start(config(ALICE, VF))
    domain = Plugged(connection.lookupByUUIDString(str(ALICE)), keeps=True)
    with pytest.raises(HostRefusedError, match="did not let go of its device"):
        guest_states.save(domain, lambda _: None)
    assert domain.calls[0] == "detach"
    assert "save" not in domain.calls


class Stubborn:
    """A domain that hears a shutdown and goes on; ``deaf`` refuses to be asked."""

    def __init__(self, domain: Any, *, deaf: bool) -> None:
        self._domain = domain
        self._deaf = deaf

    def __getattr__(self, name: str) -> Any:
        return getattr(self._domain, name)

    def shutdown(self) -> None:
        if self._deaf:
            raise libvirt.libvirtError("no agent")


@pytest.mark.parametrize(("deaf", "waits"), [(True, 0), (False, 5)])
def test_a_guest_that_does_not_shut_down_is_ended(
    guests: LibvirtGuests, connection: Connection, waits: int, *, deaf: bool
) -> None:
    """It gets its grace and no more."""
    guests.start(config(ALICE))
    slept: list[float] = []
    domain = Stubborn(connection.lookupByUUIDString(str(ALICE)), deaf=deaf)
    guest_states.power_off(domain, 1.0, slept.append)
    assert len(slept) == waits
    assert guests.state(ALICE) is GuestState.OFF
