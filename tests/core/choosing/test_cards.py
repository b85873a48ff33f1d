"""What a card may still give, case by case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from tests.core.choosing.plain_hosts import (
    asked,
    floating,
    held,
    host,
    nic,
    of_type,
    parent,
    pinned,
)

from sundog.core.choosing.assignment import mdev_uuid
from sundog.core.choosing.choose_host import fit_host
from sundog.core.devices.device import DeviceKind, Mdev
from sundog.core.requests.guest_request import DeviceWant, NumaPolicy

if TYPE_CHECKING:
    from sundog.core.hosts.host_snapshot import HostState

VF = DeviceWant(kind=DeviceKind.VF)
PF = DeviceWant(kind=DeviceKind.PF)


def with_mdevs(state: HostState, *types: str) -> HostState:
    """Let mdevs exist that nobody we know holds, on the first card."""
    address = state.snapshot.cards[0].address
    mdevs = tuple(
        Mdev(uuid=UUID(int=number), type_id=name, parent=address)
        for number, name in enumerate(types, 1)
    )
    return replace(state, snapshot=replace(state.snapshot, mdevs=mdevs))


def test_a_pf_and_its_vfs_exclude_each_other() -> None:
    """Whoever comes first rules the other out."""
    state = host(nic(1, 0))
    for first, second in ((VF, PF), (PF, VF)):
        busy = held(state, fit_host(floating(asked(want=first)), state))
        assert fit_host(floating(asked(want=second)), busy) is None
    both = floating(asked(want=VF), asked(want=PF, request_id="b"))
    assert fit_host(both, state) is None


def test_a_want_without_a_kind_takes_no_pf() -> None:
    """A PF must be asked for by its kind."""
    state = host(nic(1, 0, vfs=1))
    request = floating(asked(want=DeviceWant(vendor_id="8086"), count=2))
    assert fit_host(request, state) is None


def test_mixed_types_share_the_budget_of_their_card() -> None:
    """Two of 4 fill a card of 8; one of 4 leaves two of 2."""
    state = host(parent(1, 0, a=2, b=4))
    one_b = fit_host(floating(asked(want=of_type("b"))), state)
    busy = held(state, one_b)
    assert fit_host(floating(asked(want=of_type("a"), count=2)), busy) is not None
    assert fit_host(floating(asked(want=of_type("a"), count=3)), busy) is None


def test_an_mdev_is_counted_once() -> None:
    """A held mdev that the snapshot shows is not counted twice."""
    state = host(parent(1, 0, a=4))
    one = held(state, fit_host(floating(asked(want=of_type("a"))), state))
    holding = one.holdings[0]
    uuid = mdev_uuid(holding.consumer, holding.assignment.devices[0].slot)
    card = one.snapshot.cards[0]
    made = Mdev(uuid=uuid, type_id="a", parent=card.address)
    device = replace(card.devices[0], available=1)
    cards = (replace(card, devices=(device,)),)
    seen = replace(one, snapshot=replace(one.snapshot, mdevs=(made,), cards=cards))
    assert fit_host(floating(asked(want=of_type("a"))), seen) is not None
    assert fit_host(floating(asked(want=of_type("a"), count=2)), seen) is None


def test_foreign_mdevs_use_the_budget() -> None:
    """What others made counts by its type."""
    state = with_mdevs(host(parent(1, 0, a=2, b=4)), "b", "a")
    assert fit_host(floating(asked(want=of_type("b"))), state) is None
    assert fit_host(floating(asked(want=of_type("a"))), state) is not None


def test_an_mdev_of_unknown_cost_leaves_what_the_kernel_says() -> None:
    """A type that no rule offers has no cost; the kernel's word is the bound."""
    card = parent(1, 0, a=2, b=4)
    left = tuple(replace(d, available=1) for d in card.devices)
    state = with_mdevs(host(replace(card, devices=left)), "strange")
    both = [asked(want=of_type(name), request_id=name) for name in "ab"]
    assert fit_host(floating(*both), state) is None
    first = held(state, fit_host(floating(both[1]), state))
    assert fit_host(floating(both[0]), first) is None


def test_a_type_that_fills_its_parent_leaves_nothing() -> None:
    """With a type of which only one is made, the parent makes no other type."""
    card = parent(1, 0, a=8, b=2)
    roomy = replace(card, budget=100)
    state = with_mdevs(host(roomy), "a")
    assert fit_host(floating(asked(want=of_type("b"))), state) is None
    state = with_mdevs(host(roomy), "b")
    assert fit_host(floating(asked(want=of_type("a"))), state) is None


def test_an_unavailable_device_is_never_given() -> None:
    """A reason is enough."""
    card = nic(1, 0, vfs=1)
    broken = tuple(replace(d, unavailable="unreadable") for d in card.devices)
    state = host(replace(card, devices=broken))
    assert fit_host(floating(asked(want=VF)), state) is None


def test_wants_are_tried_in_the_order_written() -> None:
    """An earlier want is served wherever it can be, even further away."""
    request = asked(NumaPolicy.PREFERRED)
    request = replace(request, wants=(of_type("a"), of_type("b")))
    found = fit_host(pinned(request), host(parent(1, 0, b=4), parent(2, 9, a=4)))
    assert found is not None
    assert found.devices[0].type_id == "a"


def test_wide_covers_spread_for_nearness() -> None:
    """Groups that are kept apart still get the nearest of several cards."""
    request = replace(
        pinned(
            asked(NumaPolicy.PREFERRED, 2, want=VF),
            asked(NumaPolicy.PREFERRED, 2, "b", want=VF),
        ),
        isolate_groups=True,
    )
    found = fit_host(request, host(*(nic(n, 0) for n in (1, 2)), nic(3, 1, vfs=4)))
    assert found is not None
    assert {share.card.bus for share in found.devices} == {1, 2}


def test_a_device_may_be_without_cost() -> None:
    """A type that costs nothing is bounded by the kernel alone."""
    card = parent(1, 0, a=1)
    free = tuple(replace(device, cost=0) for device in card.devices)
    state = host(replace(card, devices=free, budget=0))
    assert fit_host(floating(asked(want=of_type("a"), count=8)), state) is not None
    assert fit_host(floating(asked(want=of_type("a"), count=9)), state) is None
