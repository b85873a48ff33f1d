"""Several choosers at once fill a fleet to its last device, against one Placement.

Each chooser is a process with a view of its own; they share Placement (one process,
over HTTP on loopback) and the claims (SQLite), as several conductors would. Nobody
waits for anybody: each chooses from what it knows, and reads the claims on that host:
if they have what it chose, it chooses anew. It records its claim, and reads again: who
meets another one steps back. Then it writes to Placement, and the host judges, under
its lock, whether the very CPUs and devices are free. Who is refused by Placement or by
the host has wasted a try.

In the same run the same processes write the same number of claims to Placement with
nothing to choose: Placement's own rate.
"""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from bench.chooser import ONE, START_SECONDS, Arena, Tally, choose_in_process
from bench.fleet import FleetShape, make_fleet
from bench.ours import request_of, state_of
from bench.table import Row, progress, show
from waitress.server import create_server

from sundog.core.choosing.fit_host import fit_host
from sundog.core.hosts.allocation import allocation_of
from sundog.core.hosts.called_tree import call_for
from sundog.core.hosts.host_snapshot import Holding, HostState
from sundog.core.lives.claim import ClaimState
from sundog.edges.placement.embedded import EmbeddedPlacement
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.sessions import token_session
from sundog.edges.storage.store import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.fleet import HostPlan
    from bench.table import Say

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.hosts.provider_tree import Allocation

END_SECONDS: Final = 300
SPAWN: Final = get_context("spawn")


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many choosers fill how many hosts of 16 devices."""

    choosers: int = 8
    hosts: int = 20


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What all choosers did, and what was found afterwards."""

    devices: int
    tallies: tuple[Tally, ...]
    oversold: int
    lost: int
    written: int

    @property
    def placed(self) -> int:
        """How many servers have their device."""
        return sum(tally.placed for tally in self.tallies)

    @property
    def tried(self) -> int:
        """How many claims were written, or tried to be."""
        return sum(tally.tried for tally in self.tallies)

    @property
    def rate(self) -> float:
        """Servers placed per second, by all together."""
        start = min(tally.start for tally in self.tallies)
        end = max(tally.end for tally in self.tallies)
        return self.placed / (end - start)

    @property
    def alone(self) -> float:
        """Claims per second that Placement takes when nobody chooses."""
        start = min(tally.alone[0] for tally in self.tallies)
        return self.written / (max(tally.alone[1] for tally in self.tallies) - start)


def serve_placement(folder: str, told: Any) -> None:  # noqa: ANN401 - a queue
    """Serve Placement in a process of its own."""
    logging.disable(logging.WARNING)  # it would log every refusal
    placement = EmbeddedPlacement(Path(folder) / "placement.db")
    server = create_server(placement, host="127.0.0.1", port=0, threads=8)
    told.put(f"http://127.0.0.1:{server.effective_port}")
    server.run()


@contextmanager
def placement_apart(folder: str) -> Iterator[str]:
    """Give the address of a Placement that another process serves."""
    told = SPAWN.Queue()
    server = SPAWN.Process(target=serve_placement, args=(folder, told), daemon=True)
    server.start()
    try:
        yield told.get(timeout=START_SECONDS)
    finally:
        server.kill()
        server.join()


def compete(sizes: Sizes, say: Say) -> Outcome:
    """Let the choosers fill the fleet; look afterwards at what is there."""
    plans = make_fleet(FleetShape(hosts=sizes.hosts))
    with tempfile.TemporaryDirectory() as folder, placement_apart(folder) as address:
        arena = Arena(placement=address, folder=folder, plans=plans)
        ledger = PlacementLedger(token_session(address, "admin"))
        with open_store(arena.database) as store:
            say(f"choosers: report {len(plans)} hosts to Placement")
            for plan in plans:
                ledger.report(call_for(state_of(plan).snapshot, ()))
            shares = _shares(plans, sizes.choosers)
            say(f"{sizes.choosers} choosers fill {len(plans)} hosts")
            tallies = _run(arena, shares)
            return _look_afterwards(arena, store, ledger, tallies)


