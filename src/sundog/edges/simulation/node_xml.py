"""The simulated kernel's devices, printed as libvirt prints those of a real host.

Source: https://libvirt.org/formatnode.html and libvirt's nodedev.rng.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5
from xml.etree.ElementTree import Element, SubElement, tostring

if TYPE_CHECKING:
    from sundog.core.devices.pci_address import PciAddress
    from sundog.edges.simulation.host_model import FunctionModel, HostModel, MdevModel

_HARDWARE: Final = UUID("6f0a1e52-4d6e-5f0e-9a63-2f5c4f1d7b10")


def mdev_name(uuid: UUID, parent: PciAddress) -> str:
    """Libvirt's name of an mdev, with its parent as libvirt 7.8 and newer add it."""
    base = f"mdev_{uuid}".replace("-", "_")
    return f"{base}_{parent.node_device.removeprefix('pci_')}"


def computer_xml(host_name: str) -> str:
    """Print the root device, which libvirt's test driver insists on."""
    device = Element("device")
    _add(device, "name", "computer")
    capability = _add(device, "capability", type="system")
    hardware = _add(capability, "hardware")
    _add(hardware, "vendor", "Sundog")
    _add(hardware, "version", "simulated")
    _add(hardware, "serial", host_name)
    _add(hardware, "uuid", str(uuid5(_HARDWARE, host_name)))
    firmware = _add(capability, "firmware")
    _add(firmware, "vendor", "Sundog")
    _add(firmware, "version", "simulated")
    _add(firmware, "release_date", "01/01/2026")
    return tostring(device, encoding="unicode")


# A text changes only with what it is printed from; the bounds hold several hosts.
@lru_cache(maxsize=8192)
def function_xml(function: FunctionModel) -> str:
    """Print a PCI function: a card, or one of its VFs."""
    address = function.address
    device = Element("device")
    _add(device, "name", address.node_device)
    _add(device, "path", f"/sys/devices/pci{address.domain:04x}:00/{address}")
    _add(device, "parent", "computer")
    if function.driver:
        _add(_add(device, "driver"), "name", function.driver)
    pci = _add(device, "capability", type="pci")
    _add(pci, "class", function.card.pci_class)
    for part in ("domain", "bus", "slot", "function"):
        _add(pci, part, str(getattr(address, part)))
    product, product_name = _product(function)
    _add(pci, "product", product_name, id=f"0x{product}")
    _add(pci, "vendor", function.card.vendor_name, id=f"0x{function.card.vendor}")
    _sriov(pci, function)
    if function.card.mdev is not None and function.available:
        _mdev_types(pci, function.card.mdev, dict(function.available))
    group = _add(pci, "iommuGroup", number=str(function.group))
    for member in function.group_members or (address,):
        _address(group, member)
    if function.card.node is not None:
        _add(pci, "numa", node=str(function.card.node))
    return tostring(device, encoding="unicode")


@lru_cache(maxsize=8192)
def netdev_xml(interface: str, parent: PciAddress) -> str:
    """Print the network device of a function."""
    low = (parent.bus << 8) + (parent.slot << 3) + parent.function
    tail = f"{parent.domain & 0xFFFF:04x}{low:04x}"
    mac = ":".join(["52", "54", *(tail[at : at + 2] for at in range(0, 8, 2))])
    device = Element("device")
    _add(device, "name", f"net_{interface}_{mac}".replace(":", "_"))
    _add(device, "path", f"/sys/class/net/{interface}")
    _add(device, "parent", parent.node_device)
    capability = _add(device, "capability", type="net")
    _add(capability, "interface", interface)
    _add(capability, "address", mac)
    _add(capability, "link", state="up")
    _add(capability, "capability", type="80203")
    return tostring(device, encoding="unicode")


@lru_cache(maxsize=8192)
def mdev_xml(uuid: UUID, type_id: str, parent: PciAddress, group: int) -> str:
    """Print a mediated device."""
    device = Element("device")
    _add(device, "name", mdev_name(uuid, parent))
    _add(device, "path", f"/sys/bus/mdev/devices/{uuid}")
    _add(device, "parent", parent.node_device)
    _add(_add(device, "driver"), "name", "vfio_mdev")
    capability = _add(device, "capability", type="mdev")
    _add(capability, "type", id=type_id)
    _add(capability, "uuid", str(uuid))
    _add(capability, "iommuGroup", number=str(group))
    return tostring(device, encoding="unicode")


def capabilities_xml(host: HostModel) -> str:
    """Print the host half of libvirt's capabilities."""
    root = Element("capabilities")
    top = _add(root, "host")
    _add(_add(top, "cpu"), "arch", "x86_64")
    cells = _add(_add(top, "topology"), "cells", num=str(len(host.cells)))
    for cell in host.cells:
        element = _add(cells, "cell", id=str(cell.id))
        kib = cell.memory_mb * 1024
        _add(element, "memory", str(kib), unit="KiB")
        huge = sum(size * count for size, count in cell.pages)
        for size, count in ((4, (kib - huge) // 4), *cell.pages):
            _add(element, "pages", str(count), unit="KiB", size=str(size))
        if cell.distances:
            distances = _add(element, "distances")
            for number, value in enumerate(cell.distances):
                _add(distances, "sibling", id=str(number), value=str(value))
        cpus = _add(element, "cpus", num=str(len(cell.cpus)))
        for number, core in enumerate(cell.cores):
            siblings = ",".join(map(str, sorted(core)))
            for cpu in sorted(core):
                _add(
                    cpus,
                    "cpu",
                    id=str(cpu),
                    socket_id=str(cell.socket),
                    die_id="0",
                    core_id=str(number),
                    siblings=siblings,
                )
    return tostring(root, encoding="unicode")


def _product(function: FunctionModel) -> tuple[str, str]:
    card = function.card
    if function.vf_number is None or card.vfs is None:
        return card.product, card.product_name
    return card.vfs.product, card.vfs.product_name


def _sriov(pci: Element, function: FunctionModel) -> None:
    if function.card.vfs is None or function.hides_vfs:
        return
    if function.vf_number is not None:
        _address(_add(pci, "capability", type="phys_function"), function.card.address)
        return
    most = str(function.card.vfs.count)
    virtual = _add(pci, "capability", type="virt_functions", maxCount=most)
    for address in function.vfs:
        _address(virtual, address)


def _mdev_types(pci: Element, mdev: MdevModel, available: dict[str, int]) -> None:
    capability = _add(pci, "capability", type="mdev_types")
    for kind in mdev.types:
        element = _add(capability, "type", id=kind.id)
        if kind.name:
            _add(element, "name", kind.name)
        _add(element, "deviceAPI", mdev.device_api)
        _add(element, "availableInstances", str(available[kind.id]))


def _address(parent: Element, address: PciAddress) -> None:
    _add(
        parent,
        "address",
        domain=f"0x{address.domain:04x}",
        bus=f"0x{address.bus:02x}",
        slot=f"0x{address.slot:02x}",
        function=f"0x{address.function:x}",
    )


def _add(parent: Element, tag: str, text: str = "", **attributes: str) -> Element:
    element = SubElement(parent, tag, attributes)
    if text:
        element.text = text
    return element
