"""Hot-plug for libvirt's test driver, which has no calls for it.

It stands between the driver's connection and whoever uses it, and passes everything
on but what concerns devices of running guests. That behaves as QEMU's driver does: a
device is plugged into the running guest, the definition, or both; a guest that is
asked to let go of a device has it until it does; what was let go of before a guest
was saved is not there when it is restored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from xml.etree.ElementTree import (
    Element,
    fromstring,
    register_namespace,
    tostring,
)

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.simulation.host_model import FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from sundog.edges.simulation.kernel import SimulatedKernel

# Numbers of libvirt's API, which only the edge of its name imports.
_LIVE: Final = 1  # VIR_DOMAIN_AFFECT_LIVE
_CONFIG: Final = 2  # VIR_DOMAIN_AFFECT_CONFIG
_INACTIVE: Final = 2  # VIR_DOMAIN_XML_INACTIVE
# The prefix that guests' own metadata is written with stays what it is.
register_namespace("sundog", "urn:sundog:guest:1")

Source = PciAddress | UUID
# Libvirt's binding ships no types; its connection and domain by name.
Connection = Any
Domain = Any


@dataclass(slots=True)
class _Plugs:
    """How a running guest's devices differ from those that it started with.

    ``asked`` are those that the guest was asked to let go of and has not yet.
    """

    more: dict[Source, Element] = field(default_factory=dict)
    gone: set[Source] = field(default_factory=set)
    asked: set[Source] = field(default_factory=set)


class HotPlug:
    """A connection of the test driver whose guests' devices can be plugged.

    ``error`` makes an error of libvirt's of a message.
    """

    def __init__(
        self,
        connection: Connection,
        kernel: SimulatedKernel,
        error: Callable[[str], Exception],
    ) -> None:
        """Plug devices of ``kernel``, with the faults that are asked of it."""
        self.connection = connection
        self.kernel = kernel
        self.error = error
        self.lock = RLock()
        self._running: dict[str, tuple[int, _Plugs]] = {}
        self._saved: dict[str, set[Source]] = {}

    def __getattr__(self, name: str) -> Connection:
        """Pass on what has nothing to do with devices."""
        return getattr(self.connection, name)

    def lookupByUUIDString(self, text: str) -> Domain:  # noqa: N802  libvirt's name
        """Find a guest."""
        return PluggedDomain(self, self.connection.lookupByUUIDString(text))

    def defineXML(self, text: str) -> Domain:  # noqa: N802  libvirt's name
        """Define a guest."""
        return PluggedDomain(self, self.connection.defineXML(text))

    def listAllDomains(self, flags: int = 0) -> list[Domain]:  # noqa: N802  libvirt's name
        """List the guests."""
        found = self.connection.listAllDomains(flags)
        return [PluggedDomain(self, domain) for domain in found]

    def plugs(self, domain: Domain) -> _Plugs:
        """Return what was plugged since a guest started: each start has a number."""
        number, plugs = self._running.get(domain.UUIDString(), (None, _Plugs()))
        if number != domain.ID():
            plugs = _Plugs()
            self._running[domain.UUIDString()] = (domain.ID(), plugs)
        return plugs

    def keep_saved(self, domain: Domain) -> None:
        """Remember what a guest has not when its memory is saved."""
        self._saved[domain.UUIDString()] = set(self.plugs(domain).gone)

    def take_saved(self, domain: Domain) -> set[Source]:
        """Forget a saved guest; returns what it had let go of."""
        return self._saved.pop(domain.UUIDString(), set())


class PluggedDomain:
    """A guest of the test driver whose devices can be plugged."""

    def __init__(self, host: HotPlug, domain: Domain) -> None:
        """Stand before a guest."""
        self._host = host
        self._domain = domain

    def __getattr__(self, name: str) -> Domain:
        """Pass on what has nothing to do with devices."""
        return getattr(self._domain, name)

    def XMLDesc(self, flags: int = 0) -> str:  # noqa: N802  libvirt's name
        """Return the definition, or the guest as it runs."""
        text: str = self._domain.XMLDesc(flags)
        if flags & _INACTIVE or not self._domain.isActive():
            return text
        with self._host.lock:
            plugs = self._host.plugs(self._domain)
            self._let_go(plugs)
            if not plugs.more and not plugs.gone:
                return text
            root = fromstring(text)  # noqa: S314  libvirt wrote it
            devices = _devices(root)
            for source, each in _hostdevs(root).items():
                if source in plugs.gone:
                    devices.remove(each)
            devices.extend(plugs.more.values())
            return tostring(root, encoding="unicode")

    def attachDeviceFlags(self, text: str, flags: int) -> None:  # noqa: N802  libvirt's name
        """Plug a device in."""
        element = fromstring(text)  # noqa: S314  our own libvirt edge wrote it
        source = _source(element)
        with self._host.lock:
            if flags & _LIVE:
                if self._fails(FaultKind.PLUG_FAILS, source):
                    raise self._host.error(
                        "internal error: unable to execute QEMU command 'device_add': "
                        f"vfio {source}: no such host device"
                    )
                self._check_port(element)
            if flags & _CONFIG:
                root = fromstring(self._domain.XMLDesc(_INACTIVE))  # noqa: S314  libvirt wrote it
                _devices(root).append(element)
                self._host.connection.defineXML(tostring(root, encoding="unicode"))
            if flags & _LIVE and not self._fails(FaultKind.PLUG_IGNORED, source):
                plugs = self._host.plugs(self._domain)
                if source in plugs.gone:
                    plugs.gone.discard(source)
                else:
                    plugs.more[source] = element

    def detachDeviceFlags(self, text: str, flags: int) -> None:  # noqa: N802  libvirt's name
        """Take a device out of the definition, and ask the guest to let go of it."""
        source = _source(fromstring(text))  # noqa: S314  libvirt wrote it
        with self._host.lock:
            if flags & _CONFIG:
                root = fromstring(self._domain.XMLDesc(_INACTIVE))  # noqa: S314  libvirt wrote it
                _devices(root).remove(_hostdevs(root)[source])
                self._host.connection.defineXML(tostring(root, encoding="unicode"))
            if flags & _LIVE:
                plugs = self._host.plugs(self._domain)
                if source in plugs.asked:
                    raise self._host.error(
                        "operation failed: Device is already in the process of unplug"
                    )
                plugs.asked.add(source)

    def managedSave(self, flags: int = 0) -> None:  # noqa: N802  libvirt's name
        """Save the guest's memory, without what it let go of."""
        with self._host.lock:
            self._host.keep_saved(self._domain)
            self._domain.managedSave(flags)

    def managedSaveRemove(self, flags: int = 0) -> None:  # noqa: N802  libvirt's name
        """Forget the guest's memory."""
        with self._host.lock:
            self._domain.managedSaveRemove(flags)
            self._host.take_saved(self._domain)

    def create(self) -> None:
        """Start the guest, from its memory if that was saved."""
        with self._host.lock:
            is_saved = self._domain.hasManagedSaveImage()
            self._domain.create()
            gone = self._host.take_saved(self._domain)
            if is_saved:
                self._host.plugs(self._domain).gone |= gone

    def _let_go(self, plugs: _Plugs) -> None:
        """Let the guest let go of what it was asked for, unless it does not hear."""
        for source in list(plugs.asked):
            if self._fails(FaultKind.UNPLUG_IGNORED, source):
                continue
            plugs.asked.discard(source)
            if plugs.more.pop(source, None) is None:
                plugs.gone.add(source)

    def _fails(self, kind: FaultKind, source: Source) -> bool:
        return self._host.kernel.strike(kind, source)

    def _check_port(self, element: Element) -> None:
        """Refuse a port that the running guest has not, or has in use."""
        place = element.find("address")
        if place is None:
            return
        bus = int(place.get("bus", "0"), 16)
        running = fromstring(self.XMLDesc())  # noqa: S314  libvirt wrote it
        ports = {
            int(each.get("index", "-1")) for each in running.iterfind(".//controller")
        }
        taken = {
            int(each.get("bus", "0"), 16)
            for each in running.iterfind("devices/hostdev/address")
        }
        if bus not in ports or bus in taken:
            raise self._host.error(f"XML error: PCI bus {bus} has no free slot")


def _devices(root: Element) -> Element:
    found = root.find("devices")
    assert found is not None  # noqa: S101  libvirt writes it in every document
    return found


def _hostdevs(root: Element) -> dict[Source, Element]:
    return {_source(each): each for each in root.iterfind("devices/hostdev")}


def _source(hostdev: Element) -> Source:
    address = hostdev.find("source/address")
    assert address is not None  # noqa: S101  libvirt demands it
    name = address.get("uuid")
    if name:
        return UUID(name)
    parts = (address.get(key, "0") for key in ("domain", "bus", "slot", "function"))
    return PciAddress(*(int(part, 16) for part in parts))
