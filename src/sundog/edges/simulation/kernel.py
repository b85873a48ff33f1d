"""A simulated kernel: devices whose state behaves as hardware's does."""

from __future__ import annotations

import errno
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sundog.edges.simulation import node_xml
from sundog.edges.simulation.faults import FaultBook
from sundog.edges.simulation.functions import room, vf_address
from sundog.edges.simulation.host_model import FaultKind, FunctionModel
from sundog.edges.simulation.vgpus import CardVgpus, creatable_text, error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sundog.core.devices.pci_address import PciAddress
    from sundog.edges.simulation.host_model import CardModel, Fault, HostModel

# Group numbers of the next boot begin here: the kernel renumbers them.
_GROUPS_PER_BOOT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeMdev:
    """A mediated device that exists, on a card or on one of its VFs."""

    uuid: UUID
    type_id: str
    parent: PciAddress
    card: PciAddress
    group: int


class SimulatedKernel:
    """The kernel of one simulated host, readable as libvirt's XML. Thread-safe.

    Writes raise OSError with the numbers that sysfs gives: ENOENT for what is not
    there, ENOSPC where nothing fits, EBUSY, EIO, EINVAL.
    """

    def __init__(
        self,
        host: HostModel,
        new_id: Callable[[], UUID] = uuid4,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Boot the host; ``new_id`` gives the id of each boot."""
        self.host = host
        self._clock = clock
        self._new_id = new_id
        self._lock = threading.RLock()
        self._faults = FaultBook(host.faults)
        self._boots = 0
        self._listed: Sequence[str] = ()
        self._capabilities = node_xml.capabilities_xml(host)
        self._vf_places = {
            card.address: tuple(
                vf_address(card, number)
                for number in range(card.vfs.count if card.vfs else 0)
            )
            for card in host.cards
        }
        self.reboot()

    # ------------------------------------------------------------------- readings

    def capabilities(self) -> str:
        """Return libvirt's capabilities XML."""
        return self._capabilities

    def node_devices(self) -> Sequence[str]:
        """Return the XML of all functions, net devices and mdevs."""
        with self._lock:
            self._faults.count_scan()
            cards = self.host.cards
            if any(self._faults.is_on(FaultKind.STALE, c.address) for c in cards):
                return self._listed
            texts = [*self._function_texts(), *map(_mdev_text, self.mdevs())]
            for card in self.host.cards:
                self._faults.strike(FaultKind.VANISHES, card.address)
                self._faults.strike(FaultKind.GARBAGE, card.address)
            self._listed = texts
            return texts

    def node_device(self, name: str) -> str | None:
        """Return one function's or mdev's XML by libvirt's name."""
        with self._lock:
            for made in self.mdevs():
                if node_xml.mdev_name(made.uuid, made.parent) == name:
                    return _mdev_text(made)
            for card in self._cards():
                for address in self._places(card):
                    if address.node_device == name:
                        return self._text(self._function(card, address))
        return None

    def type_description(self, parent: PciAddress, type_id: str) -> str:
        """Describe an mdev type as NVIDIA's driver does."""
        with self._lock:
            card = self._card_of(parent)
            for kind in card.mdev.types if card and card.mdev else ():
                if kind.id == type_id:
                    size = f"framebuffer={kind.size_mb}M, " if kind.size_mb else ""
                    return f"num_heads=4, {size}max_instance={kind.instances}"
        return ""

    def boot_id(self) -> str:
        """Return the id of this boot."""
        with self._lock:
            return self._boot_id

    def booted(self) -> datetime:
        """Return when this boot was, to the second."""
        with self._lock:
            return self._booted

    def functions(self) -> tuple[FunctionModel, ...]:
        """Return every function that is there now."""
        with self._lock:
            return tuple(
                self._function(card, address)
                for card in self._cards()
                for address in self._places(card)
            )

    def mdevs(self) -> tuple[MadeMdev, ...]:
        """Return every mdev that is there now."""
        with self._lock:
            there = {card.address for card in self._cards()}
            return tuple(each for each in self._mdevs.values() if each.card in there)

    def vgpu_files(self, function: PciAddress) -> tuple[str, str] | None:
        """Return a VF's current type and what it may be, as the driver prints them."""
        with self._lock:
            vgpus = self._vgpus_of(function)
            if vgpus is None:
                return None
            mixed = self._mixes(vgpus[0])
            types = vgpus[1].creatable(function, mixed=mixed)
            now = vgpus[1].types.get(function, "0")
            return f"{now}\n", creatable_text(types)

    # --------------------------------------------------------------------- writes

    def create_mdev(self, parent: PciAddress, type_id: str, uuid: UUID) -> None:
        """Make an mdev, if the card still makes one of the type."""
        with self._lock:
            card = self._card_of(parent)
            if card is None or type_id not in dict(self._available(card, parent)):
                raise error(errno.ENOENT)
            if self._faults.strike(FaultKind.CREATE_FAILS, card.address):
                raise error(errno.EIO)
            if self._faults.strike(FaultKind.CREATE_IGNORED, card.address):
                return
            if uuid in self._mdevs:
                raise error(errno.EEXIST)
            if dict(self._available(card, parent))[type_id] < 1:
                raise error(errno.ENOSPC)
            self._mdevs[uuid] = MadeMdev(
                uuid=uuid,
                type_id=type_id,
                parent=parent,
                card=card.address,
                group=self._next_group(),
            )

    def remove_mdev(self, uuid: UUID) -> None:
        """Remove an mdev, whoever made it."""
        with self._lock:
            made = {each.uuid: each for each in self.mdevs()}.get(uuid)
            if made is None:
                raise error(errno.ENOENT)
            if self._faults.strike(FaultKind.SLOW_RELEASE, made.card):
                raise error(errno.EBUSY)
            del self._mdevs[uuid]

    def set_vfs(self, function: PciAddress, count: int) -> None:
        """Write ``sriov_numvfs``: from none to some, or from some to none."""
        with self._lock:
            card = self._card_of(function)
            if card is None or card.vfs is None or card.address != function:
                raise error(errno.ENOENT)
            if self._faults.strike(FaultKind.VFS_FAIL, function):
                raise error(errno.EIO)
            if not 0 <= count <= card.vfs.count:
                raise error(errno.ERANGE)
            if count and self._vfs[function] not in {0, count}:
                raise error(errno.EBUSY)
            if not count and any(
                each.card == function and each.parent != function
                for each in self._mdevs.values()
            ):
                raise error(errno.EBUSY)
            if function in self._vgpus:
                if self._vgpus[function].types and not count:
                    raise error(errno.EBUSY)
                if self._vfs[function] != count:
                    self._vgpus[function].mixed = False
            self._vfs[function] = count

    def set_vgpu_type(self, function: PciAddress, type_id: str) -> None:
        """Write a VF's type, 0 for none."""
        with self._lock:
            vgpus = self._vgpus_of(function)
            if vgpus is None:
                raise error(errno.ENOENT)
            card, state = vgpus
            if type_id == "0":
                if self._faults.strike(FaultKind.SLOW_RELEASE, card.address):
                    raise error(errno.EBUSY)
            elif self._faults.strike(FaultKind.TYPE_FAILS, card.address):
                raise error(errno.EIO)
            elif self._faults.strike(FaultKind.TYPE_IGNORED, card.address):
                return
            state.set_type(function, type_id, mixed=self._mixes(card))

    def mix_sizes(self, card: PciAddress, *, on: bool) -> None:
        """Let a card's vGPUs be of several sizes, or of one, as nvidia-smi does."""
        with self._lock:
            there = self._card_of(card)
            if there is None or card not in self._vgpus:
                raise error(errno.ENOENT)
            if self._vgpus[card].types:
                raise error(errno.EBUSY)
            self._vgpus[card].mixed = on

    def bind(self, address: PciAddress, driver: str) -> None:
        """Bind a driver to a function; an empty name unbinds it."""
        with self._lock:
            if self._card_of(address) is None:
                raise error(errno.ENOENT)
            self._drivers[address] = driver

    def reboot(self) -> None:
        """Boot anew: mdevs, types and drivers are gone, VFs are the boot config's."""
        with self._lock:
            self._boots += 1
            self._boot_id = str(self._new_id())
            self._booted = self._clock().replace(microsecond=0)
            self._group = self._boots * _GROUPS_PER_BOOT
            self._groups: dict[PciAddress, int] = {}
            self._drivers: dict[PciAddress, str] = {}
            self._mdevs: dict[UUID, MadeMdev] = {}
            self._vgpus = {
                card.address: CardVgpus(card.vgpu)
                for card in self.host.cards
                if card.vgpu is not None
            }
            self._vfs = {
                card.address: card.vfs.at_boot if card.vfs else 0
                for card in self.host.cards
            }

    def strike(self, kind: FaultKind, source: PciAddress | UUID) -> bool:
        """Whether a fault of a function's or mdev's card holds now; it has struck."""
        with self._lock:
            if isinstance(source, UUID):
                made = self._mdevs.get(source)
                return made is not None and self._faults.strike(kind, made.card)
            card = self._card_of(source)
            return card is not None and self._faults.strike(kind, card.address)

    def ask_fault(self, fault: Fault) -> None:
        """Let something go wrong from now on."""
        with self._lock:
            self._faults.ask(fault)

    def clear_faults(self) -> None:
        """Repair everything; a card that vanished comes back empty."""
        with self._lock:
            self._cards()  # so that a vanished card loses what it had
            self._faults.clear()

    # --------------------------------------------------- state, under the lock held

    def _cards(self) -> list[CardModel]:
        """Return the cards on the bus; one that fell off loses what it had."""
        there = []
        for card in self.host.cards:
            if self._faults.is_on(FaultKind.VANISHES, card.address):
                self._vfs[card.address] = 0
                if card.vgpu is not None:
                    self._vgpus[card.address] = CardVgpus(card.vgpu)
                self._mdevs = {
                    uuid: made
                    for uuid, made in self._mdevs.items()
                    if made.card != card.address
                }
            else:
                there.append(card)
        return there

    def _places(self, card: CardModel) -> list[PciAddress]:
        """Return where a card's functions are now: its own place, then its VFs'."""
        return [card.address, *self._vfs_of(card)]

    def _vfs_of(self, card: CardModel) -> tuple[PciAddress, ...]:
        return self._vf_places[card.address][: self._vfs[card.address]]

    def _card_of(self, address: PciAddress) -> CardModel | None:
        for card in self._cards():
            if address in self._places(card):
                return card
        return None

    def _vgpus_of(self, function: PciAddress) -> tuple[CardModel, CardVgpus] | None:
        """Return a VF's card with its vGPUs, None if no vendor's driver has the VF."""
        card = self._card_of(function)
        if card is None or card.vgpu is None or card.vfs is None:
            return None
        driver = self._drivers.get(function, card.vfs.driver)
        if function == card.address or driver != card.driver:
            return None
        return card, self._vgpus[card.address]

    def _mixes(self, card: CardModel) -> bool:
        is_lost = self._faults.is_on(FaultKind.MODE_LOST, card.address)
        return self._vgpus[card.address].mixed and not is_lost

    def _available(
        self, card: CardModel, address: PciAddress
    ) -> tuple[tuple[str, int], ...]:
        """Return what a function of a card still makes; empty when it never does."""
        is_vf = address != card.address
        if card.mdev is None or card.mdev.on_vfs != is_vf:
            return ()
        made = [each for each in self._mdevs.values() if each.card == card.address]
        fits = room(card.mdev, (each.type_id for each in made))
        if not is_vf:
            return fits
        most = 0 if any(each.parent == address for each in made) else 1
        return tuple((type_id, min(most, count)) for type_id, count in fits)

    def _function(self, card: CardModel, address: PciAddress) -> FunctionModel:
        is_vf = address != card.address
        driver = card.vfs.driver if is_vf and card.vfs else card.driver
        group = None if is_vf else card.iommu_group
        return FunctionModel(
            address=address,
            card=card,
            vf_number=self._vfs_of(card).index(address) if is_vf else None,
            group=self._group_of(address) if group is None else group,
            group_members=() if group is None else self._members(group),
            driver=self._drivers.get(address, driver),
            vfs=() if is_vf else self._vfs_of(card),
            hides_vfs=self._faults.is_on(FaultKind.HIDES_VFS, card.address),
            available=self._told(card, address),
        )

    def _told(
        self, card: CardModel, address: PciAddress
    ) -> tuple[tuple[str, int], ...]:
        """Return what a function says that it still makes; it may be wrong."""
        available = self._available(card, address)
        if self._faults.is_on(FaultKind.SAYS_NONE, card.address):
            return tuple((type_id, 0) for type_id, _ in available)
        if self._faults.is_on(FaultKind.SAYS_ROOM, card.address):
            return tuple((type_id, count + 1) for type_id, count in available)
        return available

    def _members(self, group: int) -> tuple[PciAddress, ...]:
        return tuple(
            card.address for card in self._cards() if card.iommu_group == group
        )

    def _group_of(self, address: PciAddress) -> int:
        if address not in self._groups:
            self._groups[address] = self._next_group()
        return self._groups[address]

    def _next_group(self) -> int:
        self._group += 1
        return self._group

    def _function_texts(self) -> Iterator[str]:
        for function in self.functions():
            yield self._text(function)
            if function.netdev:
                yield node_xml.netdev_xml(function.netdev, function.address)

    def _text(self, function: FunctionModel) -> str:
        text = node_xml.function_xml(function)
        garbage = self._faults.is_on(FaultKind.GARBAGE, function.card.address)
        if garbage and function.vf_number is None:
            return text[: text.index("<domain>")] + "<domain>\ufffd</domain>"
        return text


def _mdev_text(made: MadeMdev) -> str:
    return node_xml.mdev_xml(made.uuid, made.type_id, made.parent, made.group)
