"""What one card can do for a request, as a few ways to be used (modes).

Within a mode, supplies are only bounded each and in sum, so that serving requests
from modes is a flow. A card whose relevant devices share evenly has one mode; one
with mixed types, a PF beside its VFs, or one type at a time has a mode for each
largest mixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sundog.core.choosing.assignment import MADE_KINDS
from sundog.core.choosing.card_room import NO_LIMIT
from sundog.core.choosing.taste import Order
from sundog.core.devices.device import DeviceKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sundog.core.choosing.card_room import CardRoom, Offer
    from sundog.core.choosing.fitting.ask import Ask

MADE = frozenset(kind.value for kind in MADE_KINDS)
MOST_VERSATILE = 15


class Kind(NamedTuple):
    """Supplies that are the same to a request.

    ``wants`` has for each demand the want that it serves (-1: none); ``mask`` is
    where it is (see ``Offer``); ``score`` is higher the more it is worth keeping.
    """

    wants: tuple[int, ...]
    mask: int
    score: int


class Supply(NamedTuple):
    """Up to ``cap`` devices of a kind, from an offer of a group of functions.

    ``cost`` is what each takes of its card's budget.
    """

    kind: int
    cap: int
    cost: int
    group: int
    offer: int


class Mode(NamedTuple):
    """One way to use a card: up to ``cap`` devices in sum."""

    supplies: tuple[Supply, ...]
    cap: int


class Profile(NamedTuple):
    """What a card can do for a request.

    ``masks`` says where its devices are; ``looks`` is equal for cards that do the
    same in other places. ``budget`` is what is left of the card's.
    """

    number: int
    modes: tuple[Mode, ...]
    masks: frozenset[int]
    looks: object
    budget: int

    @property
    def widest(self) -> Mode:
        """A mode that is not less than any of its modes: an upper bound."""
        if len(self.modes) == 1:
            return self.modes[0]
        most: dict[int, int] = {}
        for mode in self.modes:
            sums: dict[int, int] = {}
            for supply in mode.supplies:
                sums[supply.kind] = sums.get(supply.kind, 0) + supply.cap
            for kind, cap in sums.items():
                most[kind] = max(most.get(kind, 0), cap)
        supplies = tuple(Supply(kind, cap, 0, -1, -1) for kind, cap in most.items())
        return Mode(supplies, max(mode_cap(mode) for mode in self.modes))


def mode_cap(mode: Mode) -> int:
    """Tell how many devices a mode gives at most."""
    return min(mode.cap, sum(supply.cap for supply in mode.supplies))


class _Item(NamedTuple):
    """A relevant offer: its kind, its group's functions, and where it stands."""

    kind: int
    offer: Offer
    places: int
    group: int
    place: int
    cap: int


def profile_of(ask: Ask, card: CardRoom, number: int) -> Profile | None:
    """Work out what a card can do for a request; None when nothing."""
    items = list(_items(ask, card))
    if not items:
        return None
    cap = _even_cap(card, items)
    if ask.one_a_card:
        modes = [Mode(tuple(_supply(item, 1) for item in items), 1)]
    elif cap is not None:
        modes = [Mode(tuple(_supply(item, item.cap) for item in items), cap)]
    else:
        modes = [
            Mode(
                tuple(_supply(i, n) for i, n in zip(items, counts, strict=True) if n),
                NO_LIMIT,
            )
            for counts in (
                _by_budget(card, items)
                if _only_share_budget(card, items)
                else _largest(card, items)
            )
        ]
    masks = frozenset(item.offer.mask for item in items)
    looks = tuple((_looks(ask, mode), mode.cap) for mode in modes)
    return Profile(number, tuple(modes), masks, looks, card.room)


def _looks(ask: Ask, mode: Mode) -> tuple[object, ...]:
    kinds = ask.kinds
    return tuple((kinds[s.kind]._replace(mask=0), s.cap) for s in mode.supplies)


def _supply(item: _Item, count: int) -> Supply:
    return Supply(item.kind, count, item.offer.cost, item.group, item.place)


