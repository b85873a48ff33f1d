"""Whether devices can be given at all where cards must be filled like bins.

Cards of several modes (mixed types on one budget), units that need one card, and
units that are kept apart make fitting a bin packing. Cards are filled one after the
other, and what is still needed is all that matters of what was done: of each set of
kinds that demands compete for, how many devices (by Hall's theorem that decides
whether a flow exists), and of each sort of unit, how many. States that failed are
remembered: no more are entered than cards times the product of (count + 1) over types
and sorts of units. Bounds by sums and by weight, and trying first what fills a card
best, keep realistic hosts far below that.
"""

from __future__ import annotations

from itertools import accumulate, combinations
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sundog.core.choosing.fitting.ask import Ask
    from sundog.core.choosing.fitting.card_modes import Mode, Profile

Amounts = tuple[int, ...]


class Filled(NamedTuple):
    """A card, how it is used, and the demands (as a mask) that it may serve."""

    card: int
    mode: Mode
    admits: int


class Wanted(NamedTuple):
    """So many devices of a set of kinds (a mask); ``weight`` is the budget for one."""

    weight: int
    kinds: int
    needed: int
    admits: int


class Lot(NamedTuple):
    """Units that ask alike: (kinds, count) of each part; ``weight`` is for one."""

    weight: int
    parts: tuple[tuple[int, int], ...]
    units: tuple[int, ...]


class Option(NamedTuple):
    """One way to use a card: ``gives`` units of each lot, then devices of each set."""

    weight: int
    gives: Amounts
    mode: Mode
    admits: int


class Bin(NamedTuple):
    """A card, and what it and all after it give at most, also by weight."""

    card: int
    options: tuple[Option, ...]
    most: Amounts
    most_weight: int


