"""Device requests onto cards, exactly and at the least cost.

For a given set of host cells this is a minimum-cost flow from demands to the kinds of
supply of each card, as soon as each card's mode is chosen and each demand that must
stay on one card (or keep cards to itself) has its cards. Whether those choices can be
made at all is packing's answer; a fit that crosses fewer cells is then searched with
the flow over what is still open as the bound: a branch whose bound is no better than
the best answer is not entered, and the search ends when the best answer meets the
bound of the root, or when ``MOST_WORK`` is done. Cards that look the same to the
request are tried once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sundog.core.choosing.card_room import NO_LIMIT
from sundog.core.choosing.fitting.card_modes import Mode, Profile, mode_cap
from sundog.core.choosing.fitting.covers import covers, wide_covers
from sundog.core.choosing.fitting.flow import Network
from sundog.core.choosing.fitting.packing import Filled, Packing
from sundog.core.requests.guest_request import NumaPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sundog.core.choosing.fitting.ask import Ask, Unit
    from sundog.core.choosing.fitting.card_modes import Kind

# A cost holds three sums over at most 512 devices, each above all of the next:
# places of the wants in their lists, cells crossed, worth of the cards.
CROSSING = 1 << 16
WANTING = 1 << 28
WANT_FAR = WANTING // CROSSING

# Edges of flow networks that are looked at, for one request on one host, to find the
# fit that crosses the fewest cells; whether a fit exists does not depend on it.
MOST_WORK = 20_000

# Failed states after which the second packing, which is nearer if it fits, is given up.
FEW_STATES = 50

SAME, UNKNOWN, SOCKET, FAR = range(4)
ALLOWED = {
    NumaPolicy.REQUIRED: (SAME,),
    NumaPolicy.SOCKET: (SAME, SOCKET),
    NumaPolicy.LEGACY: (SAME, UNKNOWN),
    NumaPolicy.PREFERRED: (SAME, UNKNOWN, SOCKET, FAR),
}


class Where(NamedTuple):
    """The guest's host cells and all cells of their sockets, as masks."""

    cells: int
    sockets: int

    def crossing(self, mask: int) -> int:
        """Tell how far a device with this cell mask is: a column of the policies."""
        if mask & self.cells:
            return SAME
        if not mask:
            return UNKNOWN
        return SOCKET if mask & self.sockets else FAR


class Pool(NamedTuple):
    """Cards used alike, and the demands (as a mask) that they may serve."""

    cards: tuple[int, ...]
    profile: Profile
    mode: Mode
    admits: int


class Taken(NamedTuple):
    """``amount`` devices of a kind that a pool gives to a demand."""

    pool: int
    kind: int
    demand: int
    amount: int


@dataclass(frozen=True, slots=True)
class Service:
    """Who is served from where, at what cost."""

    cost: int
    pools: tuple[Pool, ...]
    taken: tuple[Taken, ...]

    @property
    def far(self) -> int:
        """The cost that is worth a search: wants and crossing."""
        return self.cost // CROSSING


