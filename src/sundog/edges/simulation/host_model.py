"""What a host file says, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import lcm
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.core.devices.pci_address import PciAddress


class Sharing(Enum):
    """How the mdevs of a card share it.

    MIXED: any types together, as long as their sizes fit. ONE_TYPE: the first mdev
    decides the type of all others until the card is empty again.
    """

    MIXED = "mixed"
    ONE_TYPE = "one-type"


class FaultKind(Enum):
    """What can go wrong on demand."""

    CREATE_FAILS = "create-fails"  # writing to create gives EIO
    CREATE_IGNORED = "create-ignored"  # the write succeeds, nothing is made
    VANISHES = "vanishes"  # the card falls off the bus
    GARBAGE = "garbage"  # its reading cannot be used
    SLOW_RELEASE = "slow-release"  # removing gives EBUSY at first
    VFS_FAIL = "vfs-fail"  # writing to sriov_numvfs gives EIO
    SAYS_NONE = "says-none"  # available_instances are all 0
    SAYS_ROOM = "says-room"  # available_instances are one more than there is room
    HIDES_VFS = "hides-vfs"  # its SR-IOV capability is not seen
    STALE = "stale"  # libvirt's list of all devices is what it was
    TYPE_FAILS = "type-fails"  # writing to current_vgpu_type gives EIO
    TYPE_IGNORED = "type-ignored"  # the write succeeds, nothing is set
    MODE_LOST = "mode-lost"  # vGPUs of one size at a time, whatever the mode was
    PLUG_FAILS = "plug-fails"  # a running guest cannot be given it
    PLUG_IGNORED = "plug-ignored"  # it is plugged, and the guest has nothing
    UNPLUG_IGNORED = "unplug-ignored"  # the guest does not let go of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of one card.

    It strikes ``times`` times (None: until cleared), once ``after_scans`` readings
    of the whole host have gone well. A write that fails is one time; for VANISHES
    and GARBAGE a reading of the whole host is, for UNPLUG_IGNORED a look at the guest.
    """

    kind: FaultKind
    card: PciAddress
    times: int | None = None
    after_scans: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CellModel:
    """A NUMA cell: its cores as groups of CPU numbers, memory in MiB.

    ``pages`` maps a huge page's size in KiB to how many there are; they are part of
    ``memory_mb``. ``reserved_mb`` is kept for the host. ``distances`` are those to
    the cells in order, empty when the firmware does not tell.
    """

    id: int
    socket: int
    cores: tuple[frozenset[int], ...]
    memory_mb: int
    reserved_mb: int = 0
    pages: tuple[tuple[int, int], ...] = ()
    distances: tuple[int, ...] = ()

    @property
    def cpus(self) -> frozenset[int]:
        """All CPUs of the cell."""
        return frozenset[int]().union(*self.cores)


@dataclass(frozen=True, slots=True, kw_only=True)
class VfsModel:
    """A card's virtual functions.

    ``at_boot`` of ``count`` are there after a boot. VF ``n`` has the PF's routing id
    plus ``offset`` plus ``n`` times ``stride``. ``netdev`` names its interface,
    ``{n}`` stands for the VF's number; empty is no network device.
    """

    count: int
    at_boot: int
    product: str
    product_name: str = ""
    driver: str = ""
    netdev: str = ""
    offset: int = 1
    stride: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeModel:
    """An mdev type: an empty card makes ``instances``, each of ``size_mb``."""

    id: str
    instances: int
    name: str = ""
    size_mb: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MdevModel:
    """How a card makes mdevs; ``on_vfs`` says that each VF takes one."""

    types: tuple[TypeModel, ...]
    sharing: Sharing = Sharing.MIXED
    on_vfs: bool = False
    memory_mb: int | None = None
    device_api: str = "vfio-pci"

    @property
    def budget(self) -> int:
        """What all mdevs of the card share, in MiB or in plain shares."""
        if self.memory_mb is not None:
            return self.memory_mb
        sized = [each.size_mb * each.instances for each in self.types if each.size_mb]
        return max(sized, default=lcm(*(each.instances for each in self.types)))

    def cost(self, type_id: str) -> int:
        """Return what one mdev of a type takes of the budget."""
        kind = next(each for each in self.types if each.id == type_id)
        return kind.size_mb or -(-self.budget // kind.instances)


@dataclass(frozen=True, slots=True, kw_only=True)
class VgpuTypeModel:
    """A vGPU type by its number; ``name`` ends in its size, as NVIDIA's do."""

    id: str
    name: str
    size_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VgpuModel:
    """How a card's VFs are set to vGPU types (vendor-VFIO), all within ``memory_mb``.

    ``mixed_sizes`` says that a boot leaves the card in the mode that allows types of
    several sizes together; otherwise the first decides the size of all others.
    """

    memory_mb: int
    types: tuple[VgpuTypeModel, ...]
    mixed_sizes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CardModel:
    """A card: a PCI function, with VFs or mdev types if it has some.

    ``node`` is None when the firmware does not tell. Without ``iommu_group`` each
    function has a group of its own.
    """

    address: PciAddress
    vendor: str
    product: str
    vendor_name: str = ""
    product_name: str = ""
    pci_class: str = "0x030200"
    node: int | None = None
    iommu_group: int | None = None
    driver: str = ""
    netdev: str = ""
    vfs: VfsModel | None = None
    mdev: MdevModel | None = None
    vgpu: VgpuModel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostModel:
    """A whole host. The versions count as libvirt does: 9.0.0 is 9000000.

    ``cpu_shared_set`` and ``cpu_dedicated_set`` are None when not written.
    """

    name: str
    cells: tuple[CellModel, ...]
    cards: tuple[CardModel, ...] = ()
    faults: tuple[Fault, ...] = ()
    description: str = ""
    disk_gb: int = 500
    libvirt_version: int = 9_000_000
    qemu_version: int = 8_002_002
    cpu_shared_set: frozenset[int] | None = None
    cpu_dedicated_set: frozenset[int] | None = None

    @property
    def reserved_mb(self) -> Mapping[int, int]:
        """Cell id to what is kept for the host."""
        return {cell.id: cell.reserved_mb for cell in self.cells}


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionModel:
    """One PCI function that a host has now: a card, or a VF of it.

    ``available`` is how many more of each mdev type it makes, in the card's order;
    empty when it makes none at all. ``group_members`` share its IOMMU group. One
    that ``hides_vfs`` is read as if it could have none.
    """

    address: PciAddress
    card: CardModel
    vf_number: int | None = None
    group: int = 0
    group_members: tuple[PciAddress, ...] = ()
    driver: str = ""
    vfs: tuple[PciAddress, ...] = ()
    hides_vfs: bool = False
    available: tuple[tuple[str, int], ...] = ()

    @property
    def netdev(self) -> str:
        """The network interface's name; none while a guest's driver is bound."""
        if self.driver == "vfio-pci":
            return ""
        if self.vf_number is None or self.card.vfs is None:
            return self.card.netdev
        return self.card.vfs.netdev.replace("{n}", str(self.vf_number))
