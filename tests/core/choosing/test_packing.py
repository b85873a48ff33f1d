"""Hosts whose cards must be filled like bins: found exactly, within milliseconds."""

from __future__ import annotations

import time
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from tests.core.choosing.brute_force import best_crossing
from tests.core.choosing.plain_hosts import (
    asked,
    cell,
    floating,
    gpu,
    host,
    nic,
    of_type,
    parent,
    pinned,
)
from tests.core.choosing.small_hosts import any_request
from tests.core.choosing.soundness import faults
from tests.core.choosing.test_exact import SEEDS, few, used_host

from sundog.core.choosing.fit_host import assign, fit_host, fit_room
from sundog.core.choosing.fitting.ask import Ask
from sundog.core.choosing.fitting.packing import Packing
from sundog.core.choosing.host_room import host_room
from sundog.core.choosing.taste import DEFAULT_TASTE
from sundog.core.devices.device import Card
from sundog.core.requests.guest_request import (
    DeviceRequest,
    DeviceWant,
    GuestRequest,
    NumaPolicy,
)

if TYPE_CHECKING:
    from sundog.core.hosts.host_snapshot import HostState

# CPU time, many times what is measured, for machines that are slow or busy.
MOST_SECONDS = 0.5
NEAR, PREFERRED = NumaPolicy.REQUIRED, NumaPolicy.PREFERRED
NIC = DeviceWant(resource_class="CUSTOM_NIC")


@few
@given(SEEDS)
def test_a_fit_is_found_without_looking_for_a_better_one(seed: int) -> None:
    """With no work to spend on nearness, fits exist exactly as before, and hold."""
    random = Random(seed)  # noqa: S311 - test data, no secret
    state = used_host(random)
    request = any_request(random, state.snapshot)
    ask, room = Ask(request, DEFAULT_TASTE), host_room(state)
    fit = fit_room(ask, room, work=0)
    assert (fit is None) is (best_crossing(request, state) is None)
    if fit is not None:
        assert faults(assign(ask, room, fit), request, state) == []


def mixed(number: int, node: int, budget: int, **types: int) -> Card:
    """Make a card whose types have costs of their own, on one budget."""
    card = parent(number, node, **types)
    devices = tuple(
        replace(d, total=budget // d.cost, available=budget // d.cost)
        for d in card.devices
    )
    return replace(card, devices=devices, budget=budget)


def grouped(device: DeviceRequest, group: str) -> DeviceRequest:
    """Put a request into a numbered group."""
    return replace(device, group=group, same_card=True)


def eight(budget: int, short: int = 0, **types: int) -> tuple[GuestRequest, HostState]:
    """Ask for 8 of each type on 8 cards (less ``short``) of a budget."""
    cards = [mixed(n + 1, n % 2, budget, **types) for n in range(8 - short)]
    requests = [asked(PREFERRED, 8, name, of_type(name)) for name in types]
    return pinned(*requests), host(*cards)


def on_eight_cards(*requests: DeviceRequest) -> tuple[GuestRequest, HostState]:
    """Ask eight cards of four mixed types."""
    cards = [mixed(n + 1, n % 2, 16, a=1, b=2, c=4, d=8) for n in range(8)]
    return pinned(*requests), host(*cards)


def isolated(cards: int) -> tuple[GuestRequest, HostState]:
    """Ask for eight groups of 4 VFs, each with cards of its own."""
    requests = [asked(PREFERRED, 4, f"r{n}", NIC) for n in range(8)]
    nics = [nic(n + 1, n % 2, vfs=2 + n % 7) for n in range(cards)]
    return replace(pinned(*requests), isolate_groups=True), host(*nics)


def sixteen_cells() -> tuple[GuestRequest, HostState]:
    """Ask for eight cells and four sorts of device, on sixteen cells that differ."""
    cells = tuple(cell(n, socket=n) for n in range(16))
    cards = []
    for number in range(16):
        (device,) = gpu(number + 1, number).devices
        sort = replace(device, resource_class=f"K{number * 7 % 5}")
        cards.append(Card(address=sort.address, devices=(sort,)))
    wants = [DeviceWant(resource_class=f"K{n}") for n in range(4)]
    requests = [asked(NEAR, 2, f"r{n}", want) for n, want in enumerate(wants)]
    return pinned(*requests, cells=8), host(*cards, cells=cells)


CASES = {
    "4 types x 8, filling 8 cards": (eight(16, a=1, b=2, c=4, d=8), True),
    "one card too few": (eight(16, 1, a=1, b=2, c=4, d=8), False),
    "uneven costs, hardly any waste": (eight(19, a=3, b=4, c=5, d=7), True),
    "uneven costs, too small": (eight(18, a=3, b=4, c=5, d=7), False),
    "types of 6, 10 and 15 on 31": (eight(31, a=6, b=10, c=15), True),
    "types of 6, 10 and 15 on 30": (eight(30, a=6, b=10, c=15), False),
    "8 groups of 4 types": (
        on_eight_cards(
            *(
                grouped(asked(PREFERRED, 1, f"g{n}{t}", of_type(t)), f"g{n}")
                for n in range(8)
                for t in "abcd"
            )
        ),
        True,
    ),
    "8 requests of 2, each on one card": (
        on_eight_cards(
            *(
                replace(asked(NEAR, 2, f"r{n}", of_type("abcd"[n % 4])), same_card=True)
                for n in range(8)
            )
        ),
        True,
    ),
    "8 groups kept apart on 16 cards": (isolated(16), True),
    "8 groups kept apart on 7 cards": (isolated(7), False),
    "8 cells on 16 that differ": (sixteen_cells(), True),
}


@pytest.mark.parametrize("case", CASES)
def test_hard_cases_take_milliseconds(case: str) -> None:
    """Sizes that a server may really have are answered at once, yes or no."""
    (request, state), fits = CASES[case]
    start = time.thread_time()
    found = fit_host(request, state)
    assert time.thread_time() - start < MOST_SECONDS
    assert (found is not None) is fits


def test_a_group_leaves_the_rest_of_its_card_to_others() -> None:
    """What a unit takes of a card of evenly shared VFs is not given twice."""
    one_card = [
        replace(asked(PREFERRED, 3, name, NIC), same_card=True) for name in ("a", "b")
    ]
    loose = asked(PREFERRED, 2, "c", NIC)
    cards = nic(1, 0, vfs=4), nic(2, 1, vfs=4)
    assert fit_host(floating(*one_card, loose), host(*cards)) is not None
    loose = replace(loose, count=3)
    assert fit_host(floating(*one_card, loose), host(*cards)) is None


def test_a_nearer_packing_is_given_up_when_it_fails_too_often() -> None:
    """What fits anyhow is still found; the light devices first may lead nowhere."""
    request, state = eight(20, a=4, b=6, c=9)
    ask = Ask(request, DEFAULT_TASTE)
    found = (ask.profile(card) for card in host_room(state).cards)
    cards = {number: profile for number, profile in enumerate(found) if profile}
    kinds = [
        sum(1 << n for n, kind in enumerate(ask.kinds) if kind.wants[demand] >= 0)
        for demand in range(len(ask.demands))
    ]
    packing = Packing(ask, cards, kinds)
    assert packing.search() is not None
    assert packing.search(few=1) is None
