"""What a host can hand out, in one shape.

``PciFunction``, ``MdevType`` and ``Mdev`` are what a scan finds; ``Device`` and
``Card`` are what the whitelist makes of it and what the chooser works on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from uuid import UUID

from sundog.core.devices.pci_address import PciAddress

# What a guest knows a device by: a function's address, or an mdev's name.
Source = PciAddress | UUID


class DeviceKind(Enum):
    """The kinds of device; the values are ``device_type`` in an alias."""

    PCI = "type-PCI"
    PF = "type-PF"
    VF = "type-VF"
    MDEV = "type-MDEV"
    VGPU = "type-VGPU"  # vendor-VFIO: a type written to a VF


@dataclass(frozen=True, slots=True, kw_only=True)
class MdevType:
    """A type that a function may make: of mediated devices, or of vGPUs.

    ``available`` is the kernel's word now: how many more may be made. ``total`` is
    how many an empty card makes, where the type's description says so.
    ``size_mb`` is the framebuffer of one, ``card_mb`` that of the whole card, both
    in MiB and where something says so.
    Source: Documentation/driver-api/vfio-mediated-device.rst of the kernel.
    """

    id: str
    name: str = ""
    device_api: str = "vfio-pci"
    available: int = 0
    total: int | None = None
    size_mb: int | None = None
    card_mb: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VgpuPart:
    """What the driver says of the vGPU that a VF may be (vendor-VFIO).

    ``current`` is the id of the type that is set, empty when none is. ``types`` are
    those that may be set now, and those of the card that are known but may not.
    """

    current: str = ""
    types: tuple[MdevType, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PciFunction:
    """A PCI function as a scan finds it, before any rule is applied.

    ``vendor_id`` and ``product_id`` are 4 lower-case hex digits. ``numa_nodes`` is
    empty when the node is unknown (-1). ``parent`` is a VF's PF. ``vgpu`` is there if
    its driver makes vGPUs of it without mdevs. ``unavailable`` is the reason why a
    reading failed; such a function is never offered.
    """

    address: PciAddress
    vendor_id: str
    product_id: str
    kind: DeviceKind
    product: str = ""
    numa_nodes: frozenset[int] = frozenset()
    parent: PciAddress | None = None
    iommu_group: int | None = None
    driver: str = ""
    netdevs: tuple[str, ...] = ()
    total_vfs: int = 0
    mdev_types: tuple[MdevType, ...] = ()
    vgpu: VgpuPart | None = None
    unavailable: str = ""

    @property
    def types(self) -> tuple[MdevType, ...]:
        """Everything that it may make, of either kind."""
        return self.mdev_types if self.vgpu is None else self.vgpu.types

    @property
    def makes(self) -> DeviceKind:
        """The kind of what it makes, if it makes anything."""
        return DeviceKind.MDEV if self.vgpu is None else DeviceKind.VGPU


@dataclass(frozen=True, slots=True, kw_only=True)
class Mdev:
    """A device made of a type, ours or not: a mediated device, or a vGPU on its VF.

    A vGPU has no name of its own: ``uuid`` then follows from its VF and type.
    """

    uuid: UUID
    type_id: str
    parent: PciAddress
    iommu_group: int | None = None
    kind: DeviceKind = DeviceKind.MDEV


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTags:
    """What the matching whitelist rule says of a device beside matching it.

    ``resource_class`` and ``traits`` are already in Placement's spelling.
    ``live_migratable`` and ``one_type`` are None when the rule is silent. ``one_type``
    says whether a card makes one type (of vGPUs: one size) at a time. ``other`` holds
    the keys that Sundog does not know, as opaque tags.
    """

    resource_class: str = ""
    traits: frozenset[str] = frozenset()
    managed: bool = True
    live_migratable: bool | None = None
    physical_network: str | None = None
    trusted: bool = False
    one_time_use: bool = False
    # What cleans a device that is used once: the command and its arguments.
    cleaning_command: tuple[str, ...] = ()
    max_instances: int | None = None
    one_type: bool | None = None
    other: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One thing on offer: a whole function, or one type that a function may make.

    A whole function (PCI, PF, VF) has ``total`` 1. A type (MDEV, VGPU) has the
    parent's address, ``type_id``, ``total`` instances on an empty card, and
    ``available``: how many more the kernel would make at the time of the scan.
    ``cost`` is what one instance takes of the card's ``budget``. ``kin`` is equal for
    types that a card which makes one type at a time makes together.
    ``resource_class`` is Placement's class for it (the rule's, or the default).
    ``unavailable`` is a reason; empty means that it may be handed out.
    """

    address: PciAddress
    kind: DeviceKind
    vendor_id: str
    product_id: str
    resource_class: str
    numa_nodes: frozenset[int] = frozenset()
    type_id: str = ""
    type_name: str = ""
    kin: str = ""
    total: int = 1
    available: int = 1
    cost: int = 1
    tags: DeviceTags = field(default_factory=DeviceTags)
    unavailable: str = ""


def kin_of(device: Device) -> str:
    """Return a device's kin; a type that says none is its own."""
    return device.kin or device.type_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A physical device: a PF with its VFs, or a function that stands alone.

    All devices of a card draw on one ``budget`` (no unit of its own; each device's
    ``cost`` is a share of it). A PF costs the whole budget, so that it and its VFs
    exclude each other; mdev types cost their share, so that mixed types can never
    oversell the card. ``one_type`` says that all mdevs or vGPUs of the card must be of
    one kin at a time. ``max_instances`` caps the mdevs of the card (the rule's tag).
    ``product`` is for people.
    """

    address: PciAddress
    devices: tuple[Device, ...]
    budget: int = 1
    one_type: bool = False
    max_instances: int | None = None
    product: str = ""
