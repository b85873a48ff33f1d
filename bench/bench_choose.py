"""Choosing, beside what Nova and Placement do for the same request.

Seconds are CPU time of the one thread that works, on both sides, so that whatever
else runs on the machine does not count. Ours is choosing from start to end: it ranks
the best hosts and names cells, CPUs and devices. A scheduler of Nova's asks Placement
for candidates, builds the states of their hosts and filters these: the ratio is their
sum over our median.
"""

from __future__ import annotations

import time
import tracemalloc
from collections import deque
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import TYPE_CHECKING
from uuid import UUID

from bench.fleet import (
    OTHER_PRODUCT,
    AskedPlan,
    DevicePlan,
    FleetShape,
    HostPlan,
    RequestPlan,
    make_fleet,
    make_torn_fleet,
)
from bench.ours import request_of, state_of
from bench.peers.answers import Peers, Took, told
from bench.peers.environment import install
from bench.table import NOTHING, TIMES, Row, progress, show, shown, spread, times

from sundog.core.choosing.choose_host import Fleet, choose_host
from sundog.core.choosing.host_room import host_room
from sundog.core.hosts.host_snapshot import Holding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.table import Say

    from sundog.core.hosts.host_snapshot import HostState
    from sundog.core.requests.guest_request import GuestRequest

