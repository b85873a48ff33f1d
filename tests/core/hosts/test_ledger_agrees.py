"""What the chooser finds free on a card, Placement has free as well."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.hosts.tree_hosts import (
    GPU,
    below,
    host,
    mdev_type,
    mixed_gpu,
    nic,
    one_type_gpu,
    share,
)

from sundog.core.choosing.assignment import Assignment, mdev_uuid
from sundog.core.choosing.card_room import card_room, card_use
from sundog.core.devices.device import Card, Device, DeviceKind, Mdev
from sundog.core.hosts.allocation import allocation_of
from sundog.core.hosts.called_tree import call_for
from sundog.core.hosts.host_snapshot import Holding

if TYPE_CHECKING:
    from collections.abc import Sequence

_STRANGERS_COST = 3
_COSTS = {"t4": 4, "small": 1, "large": 4, "other": _STRANGERS_COST}

cards = st.one_of(
    st.just(nic()),
    st.just(one_type_gpu()),
    st.builds(
        mixed_gpu, one_type=st.booleans(), max_instances=st.none() | st.integers(1, 8)
    ),
    st.just(
        mixed_gpu(
            devices=(
                mdev_type("small", 16, 1, resource_class="VGPU"),
                mdev_type("large", 4, 4, resource_class="VGPU"),
            )
        )
    ),
)


def _as_the_kernel_says(card: Card, mdevs: Sequence[Mdev]) -> Card:
    """Return the card with what the kernel would still make beside these mdevs."""
    used = sum(_COSTS[mdev.type_id] for mdev in mdevs)
    types = {mdev.type_id for mdev in mdevs}

    def scanned(device: Device) -> Device:
        if device.kind is not DeviceKind.MDEV:
            return device
        barred = card.one_type and types - {device.type_id}
        left = 0 if barred else max(0, card.budget - used) // device.cost
        return replace(device, available=left)

    return replace(card, devices=tuple(scanned(device) for device in card.devices))


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    card=cards,
    strangers=st.lists(st.sampled_from(["small", "large", "t4", "other"]), max_size=3),
    broken=st.integers(0, 9),
    steps=st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=18),
)
def test_placement_takes_whatever_the_chooser_finds_free(
    card: Card,
    strangers: list[str],
    broken: int,
    steps: list[tuple[int, bool]],
) -> None:
    """Beside what is held, foreign, broken, or not yet seen by a scan."""
    devices = tuple(
        replace(device, unavailable="broken" if at == broken else "")
        for at, device in enumerate(card.devices)
    )
    mdevs = [
        Mdev(uuid=below(f"{at}"), type_id=type_id, parent=GPU)
        for at, type_id in enumerate(strangers)
    ]
    offered = replace(card, devices=devices)
    snapshot = host(_as_the_kernel_says(offered, mdevs), mdevs=tuple(mdevs))
    holdings: list[Holding] = []
    for number, (pick, scan) in enumerate(steps):
        consumer = UUID(int=number)
        free = _free(snapshot.cards[0], snapshot.mdevs, holdings)
        for device in free:
            taken = _taking(device, snapshot.cards[0])
            tree = call_for(snapshot, holdings)
            charged: Counter[tuple[UUID, str]] = Counter()
            for assignment in (*(each.assignment for each in holdings), taken):
                for uuid, amounts in allocation_of(assignment, snapshot).items():
                    for name, amount in amounts.items():
                        charged[uuid, name] += amount
            for (uuid, name), amount in charged.items():
                assert amount <= tree.providers[uuid].inventories[name].capacity
        if not free:
            break
        taken = _taking(free[pick % len(free)], snapshot.cards[0])
        holdings.append(Holding(consumer=consumer, assignment=taken))
        made = taken.devices[0]
        if made.is_made:
            uuid = mdev_uuid(consumer, made.slot)
            mdevs.append(Mdev(uuid=uuid, type_id=made.type_id, parent=GPU))
        if scan:
            now = _as_the_kernel_says(offered, mdevs)
            snapshot = host(now, mdevs=tuple(mdevs))


def _taking(device: Device, card: Card) -> Assignment:
    return Assignment(host="h1", devices=(share(device, card.address),))


def _free(card: Card, mdevs: tuple[Mdev, ...], holdings: list[Holding]) -> list[Device]:
    held = [(each.consumer, each.assignment.devices[0]) for each in holdings]
    room = card_room(card, card_use(card, held, {GPU: mdevs}), lambda _: 0)
    return [
        device for group in room.functions for place in group.places for device in place
    ]