def _items(ask: Ask, card: CardRoom) -> Iterator[_Item]:
    untouched_last = ask.taste.cards is Order.PACK
    score = 2 * min(card.versatility, MOST_VERSATILE)
    score += card.touched != untouched_last
    for group, functions in enumerate(card.functions):
        for index, offer in enumerate(functions.offers):
            wants = ask.choice(offer.face)
            if wants is None:
                continue
            places = len(functions.places)
            demands = zip(ask.demands, wants, strict=True)
            asked = sum(demand.count for demand, want in demands if want >= 0)
            kind = ask.kind_number(Kind(wants, offer.mask, score))
            cap = min(offer.free * places, asked)
            yield _Item(kind, offer, places, group, index, cap)


def _even_cap(card: CardRoom, items: list[_Item]) -> int | None:
    """Tell the card's limit in sum, or None when its devices share unevenly."""
    costs = {item.offer.cost for item in items}
    made = {item.offer.face.kind in MADE for item in items}
    kins = {item.offer.face.kin for item in items}
    uneven = (
        len({item.group for item in items}) < len(items)
        or len(costs) > 1
        or (card.instances < NO_LIMIT and len(made) > 1)
        or (card.one_type and len(kins) > 1)
        or (_has_pf(items) and len(items) > 1)
    )
    if uneven:
        return None
    cost = costs.pop()
    by_budget = card.room // cost if cost else NO_LIMIT
    return min(by_budget, card.instances if True in made else NO_LIMIT)


def _has_pf(items: list[_Item]) -> bool:
    return any(item.offer.face.kind == DeviceKind.PF.value for item in items)


def _largest(card: CardRoom, items: list[_Item]) -> Iterator[tuple[int, ...]]:
    """List the mixtures to which nothing can be added.

    Whatever is part of a possible mixture is possible too, so a mixture is largest
    when one more of anything is too much.
    """
    counts = [0] * len(items)

    def can_grow(index: int) -> bool:
        counts[index] += 1
        allowed = counts[index] <= items[index].cap and _is_possible(
            card, items, counts
        )
        counts[index] -= 1
        return allowed

    def walk(index: int) -> Iterator[tuple[int, ...]]:
        if index == len(items):
            if not any(can_grow(other) for other in range(len(items))):
                yield tuple(counts)
            return
        last = index == len(items) - 1
        while not last and can_grow(index):
            yield from walk(index + 1)
            counts[index] += 1
        while last and can_grow(index):
            counts[index] += 1
        yield from walk(index + 1)
        counts[index] = 0

    return walk(0)


def _only_share_budget(card: CardRoom, items: list[_Item]) -> bool:
    """Tell whether nothing but the budget and the cap bounds types together."""
    return not card.one_type and all(
        item.offer.face.kind in MADE and not item.offer.alone for item in items
    )


def _by_budget(card: CardRoom, items: list[_Item]) -> Iterator[tuple[int, ...]]:
    """List the largest mixtures, as ``_largest`` does, by arithmetic."""
    counts = [0] * len(items)
    last = len(items) - 1

    def most(index: int, room: int, instances: int) -> int:
        cost = items[index].offer.cost
        most = min(items[index].cap, instances)
        return min(most, room // cost) if cost else most

    def walk(index: int, room: int, instances: int) -> Iterator[tuple[int, ...]]:
        if index > last:
            full = (
                count == item.cap or item.offer.cost > room
                for count, item in zip(counts, items, strict=True)
            )
            if not instances or all(full):
                yield tuple(counts)
            return
        limit = most(index, room, instances)
        for count in range(limit if index == last else 0, limit + 1):
            counts[index] = count
            left = room - count * items[index].offer.cost
            yield from walk(index + 1, left, instances - count)

    return walk(0, card.room, card.instances)


def _is_possible(card: CardRoom, items: list[_Item], counts: list[int]) -> bool:
    used = [(i, n) for i, n in zip(items, counts, strict=True) if n]
    made = [(i, n) for i, n in used if i.offer.face.kind in MADE]
    alone: dict[int, int] = {}
    for item, count in used:
        if item.offer.alone:
            alone[item.group] = alone.get(item.group, 0) + count
    return (
        sum(item.offer.cost * count for item, count in used) <= card.room
        and sum(count for _, count in made) <= card.instances
        and not (card.one_type and len({i.offer.face.kin for i, _ in made}) > 1)
        and not (_has_pf([item for item, _ in used]) and len(used) > 1)
        and all(
            count <= item.offer.free * (item.places - alone.get(item.group, 0))
            for item, count in used
            if not item.offer.alone
        )
        and all(alone.get(item.group, 0) <= item.places for item, _ in used)
    )