MIB = 1 << 20
ONE = RequestPlan(cells=((4, 4096),), asked=(AskedPlan(),))
EIGHT = RequestPlan(cells=((4, 4096),), asked=(AskedPlan(count=8),))
POLICIES = ("required", "socket", "legacy", "preferred")
MIXED = RequestPlan(
    cells=((2, 1024), (2, 1024)),
    asked=tuple(AskedPlan(policy=POLICIES[n % 4]) for n in range(8)),
)
WIDE = replace(MIXED, asked=tuple(replace(one, count=8) for one in MIXED.asked))
CELLS = RequestPlan(cells=((2, 1024),) * 8, asked=(AskedPlan(count=8),))


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured; Nova is asked up to ``nova`` hosts."""

    hosts: tuple[int, ...] = (10, 100, 1_000, 10_000)
    nova: int = 1_000
    rounds: int = 500
    rare: int = 10_000
    memory: int = 1_000
    vfs: int = 256


FULL = Sizes()


def rows(peers: Peers, say: Say, sizes: Sizes = FULL) -> Iterator[Row]:
    """Measure everything."""
    for hosts in sizes.hosts:
        say(f"choosing: one request over {hosts:,} hosts")
        yield from _growth(hosts, peers, sizes)
    say("choosing: one host in a hundred has the device")
    yield _rare(sizes)
    say("choosing: no host fits")
    yield _nowhere(peers, sizes)
    say("memory")
    yield _memory(peers, sizes)
    yield from _hard(peers, say, sizes)
    say("the books of one host")
    yield from _books(peers, sizes)


def _growth(hosts: int, peers: Peers, sizes: Sizes) -> Iterator[Row]:
    plans = make_fleet(FleetShape(hosts=hosts, fill=0.5))
    fleet = Fleet(map(state_of, plans))
    unlike = len(list(fleet.groups()))
    chosen, changed = _churn(fleet, request_of(ONE), sizes.rounds)
    size = f"{hosts:,} hosts, {unlike:,} unlike"
    placement = peers.placement(plans, ONE)
    nova = peers.nova(plans, ONE) if hosts <= sizes.nova else None
    yield Row(
        work="4 pinned CPUs, one VF, required; 16 VFs in 2 cells",
        size=size,
        ours=spread(chosen),
        nova=_both(nova) if hosts <= sizes.nova else _guess(peers, hosts),
        placement=told(placement),
        ratio=_ratio(median(chosen), nova, placement),
    )
    if hosts == sizes.hosts[-1]:
        yield Row(work="a change of one host", size=size, ours=spread(changed))


def _both(nova: Took | None) -> str:
    return told(nova) if nova is None else f"{nova} + {shown(nova.built)} states"


def _guess(peers: Peers, hosts: int) -> str:
    """Say what Nova would take, from a hundredth of the hosts."""
    sample = peers.nova(make_fleet(FleetShape(hosts=hosts // 100, fill=0.5)), ONE)
    if sample is None:
        return told(sample)
    return f"not run: about {sample.seconds * 100:.0f} s"


def _ratio(ours: float, *peers: Took | None) -> str:
    known = [took for took in peers if took is not None]
    if not known:
        return NOTHING
    more = "> " if any(took.over for took in known) else ""
    return more + times(sum(took.seconds + took.built for took in known), ours)


def _churn(
    fleet: Fleet, request: GuestRequest, rounds: int
) -> tuple[list[float], list[float]]:
    """Choose and hold, again and again; a guest goes when its time has come."""
    chosen, changed = [], []
    guests: deque[tuple[str, UUID]] = deque()
    for number in range(rounds):
        start = time.thread_time()
        best = choose_host(request, fleet)
        chosen.append(time.thread_time() - start)
        if best:
            holding = Holding(consumer=UUID(int=number), assignment=best[0])
            changed.append(_put(fleet, best[0].host, holding))
            guests.append((best[0].host, holding.consumer))
        if len(guests) > 2 * len(list(fleet.states())) or not best:
            _drop(fleet, *guests.popleft())
    return chosen, changed


def _put(fleet: Fleet, host: str, holding: Holding) -> float:
    state = _known(fleet, host)
    start = time.thread_time()
    fleet.put(replace(state, holdings=(*state.holdings, holding)))
    return time.thread_time() - start


def _drop(fleet: Fleet, host: str, consumer: UUID) -> None:
    state = _known(fleet, host)
    left = tuple(held for held in state.holdings if held.consumer != consumer)
    fleet.put(replace(state, holdings=left))


def _known(fleet: Fleet, host: str) -> HostState:
    state = fleet.get(host)
    if state is None:
        raise KeyError(host)
    return state


def _rare(sizes: Sizes) -> Row:
    few = sizes.rare // 100
    shape = FleetShape(hosts=few, fill=0.5)
    others = replace(
        shape, hosts=sizes.rare - few, name="other", product=OTHER_PRODUCT, seed=2
    )
    fleet = Fleet(map(state_of, [*make_fleet(shape), *make_fleet(others)]))
    chosen, _ = _churn(fleet, request_of(ONE), sizes.rounds)
    size = f"{sizes.rare:,} hosts, {few} have it"
    return Row(work="the same, of a rare device", size=size, ours=spread(chosen))


def _nowhere(peers: Peers, sizes: Sizes) -> Row:
    """Refuse: every host has to be looked at, and none can be told from its sums."""
    plans = make_torn_fleet(sizes.memory)
    fleet, request = Fleet(map(state_of, plans)), request_of(ONE)
    seconds = []
    for _ in range(max(2, sizes.rounds // 5)):
        start = time.thread_time()
        best = choose_host(request, fleet)
        seconds.append(time.thread_time() - start)
        if best:
            raise AssertionError(f"no host fits, and {best[0].host} was chosen")
    nova, placement = peers.nova(plans, ONE), peers.placement(plans, ONE)
    return Row(
        work="the same, fits nowhere: VFs and CPUs in different cells",
        size=f"{sizes.memory:,} unlike hosts",
        ours=spread(seconds),
        nova=_both(nova),
        placement=told(placement),
        ratio=_ratio(median(seconds), nova, placement),
    )


def _memory(peers: Peers, sizes: Sizes) -> Row:
    plans = make_fleet(FleetShape(hosts=sizes.memory, fill=0.5))
    tracemalloc.start()
    fleet = Fleet(map(state_of, plans))
    ours = tracemalloc.get_traced_memory()[0] / MIB
    tracemalloc.stop()
    del fleet
    nova = peers.nova(plans[: max(1, sizes.memory // 10)], ONE, memory=True)
    theirs = 10 * nova.memory / MIB if nova else 0.0
    return Row(
        work="memory of the fleet",
        size=f"{sizes.memory:,} hosts {TIMES} 16 devices",
        ours=f"{ours:.0f} MiB",
        nova=f"{theirs:.0f} MiB, by a tenth" if nova else NOTHING,
        ratio=times(theirs, ours) if nova else NOTHING,
    )


def _hard(peers: Peers, say: Say, sizes: Sizes) -> Iterator[Row]:
    singles = FleetShape(hosts=10, cards_a_cell=8, vfs=0)
    many = replace(singles, hosts=max(sizes.hosts[-2:-1] or (10,)))
    say("alias:8 on 16 single cards")
    work = "alias:8 on hosts with 16 single cards"
    plans = make_fleet(singles)
    seconds = _alone(plans, EIGHT, sizes)
    hundred = peers.nova(plans, EIGHT, most=100)
    placement = peers.placement(plans, EIGHT)
    yield Row(
        work=work,
        size="10 hosts",
        ours=spread(seconds),
        nova=told(hundred),
        placement=told(placement),
        ratio=_ratio(median(seconds), hundred, placement),
    )
    tuned = peers.placement(plans, EIGHT, tuned=True)
    yield Row(
        work=work,
        size="10 hosts, 3 options tuned",
        ours=spread(seconds),
        nova=told(hundred),
        placement=told(tuned),
        ratio=_ratio(median(seconds), hundred, tuned),
    )
    alone = _alone(make_fleet(many), EIGHT, sizes)
    yield Row(work=work, size=f"{many.hosts:,} hosts", ours=spread(alone))
    yield from _one_host(peers, say, sizes)


def _one_host(peers: Peers, say: Say, sizes: Sizes) -> Iterator[Row]:
    eight = make_fleet(FleetShape(hosts=1, cards_a_cell=4, vfs=0))
    wide = make_fleet(FleetShape(hosts=1, cards_a_cell=4, vfs=8))
    cases = (
        ("8 requests, mixed policies, one host", "8 single cards", eight, MIXED),
        ("8 requests, mixed policies, one host", "8 VFs each, 64 VFs", wide, WIDE),
        ("8 guest cells, one device each", "16 host cells", crossed(), CELLS),
    )
    for work, size, plans, request in cases:
        say(f"{work}: {size}")
        seconds = _alone(plans, request, sizes)
        cells = request is CELLS
        nova = peers.nova(plans, request, most=1 if cells else 1000)
        placement = None if cells else peers.placement(plans, request)
        yield Row(
            work=work,
            size=size,
            ours=spread(seconds),
            nova=_found(nova),
            placement=told(placement),
            ratio=_ratio(median(seconds), nova, placement),
        )


def _found(nova: Took | None) -> str:
    if nova is None or nova.over or nova.found:
        return told(nova)
    return f"{nova}, finds none"


def crossed() -> tuple[HostPlan, ...]:
    """Make a host of 16 cells: every other has the device, the rest have others.

    Whoever tries the cells with the most devices first, tries the wrong ones.
    """
    (plan,) = make_fleet(FleetShape(hosts=1, cells=16, cores=4, cards_a_cell=1, vfs=0))
    wanted = [device for device in plan.devices if (device.cell or 0) % 2]
    others = [
        DevicePlan(address=address, card=address, product=OTHER_PRODUCT, cell=cell)
        for cell in range(0, 16, 2)
        for address in (f"0001:{cell:02x}:00.0", f"0001:{cell:02x}:01.0")
    ]
    return (replace(plan, devices=(*wanted, *others)),)


def _alone(
    plans: Sequence[HostPlan], request: RequestPlan, sizes: Sizes
) -> list[float]:
    """Choose again and again on a fleet that stays as it is."""
    fleet, asked = Fleet(map(state_of, plans)), request_of(request)
    seconds = []
    for _ in range(max(2, sizes.rounds // 5)):
        start = time.thread_time()
        best = choose_host(asked, fleet)
        seconds.append(time.thread_time() - start)
        if not best:
            raise AssertionError(f"there is a fit for {asdict(request)}, not found")
    return seconds


def _books(peers: Peers, sizes: Sizes) -> Iterator[Row]:
    (plan,) = make_fleet(FleetShape(hosts=1, vfs=sizes.vfs // 2))
    state = state_of(plan)
    fleet, request = Fleet([state]), request_of(ONE)
    built, consumed = [], []
    for number in range(max(2, sizes.rounds // 10)):
        start = time.thread_time()
        host_room(state)
        built.append(time.thread_time() - start)
        holding = Holding(
            consumer=UUID(int=number), assignment=choose_host(request, fleet)[0]
        )
        consumed.append(_put(fleet, plan.name, holding))
        _drop(fleet, plan.name, holding.consumer)
    theirs = peers.pools(plan, ONE, len(built))
    names = ("build what is free", "consume one")
    for name, ours, took in zip(
        names, (built, consumed), theirs or (None, None), strict=True
    ):
        yield Row(
            work=f"books of one host: {name}",
            size=f"{sizes.vfs} VFs",
            ours=spread(ours),
            nova=told(took),
            ratio=_ratio(median(ours), took),
        )


def main() -> None:
    say = progress()
    install(say)
    show(rows(Peers(), say), "Choosing")


if __name__ == "__main__":
    main()