class Packing:
    """One search; ``kinds`` has for each demand the mask of kinds that it may take."""

    def __init__(
        self, ask: Ask, cards: Mapping[int, Profile], kinds: Sequence[int]
    ) -> None:
        """Take the cards by their index on the host, in the order to be filled."""
        self._units = ask.units
        self._apart = ask.isolate and not ask.one_a_card
        self._costs = _least_costs(cards)
        counts = [demand.count for demand in ask.demands]
        self._asked = list(zip(kinds, counts, strict=True))
        self._lots = self._sort_units()
        self._wanted = self._sum_up(is_capped=_is_capped(cards))
        self._weights = [lot.weight for lot in self._lots]
        self._weights += [wanted.weight for wanted in self._wanted]
        self._bins = self._make_bins(cards)
        self._few = 0
        self._failed: set[tuple[int, Amounts]] = set()

    def search(self, few: int = 0) -> list[Filled] | None:
        """Fill cards until nothing is needed; None when it cannot be done.

        With ``few`` the first cards get many light devices rather than few heavy ones,
        and the search gives up after so many states that failed.
        """
        self._few = few
        self._failed.clear()
        units = [len(lot.units) for lot in self._lots]
        devices = [wanted.needed for wanted in self._wanted]
        filled = self._fill(0, (*units, *devices))
        if filled is None:
            return None
        names = [iter(lot.units) for lot in self._lots]
        return [
            Filled(card, option.mode, option.admits | self._placed(option, names))
            for card, option in filled
        ]

    def _placed(self, option: Option, names: list[Iterator[int]]) -> int:
        """Name the units that a card holds, as a mask of their demands."""
        units = [
            next(numbers)
            for numbers, placed in zip(names, option.gives, strict=False)
            for _ in range(placed)
        ]
        return sum(1 << demand for unit in units for demand in self._units[unit][0])

    def _fill(self, index: int, needs: Amounts) -> list[tuple[int, Option]] | None:
        if not any(needs):
            return []
        if index == len(self._bins) or (index, needs) in self._failed:
            return None
        if self._few and len(self._failed) > self._few:
            return None
        this = self._bins[index]
        weight = sum(w * n for w, n in zip(self._weights, needs, strict=True))
        if weight <= this.most_weight and not any(
            need > most for need, most in zip(needs, this.most, strict=True)
        ):
            for option, left in self._ways(this, needs):
                rest = self._fill(index + 1, left)
                if rest is not None:
                    return [(this.card, option), *rest]
        self._failed.add((index, needs))
        return None

    def _ways(self, this: Bin, needs: Amounts) -> Iterator[tuple[Option, Amounts]]:
        """List the uses of a card that leave different needs, best filled first."""
        units = len(self._lots)
        ways: dict[Amounts, tuple[int, Amounts, Option]] = {}
        for option in this.options:
            gives = option.gives
            if any(g > n for g, n in zip(gives[:units], needs[:units], strict=True)):
                continue
            used = tuple(map(min, gives, needs))
            weight = sum(w * n for w, n in zip(self._weights, used, strict=True))
            order = used[::-1] if self._few else used
            ways.setdefault(used, (weight, order, option))
        best_first = sorted(ways.items(), key=_fullest, reverse=True)
        for used, (_, _, option) in best_first:
            yield option, tuple(n - u for n, u in zip(needs, used, strict=True))

    def _sort_units(self) -> list[Lot]:
        lots: dict[tuple[tuple[int, int], ...], list[int]] = {}
        for number, unit in enumerate(self._units):
            if unit.one_card:
                parts = tuple(sorted(self._asked[demand] for demand in unit.demands))
                lots.setdefault(parts, []).append(number)
        found = [
            Lot(sum(self._weight(kinds) * n for kinds, n in parts), parts, tuple(units))
            for parts, units in lots.items()
        ]
        return sorted(found, reverse=True)

    def _sum_up(self, *, is_capped: bool) -> list[Wanted]:
        """List what is needed outside of lots, by all sets that compete, heavy first.

        Demands that are kept apart share no card: each is a set by itself. Otherwise
        sets compete that overlap, also by way of others, or if a card gives only so
        much in sum. Only disjoint sets have a weight: nothing is weighed twice.
        """
        bound = {d for unit in self._units if unit.one_card for d in unit.demands}
        loose = {d: a for d, a in enumerate(self._asked) if d not in bound}
        if self._apart:
            alone = (
                Wanted(self._weight(kinds), kinds, count, 1 << demand)
                for demand, (kinds, count) in loose.items()
            )
            return sorted(alone, reverse=True)
        parts = _disjoint([kinds for kinds, _ in self._asked])
        if is_capped:
            parts = {_union(list(parts))}
        admits = sum(1 << demand for demand in loose)
        found = []
        for part in parts:
            inside = [(k, count) for k, count in loose.values() if k & part]
            whole = _union([kinds for kinds, _ in inside])
            least = min((self._weight(kinds) for kinds, _ in inside), default=0)
            for union in _unions({kinds for kinds, _ in inside}):
                needed = sum(count for kinds, count in inside if not kinds & ~union)
                weight = least if union == whole else 0
                found.append(Wanted(weight, union, needed, admits))
        return sorted(found, reverse=True)

    def _weight(self, kinds: int) -> int:
        """Tell what a device of some kinds takes of a budget at least."""
        costs = [cost for kind, cost in self._costs.items() if kinds >> kind & 1]
        return min(costs, default=0)

    def _make_bins(self, cards: Mapping[int, Profile]) -> list[Bin]:
        known: dict[int, tuple[Option, ...]] = {}
        bins: list[Bin] = []
        most, weight = (0,) * len(self._weights), 0
        for card, profile in reversed(list(cards.items())):
            if profile.number not in known:
                known[profile.number] = tuple(self._options(profile))
            options = known[profile.number]
            best = [
                max(given) for given in zip(*(o.gives for o in options), strict=True)
            ]
            most = tuple(m + b for m, b in zip(most, best, strict=True))
            weight += max(option.weight for option in options)
            bins.append(Bin(card, options, most, weight))
        return bins[::-1]

    def _options(self, profile: Profile) -> Iterator[Option]:
        seen: set[tuple[Amounts, int]] = set()
        for mode in profile.modes:
            for gives, admits in self._uses(mode):
                if (gives, admits) not in seen:
                    seen.add((gives, admits))
                    pairs = zip(self._weights, gives, strict=True)
                    yield Option(sum(w * n for w, n in pairs), gives, mode, admits)

    def _uses(self, mode: Mode) -> Iterator[tuple[Amounts, int]]:
        lots, sets = (0,) * len(self._lots), (0,) * len(self._wanted)
        if not self._apart:
            loose = self._wanted[0].admits if self._wanted else 0
            for placed in self._placements(mode, lots, 0):
                taken = self._taken(placed)
                left = [_left(mode, wanted.kinds, taken) for wanted in self._wanted]
                gives = map(min, left, [wanted.needed for wanted in self._wanted])
                yield (*placed, *gives), loose
            return
        yield lots + sets, 0
        for index in range(len(lots)):
            placed = _with(lots, index, 1)
            if _holds(mode, self._taken(placed)):
                yield placed + sets, 0
        for index, wanted in enumerate(self._wanted):
            most = min(_rank(mode, wanted.kinds), wanted.needed)
            yield lots + _with(sets, index, most), wanted.admits

    def _placements(self, mode: Mode, placed: Amounts, start: int) -> Iterator[Amounts]:
        """List how many units of each lot a card can hold."""
        yield placed
        for index in range(start, len(self._lots)):
            more = _with(placed, index, placed[index] + 1)
            enough = more[index] <= len(self._lots[index].units)
            if enough and _holds(mode, self._taken(more)):
                yield from self._placements(mode, more, index)

    def _taken(self, placed: Amounts) -> dict[int, int]:
        """Count what placed units take, by set of kinds."""
        taken: dict[int, int] = {}
        for number, lot in zip(placed, self._lots, strict=True):
            for kinds, count in lot.parts if number else ():
                taken[kinds] = taken.get(kinds, 0) + number * count
        return taken


