"""What is still free on one host, derived from its state and never stored in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, NamedTuple

from sundog.core.choosing.card_room import CardRoom, CardUse, Face, card_room, card_use
from sundog.core.hosts.pages import SMALL_PAGE_KB

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from sundog.core.choosing.assignment import CellShare, DeviceShare
    from sundog.core.devices.device import Card, Mdev
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.hosts.host_snapshot import Cell, HostSnapshot, HostState

FULL_LOAD = 1000


class Core(NamedTuple):
    """The free dedicated CPUs of a core that has ``size`` threads in all."""

    size: int
    free: tuple[int, ...]

    @property
    def is_whole(self) -> bool:
        """Whether all its threads are free."""
        return len(self.free) == self.size


CellShape = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class CellRoom:
    """What is free on a host cell.

    ``shared_cap`` and ``memory_cap`` are what one guest may take of it however high
    the ratios are: a guest never overcommits against itself. ``load`` is how much of
    CPUs and memory is used, in thousandths of each, summed.
    """

    id: int
    socket: int
    shared_cap: int
    shared_free: int
    cores: tuple[Core, ...]
    memory_cap: int
    memory_free: int
    pages: tuple[tuple[int, int], ...]
    pins_free: int
    whole_cores: int
    sibling_cpus: int
    load: int
    shape: CellShape


HostShape = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class HostRoom:
    """What is free on a host; equal ``shape`` means interchangeable.

    ``faces`` counts the free devices by what wants may ask about, each as if it were
    the only one taken; ``spots`` does so by face and cell mask. ``socket_masks`` has,
    by cell index, the cells of its socket (0 when the socket is unknown).
    """

    state: HostState
    cells: tuple[CellRoom, ...]
    cards: tuple[CardRoom, ...]
    socket_masks: tuple[int, ...]
    disk_free: int
    faces: dict[Face, int]
    spots: tuple[tuple[Face, int, int], ...]
    load: int
    shape: HostShape

    @property
    def name(self) -> str:
        """The host's name."""
        return self.state.snapshot.name


def host_room(state: HostState) -> HostRoom:
    """Derive what is free on a host."""
    snapshot = state.snapshot
    shares = [share for held in state.holdings for share in held.assignment.cells]
    cells = _cells(snapshot, shares)
    cards = _cards(state)
    disk = sum(held.assignment.disk_gb for held in state.holdings)
    disk_free = floor(snapshot.disk_gb * snapshot.disk_ratio) - disk
    disk_free = max(0, min(disk_free, snapshot.disk_gb))
    faces: Counter[Face] = Counter()
    spots: Counter[tuple[Face, int]] = Counter()
    for card in cards:
        for group in card.functions:
            for offer in group.offers:
                count = offer.free * len(group.places)
                faces[offer.face] += count
                spots[offer.face, offer.mask] += count
    load = sum(cell.load for cell in cells) // max(1, len(cells))
    shape: HostShape = (
        tuple(cell.shape for cell in cells),
        tuple(sorted(card.shape for card in cards if card.functions)),
        disk_free,
        snapshot.traits,
    )
    return HostRoom(
        state=state,
        cells=cells,
        cards=cards,
        socket_masks=_socket_masks(snapshot.cells),
        disk_free=disk_free,
        faces=dict(faces),
        spots=tuple((face, mask, count) for (face, mask), count in spots.items()),
        load=load,
        shape=shape,
    )


def _socket_masks(cells: tuple[Cell, ...]) -> tuple[int, ...]:
    by_socket: dict[int | None, int] = defaultdict(int)
    for index, cell in enumerate(cells):
        by_socket[cell.socket] |= 1 << index
    return tuple(0 if cell.socket is None else by_socket[cell.socket] for cell in cells)


def _cells(snapshot: HostSnapshot, shares: Iterable[CellShare]) -> tuple[CellRoom, ...]:
    by_cell: dict[int, list[CellShare]] = defaultdict(list)
    taken: set[int] = set()
    for share in shares:
        by_cell[share.host_cell].append(share)
        taken |= share.blocked
        taken.update(cpu for _, cpu in share.pins)
    sockets = list(dict.fromkeys(cell.socket for cell in snapshot.cells))
    return tuple(
        _cell(
            cell,
            -1 if cell.socket is None else sockets.index(cell.socket),
            (snapshot.cpu_ratio, snapshot.ram_ratio),
            (by_cell[cell.id], taken),
        )
        for cell in snapshot.cells
    )


