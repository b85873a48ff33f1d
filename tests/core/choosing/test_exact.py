"""The search finds what trying everything finds, on thousands of small hosts."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.choosing.brute_force import best_crossing
from tests.core.choosing.small_hosts import any_request, any_snapshot, hold
from tests.core.choosing.soundness import faults

from sundog.core.choosing.choose_host import Order, Taste, check, choose_host, fit_host
from sundog.core.choosing.fit_host import fit_room
from sundog.core.choosing.fitting.ask import Ask
from sundog.core.choosing.fitting.device_fit import WANTING
from sundog.core.choosing.fleet import Fleet
from sundog.core.choosing.host_room import host_room
from sundog.core.choosing.taste import DEFAULT_TASTE
from sundog.core.hosts.host_snapshot import HostState

if TYPE_CHECKING:
    from sundog.core.choosing.assignment import Assignment
    from sundog.core.requests.guest_request import GuestRequest

SEEDS = st.integers(min_value=0, max_value=1 << 48)
TASTES = st.builds(
    Taste,
    hosts=st.sampled_from(Order),
    cells=st.sampled_from(Order),
    cards=st.sampled_from(Order),
    keep_device_hosts_free=st.booleans(),
)
thousand = settings(
    max_examples=1000,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
few = settings(thousand, max_examples=300)
hundred = settings(thousand, max_examples=100)


def seeded(seed: int) -> Random:
    """Make a source of numbers that is the same for the same seed."""
    return Random(seed)  # noqa: S311 - test data, no secret


def used_host(random: Random, name: str = "host") -> HostState:
    """Make a host on which up to three guests run."""
    state = HostState(snapshot=any_snapshot(random, name))
    for _ in range(random.choice((0, 0, 1, 3))):
        guest = fit_host(any_request(random, state.snapshot), state)
        if guest is not None:
            state = hold(state, guest, random)
    return state


def crossing(request: GuestRequest, state: HostState) -> tuple[int, int] | None:
    """Read the places of the wants and the cells crossed from the best fit."""
    fit = fit_room(Ask(request, DEFAULT_TASTE), host_room(state))
    return None if fit is None else divmod(fit.far, WANTING >> 16)


def problems(
    assignment: Assignment, request: GuestRequest, state: HostState
) -> list[str]:
    """List what is wrong with an assignment, by the raw rules and by the host."""
    return [
        *faults(assignment, request, state),
        *filter(None, [check(assignment, state)]),
    ]


@thousand
@given(SEEDS)
def test_the_fit_agrees_with_trying_everything(seed: int) -> None:
    """A fit is found exactly when one exists, and none crosses fewer cells."""
    random = seeded(seed)
    state = used_host(random)
    request = any_request(random, state.snapshot)
    assert crossing(request, state) == best_crossing(request, state)


@few
@given(SEEDS, TASTES)
def test_no_fit_oversells(seed: int, taste: Taste) -> None:
    """Guest after guest, every assignment keeps every raw rule, whatever the taste."""
    random = seeded(seed)
    state = HostState(snapshot=any_snapshot(random))
    for _ in range(4):
        request = any_request(random, state.snapshot)
        guest = fit_host(request, state, taste)
        if guest is not None:
            assert problems(guest, request, state) == []
            state = hold(state, guest, random)


@hundred
@given(SEEDS)
def test_the_order_of_requests_does_not_matter(seed: int) -> None:
    """Turned round, the device requests fit as well as before."""
    random = seeded(seed)
    state = used_host(random)
    request = any_request(random, state.snapshot)
    turned = replace(request, devices=request.devices[::-1])
    assert crossing(turned, state) == crossing(request, state)


def rank(
    request: GuestRequest, state: HostState, taste: Taste
) -> tuple[int, int, int, str] | None:
    """Rank one host by itself, as the order of hosts is written; None: no fit."""
    ask, room = Ask(request, taste), host_room(state)
    fit = fit_room(ask, room)
    if fit is None:
        return None
    strange = sum(ask.choice(face) is None for face in room.faces)
    load = -room.load if taste.hosts is Order.PACK else room.load
    return fit.far, strange * taste.keep_device_hosts_free, load, room.name


@hundred
@given(SEEDS, TASTES, st.integers(min_value=1, max_value=6))
def test_the_best_hosts_come_in_order(seed: int, taste: Taste, limit: int) -> None:
    """Ending the search early leaves out no host that ranks better."""
    random = seeded(seed)
    states = [used_host(random, f"host{number}") for number in range(6)]
    states += [
        replace(s, snapshot=replace(s.snapshot, name=f"again{n}"))
        for n, s in enumerate(states[:3])
    ]
    request = any_request(random, states[0].snapshot)
    ranks = sorted(filter(None, (rank(request, state, taste) for state in states)))
    chosen = choose_host(request, Fleet(states), taste, limit)
    assert [found.host for found in chosen] == [name for *_, name in ranks[:limit]]


@hundred
@given(SEEDS, TASTES)
def test_choosing_is_deterministic_and_a_change_costs_no_rebuild(
    seed: int, taste: Taste
) -> None:
    """A fleet changed host by host answers as one made anew, in whatever order."""
    random = seeded(seed)
    states = [used_host(random, f"host{number}") for number in range(4)]
    twins = [
        replace(s, snapshot=replace(s.snapshot, name=f"twin{n}"))
        for n, s in enumerate(states)
    ]
    request = any_request(random, states[0].snapshot)
    changed = Fleet([used_host(random, "gone"), used_host(random, "host1")])
    for state in [*twins, *states]:
        changed.put(state)
    changed.remove("gone")
    chosen = choose_host(request, changed, taste)
    assert chosen == choose_host(request, Fleet([*states, *twins]), taste)
    assert len({assignment.host for assignment in chosen}) == len(chosen)
    fitting = [s for s in states if fit_host(request, s, taste)]
    assert len(chosen) == min(5, 2 * len(fitting))
    for assignment in chosen:
        host = changed.get(assignment.host)
        assert host is not None
        assert assignment == fit_host(request, host, taste)
        assert problems(assignment, request, host) == []