def _shares(
    plans: Sequence[HostPlan], count: int
) -> list[list[tuple[UUID, Allocation]]]:
    """Choose for every device of the fleet beforehand, dealt out to the choosers."""
    shares: list[list[tuple[UUID, Allocation]]] = [[] for _ in range(count)]
    request, number = request_of(ONE), 0
    for plan in plans:
        state = state_of(plan)
        while assignment := fit_host(request, state):
            consumer = uuid4()
            allocation = allocation_of(assignment, state.snapshot)
            shares[number % count].append((consumer, _plain(allocation)))
            held = Holding(consumer=consumer, assignment=assignment)
            state = HostState(snapshot=state.snapshot, holdings=(*state.holdings, held))
            number += 1
    return shares


def _plain(allocation: Allocation) -> Allocation:
    return {provider: dict(amounts) for provider, amounts in allocation.items()}


def _run(
    arena: Arena, shares: Sequence[Sequence[tuple[UUID, Allocation]]]
) -> tuple[Tally, ...]:
    ready, told = SPAWN.Barrier(len(shares)), SPAWN.Queue()
    choosers = [
        SPAWN.Process(
            target=choose_in_process, args=(arena, share, ready, told), daemon=True
        )
        for share in shares
    ]
    for chooser in choosers:
        chooser.start()
    try:
        return tuple(told.get(timeout=END_SECONDS) for _ in choosers)
    except Empty:
        raise SystemExit(f"the choosers took more than {END_SECONDS} s") from None
    finally:
        for chooser in choosers:
            chooser.kill()
            chooser.join()


def _look_afterwards(
    arena: Arena, store: Store, ledger: PlacementLedger, tallies: tuple[Tally, ...]
) -> Outcome:
    """Compare claims, devices and Placement.

    Oversold: a device with more than one server. Lost: a device that nobody has
    although it was asked for, or a server that Placement and the claims do not agree
    about.
    """
    devices = sum(len(plan.devices) for plan in arena.plans)
    taken: Counter[tuple[str, object]] = Counter()
    lost = 0
    for plan in arena.plans:
        snapshot = state_of(plan).snapshot
        claims = {claim.consumer: claim for claim in store.claims.of_host(plan.name)}
        lost += len(claims.keys() ^ ledger.consumers(snapshot.uuid))
        for claim in claims.values():
            wanted: Mapping[Any, Any] = allocation_of(claim.assignment, snapshot)
            lost += ledger.allocation(claim.consumer) != wanted
            lost += claim.state is not ClaimState.ALLOCATED
            taken.update(_devices(claim.assignment))
    return Outcome(
        devices=devices,
        tallies=tallies,
        oversold=sum(count - 1 for count in taken.values()),
        lost=lost + devices - len(taken),
        written=devices,
    )


def _devices(assignment: Assignment) -> Iterator[tuple[str, object]]:
    for share in assignment.devices:
        yield assignment.host, share.address


def rows(say: Say, sizes: Sizes | None = None) -> Iterator[Row]:
    """Measure, and say what was found."""
    sizes = sizes or Sizes()
    found = compete(sizes, say)
    work = f"{sizes.choosers} choosers fill a fleet"
    wasted = found.tried - found.placed
    by_host = sum(tally.refused_by_host for tally in found.tallies)
    size = f"{sizes.hosts} hosts, {found.devices} devices"
    yield Row(work=work, size=size, ours=f"{found.placed} placed")
    yield Row(
        work=work,
        size="oversold, lost",
        ours=f"{found.oversold} oversold, {found.lost} lost",
    )
    yield Row(
        work=work,
        size=f"tries wasted, of {found.tried}",
        ours=f"{wasted} ({100 * wasted / found.tried:.1f} %)",
    )
    back = sum(tally.stepped_back for tally in found.tallies)
    anew = sum(tally.chosen_anew for tally in found.tallies)
    for size, count in (
        ("of them, the host's word", by_host),
        ("stepped back, not written", back),
        ("chosen anew after a look", anew),
    ):
        yield Row(work=work, size=size, ours=f"{count:,}")
    yield Row(
        work=work,
        size="claims per second",
        ours=f"{found.rate:.1f}",
        placement=f"{found.alone:.1f} alone",
        ratio=f"{found.rate / found.alone:.2f}",
    )


def main() -> None:
    show(rows(progress()), "Several choosers at once")


if __name__ == "__main__":
    main()
