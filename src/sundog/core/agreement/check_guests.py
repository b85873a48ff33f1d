"""Whether running guests have the devices that are claimed for them, and no others."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from sundog.core.agreement.records import Disagreement, DisagreementKind, Repair
from sundog.core.agreement.standing import stands_here
from sundog.core.choosing.assignment import made_uuid, source_of
from sundog.core.hosts.whitelist import GONE
from sundog.core.lives.claim import ClaimState
from sundog.core.lives.phases import Phase
from sundog.core.lives.plug import PlugState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from uuid import UUID

    from sundog.core.agreement.records import HostRecords
    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.device import Source
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.lives.claim import Claim

    # The name of what is made, None of what is found; where; of which type.
    _Thing = tuple[UUID | None, PciAddress, str]

_KIND = DisagreementKind
# A guest takes a device while it runs; a paused one could not answer.
_TAKES: Final = frozenset({Phase.ACTIVE, Phase.RESCUED})


def about_guest_devices(records: HostRecords) -> Iterator[Disagreement]:
    """Tell what a running guest lacks of its claim, and what it has beside it.

    A device on its way into the guest, or out of it, may be there or not.
    """
    there = _devices_there(records)
    for consumer, claim in sorted(records.claims.items()):
        if consumer in records.guests:
            yield from _lacking(records, claim, there)
    yield from _unclaimed(records)


def _lacking(
    records: HostRecords, claim: Claim, there: Collection[_Thing]
) -> Iterator[Disagreement]:
    consumer = claim.consumer
    for share in claim.assignment.devices:
        made = made_uuid(consumer, share)
        if (made, share.address, share.type_id) not in there:
            yield _device_missing(records.snapshot.name, consumer, share)
        elif share.plug is PlugState.ATTACHED:
            source = source_of(consumer, share)
            if source not in records.guests[consumer]:
                yield _device_unplugged(records, claim, share)


def _devices_there(records: HostRecords) -> set[_Thing]:
    """Return what is made, by its name, and what is found."""
    made = {(mdev.uuid, mdev.parent, mdev.type_id) for mdev in records.snapshot.mdevs}
    found = {
        (None, device.address, device.type_id)
        for card in records.snapshot.cards
        for device in card.devices
        if device.unavailable != GONE
    }
    return made | found


def _device_missing(host: str, consumer: UUID, share: DeviceShare) -> Disagreement:
    what = f"{share.type_id} of {share.address}" if share.is_made else share.address
    return Disagreement(
        host=host,
        kind=_KIND.DEVICE_MISSING,
        what=f"server {consumer} runs without its {share.slot}: {what} is not there",
        consumer=consumer,
        slot=share.slot,
    )


def _device_unplugged(
    records: HostRecords, claim: Claim, share: DeviceShare
) -> Disagreement:
    consumer = claim.consumer
    source = source_of(consumer, share)
    takes = stands_here(records, consumer) and claim.state is ClaimState.ALLOCATED
    is_safe = takes and records.servers[consumer].phase in _TAKES
    return Disagreement(
        host=records.snapshot.name,
        kind=_KIND.DEVICE_UNPLUGGED,
        what=f"server {consumer} claims its {share.slot} but its guest has no {source}",
        repair=Repair.PLUG if is_safe else Repair.NONE,
        consumer=consumer,
        slot=share.slot,
    )


def _unclaimed(records: HostRecords) -> Iterator[Disagreement]:
    """Tell what guests have that is not claimed for them.

    It is not taken out: whatever runs in the guest may be using it.
    """
    own, holders = _claimed_sources(records)
    for consumer, sources in sorted(records.guests.items()):
        if consumer not in own:
            # Nobody claims anything for it: that is one disagreement, told elsewhere.
            continue
        for source in sorted(sources - own[consumer], key=str):
            others = holders[source] - {consumer}
            whose = f"server {min(others)} claims" if others else "nobody claims"
            yield Disagreement(
                host=records.snapshot.name,
                kind=_KIND.DEVICE_UNCLAIMED,
                what=f"the guest {consumer} has {source}, which {whose}; detach it, or "
                "reboot the server hard",
                consumer=consumer,
            )


def _claimed_sources(
    records: HostRecords,
) -> tuple[dict[UUID, set[Source]], dict[Source, set[UUID]]]:
    """Return what each guest may have, and by whom each device is claimed."""
    own: dict[UUID, set[Source]] = defaultdict(set)
    holders: dict[Source, set[UUID]] = defaultdict(set)
    for claim in records.claims.values():
        sources = {source_of(claim.maker, share) for share in claim.assignment.devices}
        own[claim.maker] |= sources
        for source in sources:
            holders[source].add(claim.maker)
    return own, holders
