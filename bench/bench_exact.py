"""Random small fits against trying everything: ours, and Nova's where it can ask.

A false rejection: a fit exists and was not found. A false acceptance: what was
accepted breaks a rule, or nothing fits at all. Wrong pins: CPUs that are another
guest's, or of another cell. Farther: a fit that crosses fewer cells exists.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from os import cpu_count
from typing import TYPE_CHECKING, Any, Final

from bench.ours import request_of, state_of
from bench.peers.answers import Peers
from bench.peers.environment import install
from bench.small_cases import small_case
from bench.table import Row, progress, show
from tests.core.choosing.brute_force import best_crossing, device_choices, used_cpus
from tests.core.choosing.small_hosts import any_request
from tests.core.choosing.soundness import faults
from tests.core.choosing.test_exact import crossing, seeded, used_host

from sundog.core.choosing.fit_host import fit_host

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.table import Say

    from sundog.core.hosts.host_snapshot import HostState
    from sundog.core.requests.guest_request import GuestRequest

    NovaFit = list[dict[str, Any]] | None

PART: Final = 250
FALSE_REJECTION: Final = "false rejections"
FALSE_ACCEPTANCE: Final = "false acceptances"
WRONG_PINS: Final = "wrong pins"
FARTHER: Final = "farther than the best"
FITTING: Final = "fitting"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many cases: of everything that Sundog knows, and of what Nova knows too."""

    own: int = 20_000
    shared: int = 4_000


def rows(peers: Peers, say: Say, sizes: Sizes | None = None) -> Iterator[Row]:
    """Try the cases."""
    sizes = sizes or Sizes()
    yield from _own(say, sizes.own)
    yield from _shared(peers, say, sizes.shared)


def _own(say: Say, count: int) -> Iterator[Row]:
    found = _in_parts(say, "fits of every kind", own_part, count)
    work = f"{count:,} random fits against trying everything"
    yield Row(work=work, size="that fit", ours=f"{found[FITTING]:,}")
    for name in (FALSE_REJECTION, FALSE_ACCEPTANCE, FARTHER):
        yield Row(work=work, size=name, ours=str(found[name]))


def _shared(peers: Peers, say: Say, count: int) -> Iterator[Row]:
    found = _in_parts(say, "fits that Nova knows too", shared_part, count)
    say(f"fits that Nova knows too: Nova's answers to {count:,}")
    cases = [small_case(seed) for seed in range(count)]
    answers = peers.fits([c[0] for c in cases], [c[1] for c in cases])
    theirs: Counter[str] = Counter()
    for seed, answer in enumerate(answers or ()):
        theirs.update(judge_nova(seed, answer))
    work = f"{count:,} random fits that Nova knows too"
    asked = answers is not None
    yield Row(
        work=work,
        size="that fit",
        ours=f"{found[FITTING]:,}",
        **({"nova": f"{theirs[FITTING]:,}"} if asked else {}),
    )
    for name in (FALSE_REJECTION, FALSE_ACCEPTANCE, WRONG_PINS):
        yield Row(
            work=work,
            size=name,
            ours=str(found[name]),
            **({"nova": str(theirs[name])} if asked else {}),
        )


def _in_parts(say: Say, what: str, part: Any, count: int) -> Counter[str]:  # noqa: ANN401 - a function
    """Share the cases out to a process for each CPU."""
    found: Counter[str] = Counter()
    parts = [range(start, min(start + PART, count)) for start in range(0, count, PART)]
    if len(parts) == 1:
        return Counter(part(parts[0]))
    with ProcessPoolExecutor(cpu_count(), get_context("spawn")) as pool:
        for number, one in enumerate(pool.map(part, parts)):
            found.update(one)
            if number % 20 == 0:
                say(f"{what}: {min((number + 1) * PART, count):,} of {count:,}")
    return found


def own_part(seeds: Sequence[int]) -> Counter[str]:
    """Try cases of everything that Sundog knows."""
    found: Counter[str] = Counter()
    for seed in seeds:
        random = seeded(seed)
        state = used_host(random)
        request = any_request(random, state.snapshot)
        found.update(_judge(request, state))
        best, ours = best_crossing(request, state), crossing(request, state)
        found[FARTHER] += best is not None and ours is not None and ours > best
    return found


def shared_part(seeds: Sequence[int]) -> Counter[str]:
    """Try cases that Nova knows too."""
    found: Counter[str] = Counter()
    for seed in seeds:
        host, asked = small_case(seed)
        found.update(_judge(request_of(asked), state_of(host)))
    return found


def _judge(request: GuestRequest, state: HostState) -> Iterator[str]:
    fits = best_crossing(request, state) is not None
    ours = fit_host(request, state)
    if fits:
        yield FITTING
    if fits and ours is None:
        yield FALSE_REJECTION
    if ours is not None and (not fits or faults(ours, request, state)):
        yield FALSE_ACCEPTANCE


def judge_nova(seed: int, answer: NovaFit) -> Iterator[str]:
    """Say what is wrong with Nova's answer to a case: cells and pins, or none."""
    host, asked = small_case(seed)
    request, state = request_of(asked), state_of(host)
    fits = best_crossing(request, state) is not None
    if fits:
        yield FITTING
    if answer is None:
        if fits:
            yield FALSE_REJECTION
        return
    occupied = {cell["cell"] for cell in answer}
    if not fits or next(device_choices(request, state, occupied), None) is None:
        yield FALSE_ACCEPTANCE
    elif not _pins_are_sound(answer, state):
        yield WRONG_PINS


def _pins_are_sound(answer: list[dict[str, Any]], state: HostState) -> bool:
    used = used_cpus(state)
    cells = {cell.id: cell for cell in state.snapshot.cells}
    pinned = [cpu for one in answer for _, cpu in one["pins"]]
    return len(set(pinned)) == len(pinned) and all(
        cpu in cells[one["cell"]].dedicated and cpu not in used
        for one in answer
        for _, cpu in one["pins"]
    )


def main() -> None:
    say = progress()
    install(say)
    show(rows(Peers(), say), "Exactness")


if __name__ == "__main__":
    main()
