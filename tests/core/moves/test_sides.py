"""A resize on one host needs only what is new, and going back always fits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from hypothesis import given
from tests.core.choosing.plain_hosts import (
    asked,
    floating,
    gpu,
    held,
    host,
    nic,
    of_type,
    parent,
    pinned,
)
from tests.core.choosing.small_hosts import any_request
from tests.core.choosing.test_exact import SEEDS, few, seeded, used_host

from sundog.core.choosing.assignment import mdev_uuid
from sundog.core.choosing.choose_host import check, fit_host
from sundog.core.choosing.taste import DEFAULT_TASTE
from sundog.core.devices.device import DeviceKind, Mdev
from sundog.core.hosts.allocation import allocation_of
from sundog.core.hosts.host_snapshot import Holding, HostState
from sundog.core.moves.sides import beyond, refit, rest_of
from sundog.core.requests.guest_request import DeviceWant

if TYPE_CHECKING:
    from sundog.core.choosing.assignment import Assignment
    from sundog.core.hosts.provider_tree import Allocation
    from sundog.core.requests.guest_request import GuestRequest

ME = UUID(int=7)
VF = DeviceWant(kind=DeviceKind.VF)
PF = DeviceWant(kind=DeviceKind.PF)


def mine(request: GuestRequest, state: HostState) -> HostState:
    """Hold what a request needs, as the server that is to be resized."""
    assignment = fit_host(request, state)
    assert assignment is not None
    return replace(
        state,
        holdings=(*state.holdings, Holding(consumer=ME, assignment=assignment)),
    )


def made(state: HostState) -> HostState:
    """Let the server's mdevs exist, each leaving its type one fewer."""
    shares = [s for s in state.held_by[ME].devices if s.is_made]
    mdevs = tuple(
        Mdev(uuid=mdev_uuid(ME, s.slot), type_id=s.type_id, parent=s.address)
        for s in shares
    )
    spent = {card.address: 0 for card in state.snapshot.cards}
    for share in shares:
        spent[share.card] += share.cost
    cards = tuple(
        replace(
            card,
            devices=tuple(
                replace(
                    device, available=(card.budget - spent[card.address]) // device.cost
                )
                if device.kind is DeviceKind.MDEV
                else device
                for device in card.devices
            ),
        )
        for card in state.snapshot.cards
    )
    return replace(state, snapshot=replace(state.snapshot, mdevs=mdevs, cards=cards))


def refitted(request: GuestRequest, state: HostState) -> tuple[Assignment, Assignment]:
    found = refit(request, state, ME, DEFAULT_TASTE)
    assert found is not None
    return found


def test_one_device_to_two_needs_one_more() -> None:
    """Both GPUs of a host serve a server that had one of them (Nova needs three)."""
    state = mine(floating(asked()), host(gpu(1, 0), gpu(2, 0)))
    new, rest = refitted(floating(asked(count=2)), state)
    assert len(new.devices) == 2
    assert rest.devices == ()


def test_two_devices_to_one_keep_the_other_for_going_back() -> None:
    """The rest of the old side holds what the new one has no more."""
    state = mine(floating(asked(count=2)), host(gpu(1, 0), gpu(2, 0)))
    new, rest = refitted(floating(asked()), state)
    assert len(new.devices) == len(rest.devices) == 1
    assert new.devices[0].address != rest.devices[0].address


def test_cpus_and_memory_are_held_once() -> None:
    """Growing from 2 pinned CPUs to all 4 of the cell holds each CPU once."""
    state = mine(pinned(vcpus=2), host())
    new, rest = refitted(pinned(vcpus=4), state)
    assert {cpu for share in new.cells for _, cpu in share.pins} == {0, 1, 2, 3}
    assert rest.cells == ()


def test_what_shrinks_is_kept_for_going_back() -> None:
    """The CPUs and the memory that the new side leaves are the rest's."""
    state = mine(pinned(vcpus=2, cells=2), host())
    new, rest = refitted(pinned(vcpus=2), state)
    taken = {cpu for share in (*new.cells, *rest.cells) for _, cpu in share.pins}
    assert taken == {cpu for s in state.held_by[ME].cells for _, cpu in s.pins}
    assert sum(share.memory_mb for share in rest.cells) == 1024


def test_an_mdev_that_exists_may_give_way_to_another_type() -> None:
    """A card that is full of the server's old type makes its new one.

    The rest then cannot be held beside it, so another card is taken if there is one.
    """
    one = made(
        mine(
            floating(asked(want=of_type("whole"))), host(parent(1, 0, whole=8, half=4))
        )
    )
    assert refit(floating(asked(want=of_type("half"))), one, ME, DEFAULT_TASTE) is None
    cards = parent(1, 0, whole=8, half=4), parent(2, 0, whole=8, half=4)
    two = made(mine(floating(asked(want=of_type("whole"))), host(*cards)))
    new, rest = refitted(floating(asked(want=of_type("half"))), two)
    assert new.devices[0].card != rest.devices[0].card


