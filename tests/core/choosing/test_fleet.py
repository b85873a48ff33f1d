"""The fleet's index, and the order in which hosts are chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.core.choosing.plain_hosts import (
    asked,
    cell,
    floating,
    gpu,
    held,
    host,
    nic,
    pinned,
)

from sundog.core.choosing.choose_host import Order, Taste, choose_host, fit_host
from sundog.core.choosing.fitting.flow import Network
from sundog.core.choosing.fleet import Fleet
from sundog.core.devices.device import DeviceKind
from sundog.core.requests.guest_request import (
    CpuPolicy,
    DeviceWant,
    NumaPolicy,
    PageChoice,
    ThreadPolicy,
)


def test_hosts_are_kept_by_name() -> None:
    """What was put last is what is got; a removed host is gone."""
    one, two = host(name="one"), host(gpu(1, 0), name="two")
    fleet = Fleet([two, one])
    assert list(fleet.states()) == [one, two]
    assert fleet.get("two") is two
    fleet.put(replace(two, enabled=False))
    assert choose_host(floating(asked()), fleet) == ()
    fleet.remove("two")
    fleet.remove("two")
    fleet.put(host(name="three"))
    fleet.remove("three")
    assert fleet.get("two") is None
    assert [found.host for found in choose_host(pinned(), fleet)] == ["one"]


def test_a_disabled_host_never_fits() -> None:
    """Not even when it is asked by itself."""
    assert fit_host(pinned(), replace(host(), enabled=False)) is None


def test_equal_hosts_may_have_their_cards_in_other_places() -> None:
    """Each gets devices of its own, on the card that is best there."""
    one = host(nic(1, 0), nic(2, 0, vfs=3), name="one")
    two = host(nic(1, 0, vfs=3), nic(2, 0), name="two")
    request = pinned(asked(count=3, want=DeviceWant(kind=DeviceKind.VF)))
    chosen = choose_host(request, Fleet([one, two]))
    assert chosen == (fit_host(request, one), fit_host(request, two))


def test_hosts_of_the_same_load_are_kept_apart() -> None:
    """One that goes does not take another with it."""
    fleet = Fleet([host(name="one"), host(gpu(1), name="two")])
    small = host(name="small")
    small = replace(small, snapshot=replace(small.snapshot, disk_gb=5))
    fleet.put(small)
    fleet.remove("one")
    assert [found.host for found in choose_host(pinned(), fleet)] == ["small", "two"]


@pytest.mark.parametrize(("order", "first"), [(Order.PACK, "b"), (Order.SPREAD, "a")])
def test_hosts_are_packed_or_spread(order: Order, first: str) -> None:
    """By taste, the used host comes first or last."""
    used = host(name="b")
    used = held(used, fit_host(pinned(), used))
    fleet = Fleet([used, host(name="a"), host(name="c")])
    found = choose_host(pinned(), fleet, Taste(hosts=order))
    assert found[0].host == first
    assert len(choose_host(pinned(), fleet, Taste(hosts=order), 2)) == 2


@pytest.mark.parametrize(("order", "where"), [(Order.PACK, 0), (Order.SPREAD, 1)])
def test_cells_are_packed_or_spread(order: Order, where: int) -> None:
    """By taste, the used cell comes first or last."""
    taste = Taste(cells=order)
    state = held(host(), fit_host(pinned(vcpus=1), host(), taste))
    found = fit_host(pinned(vcpus=1), state, taste)
    assert found is not None
    assert found.cells[0].host_cell == where


@pytest.mark.parametrize(("order", "cards"), [(Order.PACK, 1), (Order.SPREAD, 2)])
def test_cards_are_packed_or_spread(order: Order, cards: int) -> None:
    """By taste, two VFs come from one card or from two."""
    want = replace(asked(count=2).wants[0], resource_class="CUSTOM_NIC")
    request = floating(asked(count=2, want=want))
    state = host(nic(1, 0), nic(2, 0))
    found = fit_host(request, state, Taste(cards=order))
    assert found is not None
    assert len({share.card for share in found.devices}) == cards


def test_device_hosts_are_left_to_device_guests() -> None:
    """A guest without devices goes where no device is free, unless told otherwise."""
    fleet = Fleet([host(gpu(1, 0), name="a"), host(name="b")])
    assert choose_host(pinned(), fleet)[0].host == "b"
    taste = Taste(keep_device_hosts_free=False)
    assert choose_host(pinned(), fleet, taste)[0].host == "a"


def test_isolated_threads_block_their_siblings() -> None:
    """Each vCPU has a core to itself, and others cannot pin there."""
    state = host()
    request = replace(pinned(), thread_policy=ThreadPolicy.ISOLATE)
    found = fit_host(request, state)
    assert found is not None
    assert found.cells[0].pins == ((0, 0), (1, 2))
    assert found.cells[0].blocked == {1, 3}
    busy = held(state, found, fit_host(request, held(state, found)))
    assert fit_host(pinned(vcpus=1), busy) is None


def test_pins_are_packed_on_siblings() -> None:
    """Three vCPUs take a whole core and one thread of the next."""
    found = fit_host(pinned(vcpus=3), host())
    assert found is not None
    assert [cpu for _, cpu in found.cells[0].pins] == [0, 1, 2]
    again = fit_host(pinned(vcpus=1), held(host(), found), Taste(cells=Order.PACK))
    assert again is not None
    assert again.cells[0].pins == ((0, 3),)


def test_a_cpu_without_known_siblings_is_a_core() -> None:
    """A host that tells no siblings has cores of one thread."""
    lone = replace(cell(0), siblings=())
    request = replace(pinned(), thread_policy=ThreadPolicy.REQUIRE)
    assert fit_host(request, host(cells=(lone,))) is None
    assert fit_host(pinned(), host(cells=(lone,))) is not None


def test_dedicated_vcpus_without_cells_are_one_cell() -> None:
    """So is a guest that chooses its pages."""
    dedicated = replace(floating(), cpu_policy=CpuPolicy.DEDICATED)
    small = replace(floating(), page_size=PageChoice.SMALL)
    for request in (dedicated, small):
        found = fit_host(request, host())
        assert found is not None
        assert found.has_topology


def test_traits_and_disk_are_needed() -> None:
    """A host without a required trait, or with too little disk, does not fit."""
    request = replace(pinned(), required_traits=frozenset({"A"}))
    assert choose_host(request, Fleet([host()])) == ()
    assert choose_host(replace(pinned(), disk_gb=11), Fleet([host()])) == ()


def test_many_guest_cells_on_many_host_cells() -> None:
    """Eight on sixteen: exact, with devices in every other cell."""
    cells = tuple(cell(number, socket=number // 4) for number in range(16))
    cards = [gpu(number + 1, number) for number in range(0, 16, 2)]
    request = pinned(asked(NumaPolicy.REQUIRED, 8), cells=8)
    found = fit_host(request, host(*cards, cells=cells))
    assert found is not None
    assert {share.host_cell for share in found.cells} == set(range(0, 16, 2))
    assert (
        fit_host(
            pinned(asked(NumaPolicy.REQUIRED, 9), cells=8), host(*cards, cells=cells)
        )
        is None
    )


def test_a_search_among_many_cells_ends() -> None:
    """With all cells different, a good fit ends the search."""
    cells = tuple(cell(number, socket=number) for number in range(9))
    cards = [gpu(number + 1, number) for number in range(9)]
    request = pinned(asked(NumaPolicy.REQUIRED), vcpus=1, cells=4)
    assert fit_host(request, host(*cards, cells=cells)) is not None


def test_a_flow_is_cheapest() -> None:
    """A later path may take back what an earlier one took."""
    network = Network(4)
    network.add(0, 2, 1)
    network.add(0, 3, 1)
    near = network.add(2, 1, 1, 1)
    network.add(3, 1, 1, 5)
    assert network.send(0, 1, 2) == 6
    assert network.flow(near) == 1
    assert network.send(0, 1, 1) is None