def _cell(
    cell: Cell,
    socket: int,
    ratios: tuple[float, float],
    used: tuple[list[CellShare], set[int]],
) -> CellRoom:
    shares, taken = used
    vcpus = floor(len(cell.shared) * ratios[0])
    memory = floor(cell.memory_mb * ratios[1])
    shared_used = sum(share.shared_cpus for share in shares)
    small_used = sum(s.memory_mb for s in shares if s.page_kb == SMALL_PAGE_KB)
    cores = free_cores(cell, taken)
    pages = tuple(
        (pool.size_kb, max(0, pool.total - pages_used(shares, pool.size_kb)))
        for pool in sorted(cell.pages, key=lambda pool: -pool.size_kb)
    )
    pins_free = sum(len(core.free) for core in cores)
    cpu_total = vcpus + len(cell.dedicated)
    cpu_used = shared_used + len(cell.dedicated) - pins_free
    load = cpu_used * FULL_LOAD // max(1, cpu_total)
    load += small_used * FULL_LOAD // max(1, memory)
    shared_free = max(0, vcpus - shared_used)
    memory_free = max(0, memory - small_used)
    histogram = tuple(sorted((core.size, len(core.free)) for core in cores))
    return CellRoom(
        id=cell.id,
        socket=socket,
        shared_cap=len(cell.shared),
        shared_free=shared_free,
        cores=cores,
        memory_cap=cell.memory_mb,
        memory_free=memory_free,
        pages=pages,
        pins_free=pins_free,
        whole_cores=sum(core.is_whole for core in cores),
        sibling_cpus=sum(c.size for c in cores if c.is_whole and c.size > 1),
        load=load,
        shape=(
            socket,
            *(len(cell.shared), shared_free, histogram),
            *(cell.memory_mb, memory_free, pages, load),
        ),
    )


def free_cores(cell: Cell, taken: set[int]) -> tuple[Core, ...]:
    """List a cell's cores that have free dedicated CPUs, in order of their CPUs."""
    free = (cell.dedicated & cell.cpus) - taken
    cores = [group & cell.cpus for group in cell.siblings]
    known = frozenset[int]().union(*cores)
    cores += [frozenset({cpu}) for cpu in free - known]
    found = [Core(len(core), tuple(sorted(core & free))) for core in cores]
    return tuple(
        sorted((core for core in found if core.free), key=lambda core: core.free)
    )


def pages_used(shares: Iterable[CellShare], size_kb: int) -> int:
    """Count the huge pages of one size that shares of a cell take."""
    memory = sum(share.memory_mb for share in shares if share.page_kb == size_kb)
    return memory * 1024 // size_kb


def device_uses(state: HostState) -> tuple[tuple[Card, CardUse], ...]:
    """List a host's cards, by address, with what is used on each."""
    held: dict[PciAddress, list[tuple[UUID, DeviceShare]]] = defaultdict(list)
    for holding in state.holdings:
        for share in holding.assignment.devices:
            held[share.card].append((holding.maker, share))
    mdevs: dict[PciAddress, list[Mdev]] = defaultdict(list)
    for mdev in state.snapshot.mdevs:
        mdevs[mdev.parent].append(mdev)
    cards = sorted(state.snapshot.cards, key=lambda card: card.address)
    return tuple(
        (card, card_use(card, held.get(card.address, ()), mdevs)) for card in cards
    )


def _cards(state: HostState) -> tuple[CardRoom, ...]:
    cells = state.snapshot.cells
    bits = {cell.id: 1 << index for index, cell in enumerate(cells)}
    elsewhere = 1 << len(bits)

    def near(nodes: frozenset[int]) -> int:
        mask = 0
        for node in nodes:
            mask |= bits.get(node, elsewhere)
        return mask

    return tuple(card_room(card, use, near) for card, use in device_uses(state))