def _fullest(way: tuple[Amounts, tuple[int, Amounts, Option]]) -> tuple[int, Amounts]:
    return way[1][:2]


def _with(amounts: Amounts, index: int, amount: int) -> Amounts:
    return (*amounts[:index], amount, *amounts[index + 1 :])


def _least_costs(cards: Mapping[int, Profile]) -> dict[int, int]:
    costs: dict[int, int] = {}
    for profile in cards.values():
        for mode in profile.modes:
            for supply in mode.supplies:
                costs[supply.kind] = min(
                    supply.cost, costs.get(supply.kind, supply.cost)
                )
    return costs


def _disjoint(masks: Sequence[int]) -> set[int]:
    """Unite masks that overlap until none do."""
    parts: set[int] = set()
    for mask in masks:
        touching = {part for part in parts if part & mask}
        parts = (parts - touching) | {_union((mask, *touching))}
    return parts


def _union(masks: Sequence[int]) -> int:
    return list(accumulate(masks, int.__or__, initial=0))[-1]


def _unions(masks: set[int]) -> set[int]:
    unions: set[int] = set()
    for mask in masks:
        unions |= {mask} | {mask | other for other in unions}
    return unions


def _is_capped(cards: Mapping[int, Profile]) -> bool:
    """Tell whether a card gives less in sum than of each kind."""
    return any(
        mode.cap < sum(supply.cap for supply in mode.supplies)
        for profile in cards.values()
        for mode in profile.modes
    )


def _rank(mode: Mode, kinds: int) -> int:
    """Tell how many devices of some kinds a mode gives at most."""
    return min(mode.cap, sum(s.cap for s in mode.supplies if kinds >> s.kind & 1))


def _subsets(taken: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """List the unions of sets of kinds, each with what is taken of its members."""
    for size in range(len(taken) + 1):
        for some in combinations(taken, size):
            yield _union(some), sum(taken[kinds] for kinds in some)


def _holds(mode: Mode, taken: Mapping[int, int]) -> bool:
    """Tell whether a mode gives all that is taken (Hall's condition)."""
    return all(count <= _rank(mode, kinds) for kinds, count in _subsets(taken))


def _left(mode: Mode, kinds: int, taken: Mapping[int, int]) -> int:
    """Tell how many devices of some kinds a mode gives beside what is taken."""
    if not taken:
        return _rank(mode, kinds)
    return min(_rank(mode, kinds | more) - count for more, count in _subsets(taken))
