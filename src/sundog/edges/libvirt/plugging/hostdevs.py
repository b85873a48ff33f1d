"""The ``<hostdev>`` elements of a guest, as libvirt tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from lxml import etree

from sundog.core.devices.pci_address import PciAddress

if TYPE_CHECKING:
    from sundog.core.devices.device import Source

# Libvirt's binding and lxml ship no types; a domain and an element by name.
Domain = Any
Element = Any


def document(domain: Domain, flags: int = 0) -> Element:
    """Return a guest as it runs; with VIR_DOMAIN_XML_INACTIVE, its definition."""
    return etree.fromstring(domain.XMLDesc(flags).encode())


def hostdevs(root: Element) -> dict[Source, str]:
    """Return the devices that a guest's document has, each as XML, by source."""
    return {
        source_of(address): etree.tostring(
            address.getparent().getparent(), encoding="unicode", with_tail=False
        )
        for address in root.iterfind("devices/hostdev/source/address")
        if {"uuid", "slot"} & set(address.keys())
    }


def source_of(address: Element) -> Source:
    """Return what a device's source address names: an mdev or a function."""
    if "uuid" in address.keys():  # noqa: SIM118  an element's attributes are no dict
        return UUID(address.get("uuid"))
    parts = (address.get(key, "0") for key in ("domain", "bus", "slot", "function"))
    return PciAddress(*(int(part, 16) for part in parts))
