"""Fitting by trying everything: the reference that the search is held against.

It shares nothing with the code under test but the value types, and follows the rules
in their plainest form. Only for small hosts.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations, permutations
from math import floor
from typing import TYPE_CHECKING

from sundog.core.choosing.assignment import made_uuid
from sundog.core.devices.device import Card, Device, DeviceKind
from sundog.core.hosts.pages import SMALL_PAGE_KB
from sundog.core.requests.guest_request import (
    CpuPolicy,
    DeviceRequest,
    DeviceWant,
    GuestCell,
    GuestRequest,
    NumaPolicy,
    PageChoice,
    ThreadPolicy,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sundog.core.hosts.host_snapshot import Cell, HostState

MDEV_LIKE = (DeviceKind.MDEV, DeviceKind.VGPU)
Chosen = list[tuple[DeviceRequest, Device, Card]]


def used_cpus(state: HostState) -> set[int]:
    """List the CPUs that are pinned or blocked."""
    shares = [s for held in state.holdings for s in held.assignment.cells]
    pinned = {cpu for share in shares for _, cpu in share.pins}
    return pinned | {cpu for share in shares for cpu in share.blocked}


def shared_room(state: HostState, cell: Cell) -> int:
    """Count the vCPUs that may still float on a cell."""
    held = sum(
        share.shared_cpus
        for holding in state.holdings
        for share in holding.assignment.cells
        if share.host_cell == cell.id
    )
    total = floor(len(cell.shared) * state.snapshot.cpu_ratio)
    return max(0, min(len(cell.shared), total - held))


def memory_room(state: HostState, cell: Cell, page_kb: int) -> int:
    """Count the MiB that a guest may take of a cell in pages of a size."""
    held = sum(
        share.memory_mb
        for holding in state.holdings
        for share in holding.assignment.cells
        if share.host_cell == cell.id and share.page_kb == page_kb
    )
    if page_kb == SMALL_PAGE_KB:
        total = floor(cell.memory_mb * state.snapshot.ram_ratio)
        return max(0, min(cell.memory_mb, total - held))
    pages = sum(pool.total for pool in cell.pages if pool.size_kb == page_kb)
    return pages * page_kb // 1024 - held


def can_pin(state: HostState, cell: Cell, count: int, policy: ThreadPolicy) -> bool:
    """Try every set of CPUs for the pinned vCPUs of one guest cell."""
    free = sorted(cell.dedicated - used_cpus(state))
    cores = [set(group) for group in cell.siblings]
    if policy is ThreadPolicy.PREFER:
        return count <= len(free)
    if policy is ThreadPolicy.ISOLATE:
        whole = [core for core in cores if core <= set(free)]
        return any(True for _ in combinations(whole, count))
    full = {cpu for c in cores if c <= set(free) and len(c) > 1 for cpu in c}
    return any(True for _ in combinations(sorted(full), count))


def cell_can_take(
    state: HostState, guest: GuestCell, cell: Cell, page_kb: int, policy: ThreadPolicy
) -> bool:
    """Tell whether one guest cell goes onto one host cell."""
    shared = len(guest.cpus - guest.dedicated)
    return (
        shared <= shared_room(state, cell)
        and can_pin(state, cell, len(guest.dedicated), policy)
        and guest.memory_mb * 1024 % page_kb == 0
        and guest.memory_mb <= memory_room(state, cell, page_kb)
    )


def page_sizes(request: GuestRequest, state: HostState) -> list[int]:
    """List the page sizes that the request allows."""
    huge = {p.size_kb for cell in state.snapshot.cells for p in cell.pages}
    if request.page_size in (None, PageChoice.SMALL):
        return [SMALL_PAGE_KB]
    if request.page_size is PageChoice.LARGE:
        return sorted(huge)
    if request.page_size is PageChoice.ANY:
        return [*sorted(huge), SMALL_PAGE_KB]
    assert isinstance(request.page_size, int)
    return [request.page_size]


def wants(want: DeviceWant, device: Device) -> bool:
    """Tell whether a device is what a want describes."""
    facts: list[bool] = [
        device.kind is (want.kind or device.kind),
        want.kind is not None or device.kind is not DeviceKind.PF,
        want.vendor_id in (None, device.vendor_id),
        want.product_id in (None, device.product_id),
        want.type_id in (None, device.type_id, device.type_name),
        want.resource_class in (None, device.resource_class),
        all(trait in device.tags.traits for trait in want.traits),
        not any(trait in device.tags.traits for trait in want.forbidden_traits),
        want.live_migratable in (None, device.tags.live_migratable),
    ]
    return all(facts)


def distance(device: Device, occupied: set[int], cells: Sequence[Cell]) -> int:
    """Tell the column of the policy table: 0 same, 1 unknown, 2 socket, 3 other."""
    if device.numa_nodes & occupied:
        return 0
    if not device.numa_nodes:
        return 1
    sockets = {c.socket for c in cells if c.id in occupied} - {None}
    near = {c.socket for c in cells if c.id in device.numa_nodes} - {None}
    return 2 if sockets & near else 3


TABLE = {
    NumaPolicy.REQUIRED: (True, False, False, False),
    NumaPolicy.SOCKET: (True, False, True, False),
    NumaPolicy.LEGACY: (True, True, False, False),
    NumaPolicy.PREFERRED: (True, True, True, True),
}


def card_is_sound(state: HostState, card: Card, new: Sequence[Device]) -> bool:
    """Tell whether a card can carry what is used of it and what is new."""
    addresses = {device.address for device in card.devices}
    existing = [mdev for mdev in state.snapshot.mdevs if mdev.parent in addresses]
    uuids = {mdev.uuid for mdev in existing}
    held = [
        share
        for holding in state.holdings
        for share in holding.assignment.devices
        if share.card == card.address
        and made_uuid(holding.consumer, share) not in uuids
    ]
    known = {(d.address, d.type_id): d for d in card.devices}
    by_mdevs = [known[mdev.parent, mdev.type_id] for mdev in existing]
    by_shares = [
        next(
            device
            for device in card.devices
            if (device.address, device.kind, device.type_id)
            == (share.address, share.kind, share.type_id)
        )
        for share in held
    ]
    everything = [*by_mdevs, *by_shares, *new]
    pending = Counter(
        (d.address, d.type_id) for d in [*by_shares, *new] if d.kind in MDEV_LIKE
    )
    made = [device for device in everything if device.kind in MDEV_LIKE]
    return (
        not any(device.unavailable for device in new)
        and sum(device.cost for device in everything) <= card.budget
        and all(_function_is_sound(everything, address) for address in addresses)
        and not (
            any(d.kind is DeviceKind.PF for d in everything) and len(everything) > 1
        )
        and all(
            pending[d.address, d.type_id] <= d.available
            for d in new
            if d.kind in MDEV_LIKE
        )
        and not (card.one_type and len({d.kin or d.type_id for d in made}) > 1)
        and (card.max_instances is None or len(made) <= card.max_instances)
    )


def _function_is_sound(everything: Iterable[Device], address: object) -> bool:
    here = [device for device in everything if device.address == address]
    takes_all = any(d.kind is not DeviceKind.MDEV or d.total == 1 for d in here)
    return len(here) < 2 or not takes_all


def device_choices(
    request: GuestRequest, state: HostState, occupied: set[int] | None
) -> Iterator[Chosen]:
    """List every way to serve all device requests; ``occupied`` None: it floats."""
    cells = state.snapshot.cells
    cards = state.snapshot.cards
    offers = [(device, card) for card in cards for device in card.devices]
    units = [r for r in request.devices for _ in range(r.count)]

    def allowed(asked: DeviceRequest, device: Device) -> bool:
        if occupied is not None:
            column = distance(device, occupied, cells)
            if not TABLE[asked.policy][column]:
                return False
        return any(wants(want, device) for want in asked.wants)

    def walk(chosen: Chosen, start: int) -> Iterator[Chosen]:
        if len(chosen) == len(units):
            yield chosen
            return
        asked = units[len(chosen)]
        again = bool(chosen) and chosen[-1][0] is asked
        for index in range(start if again else 0, len(offers)):
            device, card = offers[index]
            if not allowed(asked, device):
                continue
            new = [d for _, d, c in chosen if c is card] + [device]
            if not card_is_sound(state, card, new):
                continue
            if not groups_are_kept(request, [*chosen, (asked, device, card)]):
                continue
            yield from walk([*chosen, (asked, device, card)], index)

    return walk([], 0)


def groups_are_kept(request: GuestRequest, chosen: Chosen) -> bool:
    """Tell whether ``same_card``, ``group`` and ``isolate_groups`` hold so far."""
    cards: dict[tuple[str, str], set[object]] = {}
    for asked, _, card in chosen:
        for key in (("request", asked.id), ("group", asked.group or f"of {asked.id}")):
            cards.setdefault(key, set()).add(card.address)
    for asked, _, _ in chosen:
        if asked.same_card and len(cards["request", asked.id]) > 1:
            return False
        if asked.group and len(cards["group", asked.group]) > 1:
            return False
    if not request.isolate_groups:
        return True
    parts = [used for (kind, _), used in cards.items() if kind == "group"]
    return all(not one & other for one, other in combinations(parts, 2))


def cells_of(request: GuestRequest) -> tuple[GuestCell, ...]:
    """Make one guest cell where a guest without cells must be bound."""
    strict = {NumaPolicy.REQUIRED, NumaPolicy.SOCKET}
    if request.cells or not any(d.policy in strict for d in request.devices):
        return request.cells
    cpus = frozenset(range(request.vcpus))
    assert request.cpu_policy is CpuPolicy.SHARED
    return (
        GuestCell(id=0, cpus=cpus, dedicated=frozenset(), memory_mb=request.memory_mb),
    )


def best_crossing(request: GuestRequest, state: HostState) -> tuple[int, int] | None:
    """Find the least (want places, cells crossed) of all fits; None when none is."""
    snapshot = state.snapshot
    if not state.enabled or not request.required_traits <= snapshot.traits:
        return None
    guests = cells_of(request)
    if not guests:
        return _best_floating(request, state)
    for page_kb in sorted(page_sizes(request, state), reverse=True):
        occupations = {
            frozenset(cell.id for cell in hosts)
            for hosts in permutations(snapshot.cells, len(guests))
            if all(
                cell_can_take(state, guest, cell, page_kb, request.thread_policy)
                for guest, cell in zip(guests, hosts, strict=True)
            )
        }
        prices = [
            price(chosen, set(occupied), snapshot.cells)
            for occupied in occupations
            for chosen in device_choices(request, state, set(occupied))
        ]
        if prices:
            return min(prices)
    return None


def _best_floating(request: GuestRequest, state: HostState) -> tuple[int, int] | None:
    cells = state.snapshot.cells
    cpus = [shared_room(state, cell) for cell in cells]
    memory = [memory_room(state, cell, SMALL_PAGE_KB) for cell in cells]
    if request.vcpus > sum(cpus) or request.memory_mb > sum(memory):
        return None
    homes = [
        {cell.id}
        for cell, have_cpus, have_memory in zip(cells, cpus, memory, strict=True)
        if request.vcpus <= have_cpus and request.memory_mb <= have_memory
    ] or [{cell.id for cell in cells}]
    prices = [
        price(chosen, home, cells)
        for chosen in device_choices(request, state, None)
        for home in homes
    ]
    return min(prices, default=None)


def price(chosen: Chosen, occupied: set[int], cells: Sequence[Cell]) -> tuple[int, int]:
    """Sum the places of the wants that are served, and the cells crossed."""
    places = sum(
        next(i for i, want in enumerate(asked.wants) if wants(want, device))
        for asked, device, _ in chosen
    )
    return places, sum(distance(device, occupied, cells) for _, device, _ in chosen)
