"""From node-device XML to what the core works on; bad readings become reasons."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from uuid import UUID

from lxml import etree

from sundog.core.devices.device import DeviceKind, Mdev, MdevType, PciFunction
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.host_snapshot import Problem
from sundog.edges.libvirt import type_description
from sundog.edges.libvirt.node_device_xml import (
    FunctionCapabilityXml,
    MdevDeviceXml,
    MdevTypeXml,
    NetDeviceXml,
    PciDeviceXml,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Describe = Callable[[PciAddress, str], str]

UNREAD_ID: Final = "0000"
_NAME: Final = re.compile(r"<name>\s*([\w.:-]{1,200})\s*</name>", re.ASCII)
_LONGEST_REASON: Final = 300
_BRIDGES: Final = frozenset({"pci-bridge", "cardbus-bridge"})
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetDevice:
    """A network interface and the node device that it lives on."""

    parent: str
    interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDevices:
    """What a host's node devices say."""

    functions: tuple[PciFunction, ...] = ()
    mdevs: tuple[Mdev, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_node_devices(
    documents: Iterable[str], describe: Describe | None = None
) -> NodeDevices:
    """Read documents in any order; nothing in them raises.

    A PCI function that cannot be read is kept, unavailable, with the reason.
    ``describe`` gives the kernel's description of a parent's mdev type.
    """
    found = [read_node_device(document) for document in documents]
    nets: dict[str, list[str]] = {}
    for net in found:
        if isinstance(net, NetDevice):
            nets.setdefault(net.parent, []).append(net.interface)
    functions = [
        _complete(each, nets, describe)
        for each in found
        if isinstance(each, PciFunction)
    ]
    unread = [
        Problem(where=str(each.address), reason=each.unavailable)
        for each in functions
        if each.unavailable
    ]
    return NodeDevices(
        functions=tuple(sorted(functions, key=lambda each: each.address)),
        mdevs=tuple(each for each in found if isinstance(each, Mdev)),
        problems=(*unread, *(each for each in found if isinstance(each, Problem))),
    )


# Most documents are the same at the next scan; a host of 300 functions is read anew
# in a millisecond then. The bound holds several such hosts in one process.
@lru_cache(maxsize=8192)
def read_node_device(document: str) -> PciFunction | Mdev | NetDevice | Problem | None:
    """Read one document; None for what no one can hand out (bridges, disks, …)."""
    try:
        root = etree.fromstring(document.encode(), _PARSER)
        capability = root.find("capability")
        if capability is None:
            return _unread(document, ValueError("it says no capability"))
        reader = _READERS.get(capability.get("type"))
        return reader(root) if reader else None
    except (etree.XMLSyntaxError, ValueError) as error:
        return _unread(document, error)


def _function(root: etree._Element) -> PciFunction | None:
    xml = PciDeviceXml.from_xml_tree(root)
    pci = xml.capability
    by_type = {each.type: each for each in pci.capabilities}
    if _BRIDGES & by_type.keys():
        return None
    virtual = by_type.get("virt_functions")
    mdev = by_type.get("mdev_types")
    node = pci.numa.node if pci.numa else -1
    kind, parent = _place(by_type.get("phys_function"), virtual)
    return PciFunction(
        address=PciAddress(pci.domain, pci.bus, pci.slot, pci.function),
        vendor_id=_hex4(pci.vendor.id),
        product_id=_hex4(pci.product.id),
        kind=kind,
        product=(pci.product.text or "").strip(),
        numa_nodes=frozenset({node} if node >= 0 else ()),
        parent=parent,
        iommu_group=pci.iommu_group.number if pci.iommu_group else None,
        driver=xml.driver.name if xml.driver else "",
        total_vfs=(virtual.max_count or len(virtual.addresses)) if virtual else 0,
        mdev_types=tuple(_mdev_type(each) for each in mdev.types) if mdev else (),
    )


def _place(
    physical: FunctionCapabilityXml | None, virtual: FunctionCapabilityXml | None
) -> tuple[DeviceKind, PciAddress | None]:
    if physical is not None:
        if not physical.addresses:
            raise ValueError("it is a VF whose PF is not told")
        return DeviceKind.VF, PciAddress.parse(str(physical.addresses[0]))
    return DeviceKind.PCI if virtual is None else DeviceKind.PF, None


def _mdev_type(xml: MdevTypeXml) -> MdevType:
    return MdevType(
        id=xml.id, name=xml.name, device_api=xml.device_api, available=xml.available
    )


def _mdev(root: etree._Element) -> Mdev:
    xml = MdevDeviceXml.from_xml_tree(root)
    # mdev_<uuid>, and from libvirt 7.8 on mdev_<uuid>_<parent>.
    uuid = xml.capability.uuid or "-".join(xml.name.split("_")[1:6])
    group = xml.capability.iommu_group
    return Mdev(
        uuid=UUID(uuid),
        type_id=xml.capability.type.id,
        parent=PciAddress.parse(xml.parent),
        iommu_group=group.number if group else None,
    )


def _net(root: etree._Element) -> NetDevice:
    xml = NetDeviceXml.from_xml_tree(root)
    return NetDevice(parent=xml.parent, interface=xml.capability.interface)


_READERS: Final = {"pci": _function, "mdev": _mdev, "net": _net}


def _complete(
    function: PciFunction, nets: dict[str, list[str]], describe: Describe | None
) -> PciFunction:
    """Add what other documents and the kernel's descriptions say."""
    netdevs = tuple(sorted(nets.get(function.address.node_device, ())))
    types = function.mdev_types
    texts = (
        tuple(describe(function.address, each.id) for each in types) if describe else ()
    )
    return _completed(function, netdevs, texts) if netdevs or texts else function


@lru_cache(maxsize=8192)
def _completed(
    function: PciFunction, netdevs: tuple[str, ...], texts: tuple[str, ...]
) -> PciFunction:
    types = function.mdev_types
    if texts:
        types = tuple(
            replace(
                each,
                total=type_description.total(text),
                size_mb=type_description.size_mb(text),
            )
            for each, text in zip(types, texts, strict=True)
        )
    return replace(function, netdevs=netdevs, mdev_types=types)


def _hex4(text: str) -> str:
    number = int(text, 16)
    if not 0 <= number <= 0xFFFF:  # noqa: PLR2004  a PCI id has 16 bits
        raise ValueError(f"{text!r} is not a PCI id")
    return f"{number:04x}"


def _unread(document: str, error: Exception) -> PciFunction | Problem:
    reason = f"its reading from libvirt cannot be used: {_first_line(error)}"
    name = _NAME.search(document)
    try:
        address = PciAddress.parse(name[1] if name else "")
    except ValueError:
        return Problem(where=name[1] if name else "a node device", reason=reason)
    return PciFunction(
        address=address,
        vendor_id=UNREAD_ID,
        product_id=UNREAD_ID,
        kind=DeviceKind.PCI,
        unavailable=reason,
    )


def _first_line(error: Exception) -> str:
    """Pydantic tells each problem on lines of its own; one line holds the first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = ": ".join(lines[1:3]) if len(lines) > 2 else " ".join(lines)  # noqa: PLR2004  a title line, then the place and the reason
    return told if len(told) <= _LONGEST_REASON else told[:_LONGEST_REASON] + "..."
