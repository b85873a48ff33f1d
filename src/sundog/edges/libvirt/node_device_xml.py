"""Libvirt's node-device XML, declared once.

Source: https://libvirt.org/formatnode.html and libvirt's nodedev.rng. Only what
Sundog uses is declared; the rest of a document is passed over.
"""

from __future__ import annotations

from pydantic_xml import BaseXmlModel, attr, element


class _Xml(BaseXmlModel, search_mode="unordered"):
    """Any order, other elements passed over."""


class AddressXml(_Xml, tag="address"):
    """A PCI address, each part in hex."""

    domain: str = attr()
    bus: str = attr()
    slot: str = attr()
    function: str = attr()

    def __str__(self) -> str:
        """Print it in the kernel's order; each part as it was written."""
        parts = [
            part.removeprefix("0x")
            for part in (self.domain, self.bus, self.slot, self.function)
        ]
        return "{}:{}:{}.{}".format(*parts)


class IdXml(_Xml):
    """An element with an ``id`` and perhaps a name for people."""

    id: str = attr()
    text: str | None = None


class MdevTypeXml(_Xml, tag="type"):
    """A type that a function may make."""

    id: str = attr()
    name: str = element(default="")
    device_api: str = element(tag="deviceAPI", default="vfio-pci")
    available: int = element(tag="availableInstances", ge=0)


class FunctionCapabilityXml(_Xml, tag="capability"):
    """``virt_functions``, ``phys_function``, ``mdev_types``, or another."""

    type: str = attr()
    max_count: int | None = attr(name="maxCount", default=None)
    addresses: list[AddressXml] = element(tag="address", default_factory=list)
    types: list[MdevTypeXml] = element(tag="type", default_factory=list)


class IommuGroupXml(_Xml, tag="iommuGroup"):
    """The group that a device shares with those listed in it."""

    number: int = attr()


class NumaXml(_Xml, tag="numa"):
    """The NUMA node; -1 or nothing when the firmware does not tell."""

    node: int = attr(default=-1)


class DriverXml(_Xml, tag="driver"):
    """The driver that is bound."""

    name: str = element(default="")


class PciCapabilityXml(_Xml, tag="capability"):
    """What a PCI function is; the parts of its address are decimal."""

    domain: int = element(ge=0, le=0xFFFFFFFF)
    bus: int = element(ge=0, le=0xFF)
    slot: int = element(ge=0, le=0x1F)
    function: int = element(ge=0, le=0xFF)
    product: IdXml = element()
    vendor: IdXml = element()
    capabilities: list[FunctionCapabilityXml] = element(
        tag="capability", default_factory=list
    )
    iommu_group: IommuGroupXml | None = element(tag="iommuGroup", default=None)
    numa: NumaXml | None = element(tag="numa", default=None)


class PciDeviceXml(_Xml, tag="device"):
    """A PCI function."""

    name: str = element()
    driver: DriverXml | None = element(tag="driver", default=None)
    capability: PciCapabilityXml = element()


class NetCapabilityXml(_Xml, tag="capability"):
    """A network interface."""

    interface: str = element()


class NetDeviceXml(_Xml, tag="device"):
    """A network device; its parent is the PCI function that it lives on."""

    name: str = element()
    parent: str = element(default="")
    capability: NetCapabilityXml = element()


class MdevCapabilityXml(_Xml, tag="capability"):
    """A mediated device; libvirt before 7.3 does not print the uuid."""

    type: IdXml = element(tag="type")
    uuid: str = element(default="")
    iommu_group: IommuGroupXml | None = element(tag="iommuGroup", default=None)


class MdevDeviceXml(_Xml, tag="device"):
    """A mediated device under its parent."""

    name: str = element()
    parent: str = element()
    capability: MdevCapabilityXml = element()
