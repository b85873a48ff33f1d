"""One description of a fleet, and what Sundog makes of it."""

from __future__ import annotations

from dataclasses import asdict, replace
from json import dumps

from bench.fleet import FleetShape, make_fleet
from bench.ours import state_of
from bench.small_cases import small_case

from sundog.core.choosing.check_assignment import check

SHAPE = FleetShape(hosts=4, fill=0.5)


def test_a_shape_is_always_the_same_fleet() -> None:
    """Its description is JSON; another seed gives another fleet."""
    again, other = make_fleet(SHAPE), make_fleet(replace(SHAPE, seed=2))
    assert dumps([asdict(host) for host in make_fleet(SHAPE)]) == dumps(
        [asdict(host) for host in again]
    )
    assert again != other


def test_a_host_has_what_its_shape_says() -> None:
    """16 VFs, 8 a cell; or 16 single cards."""
    host = state_of(make_fleet(SHAPE)[0]).snapshot
    assert [len(card.devices) for card in host.cards] == [8, 8]
    assert [len(cell.cpus) for cell in host.cells] == [32, 32]
    singles = replace(SHAPE, cards_a_cell=8, vfs=0)
    assert len(state_of(make_fleet(singles)[0]).snapshot.cards) == 16


def test_the_guests_of_a_described_host_can_be_there() -> None:
    """What one holds is free without it."""
    hosts = [*make_fleet(SHAPE), *(small_case(seed)[0] for seed in range(20))]
    states = [state_of(host) for host in hosts]
    held = [(state, one) for state in states for one in state.holdings]
    assert len(held) > 10
    for state, one in held:
        others = tuple(other for other in state.holdings if other != one)
        assert not check(one.assignment, replace(state, holdings=others))
