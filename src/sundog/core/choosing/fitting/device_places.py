"""From the amounts that cards give to exact devices."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from sundog.core.choosing.assignment import DeviceShare
from sundog.core.choosing.fitting.card_modes import mode_cap
from sundog.core.choosing.taste import Order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sundog.core.choosing.card_room import CardRoom, Functions
    from sundog.core.choosing.fitting.ask import Ask
    from sundog.core.choosing.fitting.card_modes import Mode
    from sundog.core.choosing.fitting.device_fit import Pool, Service
    from sundog.core.choosing.host_room import HostRoom
    from sundog.core.devices.device import Device
    from sundog.core.devices.pci_address import PciAddress


class Pick(NamedTuple):
    """A device for a demand; the fields are in the order that slots are given."""

    demand: int
    want: int
    card: PciAddress
    address: PciAddress
    device: Device


def device_shares(
    ask: Ask, room: HostRoom, service: Service, guest_cells: Mapping[int, int]
) -> tuple[DeviceShare, ...]:
    """Name the devices; ``guest_cells`` has the guest cell of each host cell's id."""
    picks = sorted(_picks(ask, room, service), key=lambda pick: pick[:4])
    slots = iter([slot for demand in ask.demands for slot in demand.slots])
    shares = []
    for pick, (slot, alias) in zip(picks, slots, strict=True):
        device = pick.device
        near = [guest_cells[n] for n in device.numa_nodes if n in guest_cells]
        share = DeviceShare(
            slot=slot,
            alias=alias,
            kind=device.kind,
            address=device.address,
            card=pick.card,
            resource_class=device.resource_class,
            cost=device.cost,
            type_id=device.type_id,
            numa_nodes=device.numa_nodes,
            guest_cell=min(near, default=None),
            managed=device.tags.managed,
        )
        shares.append(share)
    return tuple(sorted(shares, key=lambda share: _slot_order(ask, share)))


def _slot_order(ask: Ask, share: DeviceShare) -> tuple[int, int]:
    name, _, number = share.slot.rpartition("/")
    ids = [device.id for device in ask.request.devices]
    return ids.index(name), int(number)


def _picks(ask: Ask, room: HostRoom, service: Service) -> Iterator[Pick]:
    for index, pool in enumerate(service.pools):
        waiting: dict[int, list[int]] = defaultdict(list)
        for taken in service.taken:
            if taken.pool == index:
                waiting[taken.kind] += [taken.demand] * taken.amount
        for number, card in enumerate(pool.cards):
            if not any(waiting.values()):
                break
            amounts = {kind: len(demands) for kind, demands in waiting.items()}
            take = _part(pool, amounts, number, ask.taste.cards)
            for kind, device in _devices(room.cards[card], pool.mode, take):
                demand = waiting[kind].pop(0)
                want = ask.kinds[kind].wants[demand]
                card_address = room.cards[card].address
                yield Pick(demand, want, card_address, device.address, device)


def _part(
    pool: Pool, amounts: Mapping[int, int], number: int, order: Order
) -> dict[int, int]:
    """Choose how much of each kind the next card gives, so that the rest fits."""
    left = len(pool.cards) - number
    caps: dict[int, int] = defaultdict(int)
    for supply in pool.mode.supplies:
        caps[supply.kind] += supply.cap
    total, cap = sum(amounts.values()), mode_cap(pool.mode)
    target = min(cap, total) if order is Order.PACK else -(-total // left)
    take = {
        kind: max(0, amount - (left - 1) * caps[kind])
        for kind, amount in amounts.items()
    }
    for kind, amount in amounts.items():
        more = min(amount, caps[kind]) - take[kind]
        take[kind] += max(0, min(more, target - sum(take.values())))
    return take


def _devices(
    card: CardRoom, mode: Mode, take: dict[int, int]
) -> Iterator[tuple[int, Device]]:
    """List exact devices of a card; functions used whole come before makers."""
    used: dict[int, int] = defaultdict(int)
    parts = []
    for supply in mode.supplies:
        count = min(supply.cap, take.get(supply.kind, 0))
        if count:
            take[supply.kind] -= count
            parts.append((supply, count))
    parts.sort(key=lambda part: not _offer_is_alone(card, part[0].group, part[0].offer))
    for supply, count in parts:
        functions = card.functions[supply.group]
        places = _places(functions, supply.offer, used[supply.group])
        if functions.offers[supply.offer].alone:
            used[supply.group] += count
        for device in places[:count]:
            yield supply.kind, device


def _offer_is_alone(card: CardRoom, group: int, offer: int) -> bool:
    return card.functions[group].offers[offer].alone


def _places(functions: Functions, offer: int, start: int) -> list[Device]:
    free = functions.offers[offer].free
    return [place[offer] for place in functions.places[start:] for _ in range(free)]