class DeviceFit:
    """The search for one request on one host's cards."""

    def __init__(
        self, ask: Ask, profiles: Sequence[Profile | None], work: int = MOST_WORK
    ) -> None:
        """Take the profiles of the host's cards, by index."""
        self._ask = ask
        self._cards = {i: p for i, p in enumerate(profiles) if p is not None}
        one_mode = all(len(p.modes) == 1 for p in self._cards.values())
        self._is_flow = one_mode and not ask.units
        self._known: dict[Where, Service | None] = {}
        self._costs: dict[tuple[int, int], int | None] = {}
        self._where = Where(0, 0)
        self._work = work
        self._least = tuple(self._least_cost(d) for d in range(len(ask.demands)))

    def solve(self, where: Where) -> Service | None:
        """Serve all demands at the least cost, or tell that it cannot be done."""
        if where not in self._known:
            self._where = where
            self._costs = {}
            root = self._serve(self._pools({}))
            if root is not None and not self._is_flow:
                found = self._pack(root.far)
                if found is not None and found.far > root.far:
                    found = self._bind({}, found, root.far)
                root = found
            self._known[where] = root
        return self._known[where]

    @property
    def is_tired(self) -> bool:
        """Whether no more work is to be spent on better fits."""
        return self._work <= 0

    def _pack(self, goal: int) -> Service | None:
        """Find a fit, and perhaps a nearer one: exact only on whether there is any."""
        demands = range(len(self._ask.demands))
        kinds = [
            sum(
                1 << kind
                for kind in range(len(self._ask.kinds))
                if self._cost(demand, kind) is not None
            )
            for demand in demands
        ]
        profiles = {profile.number: profile for profile in self._cards.values()}
        near = {number: self._nearest(p) for number, p in profiles.items()}
        order = sorted(self._cards, key=lambda c: (near[self._cards[c].number], c))
        cards = {card: self._cards[card] for card in order}
        packing = Packing(self._ask, cards, kinds)
        filled = packing.search()
        found = filled and self._use(filled)
        if not found or found.far == goal or self.is_tired:
            return found or None
        filled = packing.search(few=FEW_STATES)
        other = filled and self._use(filled)
        return other if other and other.cost < found.cost else found

    def _use(self, filled: list[Filled]) -> Service | None:
        alike: dict[tuple[int, Mode, int], list[int]] = {}
        for card, mode, admits in filled:
            number = self._cards[card].number
            alike.setdefault((number, mode, admits), []).append(card)
        return self._serve(
            [
                Pool(tuple(cards), self._cards[cards[0]], mode, admits)
                for (_, mode, admits), cards in alike.items()
            ]
        )

    def _nearest(self, profile: Profile) -> int:
        """Tell what the best that a card has for any demand costs."""
        costs = (
            self._cost(demand, kind)
            for kind in {s.kind for mode in profile.modes for s in mode.supplies}
            for demand in range(len(self._ask.demands))
        )
        return min((cost for cost in costs if cost is not None), default=NO_LIMIT)

    def _least_cost(self, demand: int) -> int:
        """Tell what a device for a demand takes of any card's budget at least."""
        costs = (
            supply.cost
            for profile in self._cards.values()
            for mode in profile.modes
            for supply in mode.supplies
            if self._ask.kinds[supply.kind].wants[demand] >= 0
        )
        return min(costs, default=0)

    def _cost(self, demand: int, kind: int) -> int | None:
        key = (demand, kind)
        if key not in self._costs:
            policy = self._ask.demands[demand].policy
            self._costs[key] = _cost(self._ask.kinds[kind], demand, policy, self._where)
        return self._costs[key]

    def _pools(self, owners: dict[int, frozenset[int]]) -> list[Pool]:
        grouped: dict[tuple[int, int], list[int]] = {}
        for card, profile in self._cards.items():
            admits = self._admits(card, owners)
            grouped.setdefault((profile.number, admits), []).append(card)
        pools = []
        for (_, admits), cards in grouped.items():
            profile = self._cards[cards[0]]
            some = tuple(cards if len(profile.modes) == 1 else cards[: self._ask.total])
            pools.append(Pool(some, profile, profile.widest, admits))
        return pools

    def _admits(self, card: int, owners: dict[int, frozenset[int]]) -> int:
        """Tell which demands a card may serve, as far as it is decided."""
        units = self._ask.units
        mine = [unit for unit, cards in owners.items() if card in cards]
        if mine and self._ask.isolate and not self._ask.one_a_card:
            return sum(1 << demand for demand in units[mine[0]].demands)
        barred = {d for u in owners if u not in mine for d in units[u].demands}
        return sum(1 << d for d in range(len(self._ask.demands)) if d not in barred)

    def _bind(
        self, owners: dict[int, frozenset[int]], best: Service, goal: int
    ) -> Service:
        """Give each unit, one after the other, its cards; then serve."""
        pools = self._pools(owners)
        bound = self._serve(pools)
        if bound is None or self._is_enough(bound, best):
            return best
        if len(owners) == len(self._ask.units):
            return self._settle([], pools, best)
        unit = len(owners)
        for cards in self._choices(self._ask.units[unit], pools):
            best = self._bind({**owners, unit: frozenset(cards)}, best, goal)
            if self.is_tired or best.far == goal:
                break
        return best

    def _choices(self, unit: Unit, pools: list[Pool]) -> Iterator[tuple[int, ...]]:
        """List the ways to give a unit cards of its own, alike cards once."""
        counts = {d: self._ask.demands[d].count for d in unit.demands}
        if unit.one_card:
            for pool in pools:
                if all(self._most(d, pool) >= count for d, count in counts.items()):
                    yield pool.cards[:1]
            return
        ((demand, count),) = counts.items()
        open_pools = [(self._most(demand, pool), pool.cards) for pool in pools]
        open_pools = [pool for pool in open_pools if pool[0]]
        yield from covers(open_pools, count)
        yield from wide_covers(open_pools, count, count)

    def _most(self, demand: int, pool: Pool) -> int:
        if not pool.admits >> demand & 1:
            return 0
        return max(
            min(
                mode.cap,
                sum(
                    supply.cap
                    for supply in mode.supplies
                    if self._cost(demand, supply.kind) is not None
                ),
            )
            for mode in pool.profile.modes
        )

    def _settle(self, done: list[Pool], rest: list[Pool], best: Service) -> Service:
        """Choose a mode for each card that has several; then serve.

        Cards that are alike take their modes in the order of the list.
        """
        bound = self._serve(done + rest) if self._budgets_hold(done + rest) else None
        if bound is None or self._is_enough(bound, best):
            return best
        done += [pool for pool in rest if len(pool.profile.modes) == 1]
        rest = [pool for pool in rest if len(pool.profile.modes) > 1]
        if not rest:
            return bound
        pool = rest[0]
        modes = _likely_first(pool, bound)
        for index, mode in enumerate(modes):
            one = pool._replace(cards=pool.cards[:1], mode=mode)
            others = rest[1:]
            if len(pool.cards) > 1:
                profile = pool.profile._replace(modes=modes[index:])
                left = pool.cards[1:]
                others = [Pool(left, profile, profile.widest, pool.admits), *others]
            best = self._settle([*done, one], others, best)
            if self.is_tired or best.far == bound.far:
                break
        return best

    def _is_enough(self, bound: Service, best: Service) -> bool:
        """Tell whether a branch is not worth entering."""
        return self.is_tired or bound.far >= best.far

    def _budgets_hold(self, pools: list[Pool]) -> bool:
        """Tell whether the cards' budgets can bear all demands, if cut at will."""
        demands = range(len(self._ask.demands))
        network = Network(2 + len(demands))
        for pool in pools:
            node = network.node()
            network.add(node, 1, len(pool.cards) * pool.profile.budget)
            for demand in demands:
                if self._least[demand] and self._gives(pool, demand):
                    network.add(2 + demand, node, NO_LIMIT)
        weights = [
            demand.count * least
            for demand, least in zip(self._ask.demands, self._least, strict=True)
        ]
        for demand, weight in enumerate(weights):
            network.add(0, 2 + demand, weight)
        holds = network.send(0, 1, sum(weights)) is not None
        self._work -= network.work
        return holds

    def _gives(self, pool: Pool, demand: int) -> bool:
        """Tell whether a pool has anything for a demand."""
        return bool(pool.admits >> demand & 1) and any(
            self._cost(demand, supply.kind) is not None for supply in pool.mode.supplies
        )

    def _serve(self, pools: list[Pool]) -> Service | None:
        """Send every demand to the pools, as they are, at the least cost."""
        demands = self._ask.demands
        network = Network(2 + len(demands))
        for number, demand in enumerate(demands):
            network.add(0, 2 + number, demand.count)
        edges: list[tuple[int, Taken]] = []
        for index, pool in enumerate(pools):
            edges += self._connect(network, index, pool)
        cost = network.send(0, 1, self._ask.total)
        self._work -= network.work
        if cost is None:
            return None
        flows = ((network.flow(edge), taken) for edge, taken in edges)
        taken = tuple(t._replace(amount=amount) for amount, t in flows if amount)
        return Service(cost, tuple(pools), taken)

    def _connect(
        self, network: Network, index: int, pool: Pool
    ) -> Iterator[tuple[int, Taken]]:
        exit_node = network.node()
        network.add(exit_node, 1, len(pool.cards) * mode_cap(pool.mode))
        sums: dict[int, int] = {}
        for supply in pool.mode.supplies:
            sums[supply.kind] = sums.get(supply.kind, 0) + supply.cap
        for kind, cap in sums.items():
            node = network.node()
            network.add(node, exit_node, len(pool.cards) * cap)
            for demand in range(len(self._ask.demands)):
                cost = self._cost(demand, kind)
                if cost is not None and pool.admits >> demand & 1:
                    edge = network.add(2 + demand, node, self._ask.total, cost)
                    yield edge, Taken(index, kind, demand, 0)


def _cost(kind: Kind, demand: int, policy: NumaPolicy, where: Where) -> int | None:
    want = kind.wants[demand]
    crossing = where.crossing(kind.mask)
    if want < 0 or crossing not in ALLOWED[policy]:
        return None
    return want * WANTING + crossing * CROSSING + kind.score


def _likely_first(pool: Pool, bound: Service) -> tuple[Mode, ...]:
    """Order a card's modes by how much of what the bound takes they could give."""
    asked: dict[int, int] = {}
    for taken in bound.taken:
        if bound.pools[taken.pool] is pool:
            amount = -(-taken.amount // len(pool.cards))
            asked[taken.kind] = asked.get(taken.kind, 0) + amount

    def given(mode: Mode) -> int:
        return sum(
            min(supply.cap, asked.get(supply.kind, 0)) * supply.cost
            for supply in mode.supplies
        )

    return tuple(sorted(pool.profile.modes, key=given, reverse=True))