def test_more_of_a_type_on_a_card_take_what_is_left_of_it() -> None:
    """A full card serves the server that has half of it, and no other."""
    state = made(
        mine(floating(asked(want=of_type("half"))), host(parent(1, 0, half=4)))
    )
    new, rest = refitted(floating(asked(want=of_type("half"), count=2)), state)
    assert len(new.devices) == 2
    assert rest.devices == ()


def test_a_function_beside_mdevs_is_no_roomier_without_them() -> None:
    """Only what a card makes grows when an mdev goes."""
    card = parent(1, 0, half=4)
    whole = replace(gpu(1, 0).devices[0], cost=8)
    both = replace(card, devices=(whole, *card.devices))
    request = floating(asked(want=of_type("half")))
    state = made(mine(request, host(both)))
    new, rest = refitted(floating(asked(want=of_type("half"), count=2)), state)
    assert len(new.devices) == 2
    assert rest.devices == ()


def test_a_pf_is_not_given_for_a_vf_that_going_back_needs() -> None:
    """The VF's own card is ruled out: its PF would exclude the rest."""
    state = mine(floating(asked(want=VF)), host(nic(1, 0)))
    assert refit(floating(asked(want=PF)), state, ME, DEFAULT_TASTE) is None
    two = mine(floating(asked(want=VF)), host(nic(1, 0), nic(2, 0)))
    new, rest = refitted(floating(asked(want=PF)), two)
    assert new.devices[0].card != rest.devices[0].card


def test_who_holds_nothing_is_not_refitted() -> None:
    """There is nothing to use again."""
    assert refit(floating(), host(), ME, DEFAULT_TASTE) is None


def test_the_old_side_of_a_move_to_another_host_is_held_whole() -> None:
    """Nothing of it is on the new host."""
    [old] = mine(floating(asked()), host(gpu(1, 0))).held_by.values()
    [new] = mine(floating(asked()), host(gpu(1, 0), name="two")).held_by.values()
    assert rest_of(old, new) is old


def test_the_same_device_under_another_slot_is_the_same_amount() -> None:
    """Slots name devices in a guest; what is held is the device."""
    [old] = mine(floating(asked(count=2)), host(gpu(1, 0), gpu(2, 0))).held_by.values()
    swapped = [replace(one, slot="other") for one in reversed(old.devices)]
    assert beyond(old.devices, swapped) == ()
    assert beyond(old.devices, swapped[:1]) == (old.devices[0],)


def amounts(*sides: Allocation) -> dict[tuple[UUID, str], int]:
    total: dict[tuple[UUID, str], int] = {}
    for side in sides:
        for provider, classes in side.items():
            for name, amount in classes.items():
                key = provider, name
                total[key] = total.get(key, 0) + amount
    return total


@few
@given(SEEDS)
def test_both_sides_fit_and_are_no_less_than_either(seed: int) -> None:
    """On random hosts: the new fits beside the rest, the old fits in both together.

    In Placement's amounts both sides hold at least what each alone needs, so that
    going back is one write that always fits.
    """
    random = seeded(seed)
    state = used_host(random)
    first = fit_host(any_request(random, state.snapshot), state)
    if first is None:
        return
    here = replace(
        state, holdings=(*state.holdings, Holding(consumer=ME, assignment=first))
    )
    found = refit(any_request(random, state.snapshot), here, ME, DEFAULT_TASTE)
    if found is None:
        return
    new, rest = found
    assert not check(new, held(state, rest))
    assert not check(first, state)
    both = amounts(
        allocation_of(new, state.snapshot), allocation_of(rest, state.snapshot)
    )
    for side in (first, new):
        for key, amount in amounts(allocation_of(side, state.snapshot)).items():
            assert both[key] >= amount


@few
@given(SEEDS)
def test_what_fits_beside_all_that_is_held_fits_again(seed: int) -> None:
    """Where Nova finds room for both sides whole, so does refitting."""
    random = seeded(seed)
    state = used_host(random)
    first = fit_host(any_request(random, state.snapshot), state)
    if first is None:
        return
    here = replace(
        state, holdings=(*state.holdings, Holding(consumer=ME, assignment=first))
    )
    request = any_request(random, state.snapshot)
    if fit_host(request, here) is not None:
        assert refit(request, here, ME, DEFAULT_TASTE) is not None
