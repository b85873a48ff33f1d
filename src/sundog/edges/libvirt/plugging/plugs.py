"""Plugging devices into a running guest, and taking them out again.

Both change the guest that runs and its definition. A detach is asked of the guest,
and libvirt shows the device in the running guest until that has let go of it.
Source: virDomainDetachDeviceFlags of
https://libvirt.org/html/libvirt-libvirt-domain.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import libvirt
from lxml import etree

from sundog.core.errors import HostRefusedError, NotAskedError
from sundog.edges.libvirt.connection import one_line
from sundog.edges.libvirt.guest_states import refusing
from sundog.edges.libvirt.guest_xml import METADATA, device_record, hostdev_xml
from sundog.edges.libvirt.kinds.table import kind_of
from sundog.edges.libvirt.plugging.hostdevs import document, hostdevs
from sundog.edges.libvirt.plugging.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sundog.core.devices.device import Source
    from sundog.core.guest_config import ConfigDevice
    from sundog.edges.libvirt.plugging.hostdevs import Domain, Element

_LIVE: Final = libvirt.VIR_DOMAIN_AFFECT_LIVE
_CONFIG: Final = libvirt.VIR_DOMAIN_AFFECT_CONFIG
_DEFINITION: Final = libvirt.VIR_DOMAIN_XML_INACTIVE
_POLL_SECONDS: Final = 0.1
_MOST_POLL_SECONDS: Final = 1.0


def attach(domain: Domain, devices: Sequence[ConfigDevice]) -> None:
    """Plug devices in, and read back that the running guest has them."""
    with refusing("could not attach a device"):
        for device in devices:
            _attach(domain, device)
        _note(domain, devices, without=())


def _attach(domain: Domain, device: ConfigDevice) -> None:
    source = kind_of(device.kind).hostdev(device).source
    running = document(domain)
    lacks = 0 if source in hostdevs(running) else _LIVE
    lacks |= 0 if source in hostdevs(document(domain, _DEFINITION)) else _CONFIG
    if lacks:
        port = free_port(running, device)
        text = etree.tostring(hostdev_xml(device, port), encoding="unicode")
        domain.attachDeviceFlags(text, lacks)
    if source not in hostdevs(document(domain)):
        raise HostRefusedError(
            f"libvirt took the order to attach {device.slot} but the guest has no "
            f"{source}"
        )


def detach(
    domain: Domain,
    devices: Sequence[ConfigDevice],
    patience: float,
    wait: Callable[[float], None],
) -> frozenset[str]:
    """Ask a guest to let go of devices; returns the slots of those that it has not."""
    sources = {kind_of(each.kind).hostdev(each).source: each for each in devices}
    with refusing("could not tell what the guest has"):
        for source in sources:
            _ask(domain, source)
        there = _still_there(domain, sources)
        waited, pause = 0.0, _POLL_SECONDS
        while there and waited < patience:
            wait(pause)
            waited, pause = waited + pause, min(2 * pause, _MOST_POLL_SECONDS)
            there = _still_there(domain, sources)
        gone = frozenset(
            each.slot for source, each in sources.items() if source not in there
        )
        _note(domain, (), without=gone)
    return gone


def _ask(domain: Domain, source: Source) -> None:
    """Ask for one device; not there is fine, and so is one asked for before."""
    running = hostdevs(document(domain)) if domain.isActive() else {}
    defined = hostdevs(document(domain, _DEFINITION))
    flags = (_LIVE if source in running else 0) | (_CONFIG if source in defined else 0)
    if not flags:
        return
    text = running.get(source) or defined[source]
    try:
        domain.detachDeviceFlags(text, flags)
    except libvirt.libvirtError as error:
        # What its definition has no more was asked for: it may not be asked twice.
        is_gone = error.get_error_code() == libvirt.VIR_ERR_DEVICE_MISSING
        if not is_gone and flags & _CONFIG:
            raise NotAskedError(
                f"libvirt could not detach a device: {one_line(error)}"
            ) from error


def _still_there(
    domain: Domain, sources: Mapping[Source, ConfigDevice]
) -> frozenset[Source]:
    """Return which devices the running guest has; none once it has ended."""
    if not domain.isActive():
        return frozenset()
    return frozenset(sources) & hostdevs(document(domain)).keys()


def _note(
    domain: Domain, more: Sequence[ConfigDevice], without: Collection[str]
) -> None:
    """Keep the guest's own record of what its devices serve."""
    own = document(domain, _DEFINITION).find(f"metadata/{{{METADATA}}}server")
    if own is None:
        return
    known = {each.slot for each in more}
    for each in _records(own):
        if each.get("slot") in known.union(without):
            own.remove(each)
    own.extend(device_record(each) for each in more)
    text = etree.tostring(_plain(own), encoding="unicode")
    flags = _CONFIG | (_LIVE if domain.isActive() else 0)
    kind = libvirt.VIR_DOMAIN_METADATA_ELEMENT
    domain.setMetadata(kind, text, "sundog", METADATA, flags)


def _plain(element: Element) -> Element:
    """Leave the namespace out: libvirt puts it in, and takes none that is there."""
    plain = etree.Element(etree.QName(element).localname, dict(element.attrib))
    plain.text = element.text
    plain.extend(_plain(each) for each in element)
    return plain


def _records(own: Element) -> Sequence[Element]:
    return list(own.iterfind(f"{{{METADATA}}}device"))
