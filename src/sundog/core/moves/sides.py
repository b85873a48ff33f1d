"""What a move holds: the new side whole, of the old side what the new has not.

Nova holds both sides whole, so that a resize on one host from one device to two
needs three. Here what both sides have is held once: the server holds the new side, the
migration the rest of the old one. Together they are what the larger of the two
takes of everything, so that going back always fits.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain, combinations, islice
from typing import TYPE_CHECKING, Final

from sundog.core.choosing.check_assignment import check
from sundog.core.choosing.fit_host import fit_host
from sundog.core.hosts.host_snapshot import Holding, HostState
from sundog.core.moves.vacated import vacated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment, CellShare, DeviceShare
    from sundog.core.choosing.taste import Taste
    from sundog.core.requests.guest_request import GuestRequest

# In how many ways devices are set aside that the new side must not take: all ways
# for six devices, of more devices those that set the fewest aside.
MOST_TRIES: Final = 64


def rest_of(old: Assignment, new: Assignment) -> Assignment:
    """Return what an old assignment has on its host that a new one has not."""
    if old.host != new.host:
        return old
    cells = (_rest_of_cell(share, new.cells) for share in old.cells)
    return replace(
        old,
        cells=tuple(share for share in cells if share is not None),
        devices=beyond(old.devices, new.devices),
        disk_gb=max(0, old.disk_gb - new.disk_gb),
    )


def beyond(
    devices: Iterable[DeviceShare], others: Iterable[DeviceShare]
) -> tuple[DeviceShare, ...]:
    """Return the devices that are not among others, an instance of a type counting one.

    An mdev that keeps its parent and type but changes its slot is another mdev on
    the host, yet the same amount.
    """
    there = Counter(_what(share) for share in others)
    left = []
    for share in devices:
        what = _what(share)
        if there[what]:
            there[what] -= 1
        else:
            left.append(share)
    return tuple(left)


def refit(
    request: GuestRequest, state: HostState, consumer: UUID, taste: Taste
) -> tuple[Assignment, Assignment] | None:
    """Fit a request on the host where its server is; what it has may serve again.

    Returns the new assignment and the rest of the old, which fit together; None
    when there is none, or the server holds nothing here. First all that it has may
    serve again; where the rest then does not fit beside the new (types that
    exclude each other on a card), some or all of its devices are set aside.
    """
    old = state.held_by.get(consumer)
    if old is None:
        return None
    others = tuple(held for held in state.holdings if held.consumer != consumer)
    had = Holding(consumer=consumer, assignment=old)
    state = replace(state, snapshot=vacated(state.snapshot, had))
    for aside in islice(_subsets(old.devices), MOST_TRIES):
        kept = Holding(
            consumer=consumer,
            assignment=replace(old, cells=(), devices=aside, disk_gb=0),
        )
        new = fit_host(request, replace(state, holdings=(*others, kept)), taste)
        if new is None:
            continue
        rest = rest_of(old, new)
        beside = Holding(consumer=consumer, assignment=rest)
        if not check(
            new, HostState(snapshot=state.snapshot, holdings=(*others, beside))
        ):
            return new, rest
    return None


def _rest_of_cell(share: CellShare, others: tuple[CellShare, ...]) -> CellShare | None:
    """Return what one cell's share has beyond all of the others'."""
    here = [other for other in others if other.host_cell == share.host_cell]
    taken = {cpu for other in others for _, cpu in other.pins}
    taken |= {cpu for other in others for cpu in other.blocked}
    same_pages = [other for other in here if other.page_kb == share.page_kb]
    left = replace(
        share,
        shared_cpus=max(0, share.shared_cpus - sum(one.shared_cpus for one in here)),
        pins=tuple(pin for pin in share.pins if pin[1] not in taken),
        blocked=share.blocked - taken,
        memory_mb=max(0, share.memory_mb - sum(one.memory_mb for one in same_pages)),
    )
    amounts = (left.shared_cpus, left.pins, left.blocked, left.memory_mb)
    return left if any(amounts) else None


def _what(share: DeviceShare) -> tuple[object, ...]:
    return share.address, share.kind, share.type_id, share.cost


def _subsets(
    devices: tuple[DeviceShare, ...],
) -> Iterator[tuple[DeviceShare, ...]]:
    """Return none of the devices, then all, then the others from few to many."""
    few_first = chain.from_iterable(
        combinations(devices, size) for size in range(1, len(devices))
    )
    yield ()
    if devices:
        yield devices
    yield from few_first
