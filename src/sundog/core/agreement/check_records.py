"""Finds where the records of a host disagree."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sundog.core.agreement.check_guests import about_guest_devices
from sundog.core.agreement.records import (
    Disagreement,
    DisagreementKind,
    Repair,
)
from sundog.core.agreement.standing import (
    HOLDS,
    OFF,
    RUNS,
    is_abandoned,
    is_needed,
    phase_of,
    stands_here,
)
from sundog.core.choosing.assignment import made_uuid, mdev_uuid
from sundog.core.devices.device import DeviceKind
from sundog.core.hosts.allocation import allocation_of
from sundog.core.hosts.called_tree import call_for
from sundog.core.hosts.card_inventory import CARD_BUDGET
from sundog.core.hosts.provider_tree import provider_uuid
from sundog.core.lives.claim import ClaimState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from sundog.core.agreement.records import HostRecords
    from sundog.core.devices.device import Mdev
    from sundog.core.hosts.provider_tree import Allocation
    from sundog.core.lives.claim import Claim
    from sundog.core.requests.guest_request import GuestRequest

_KIND = DisagreementKind


def disagreements(records: HostRecords) -> tuple[Disagreement, ...]:
    """Return everything that the records of a host tell differently; none: agreed.

    Nothing is said of a server that a job works on.
    """
    found = (
        *_about_guests(records),
        *_about_claims(records),
        *_about_servers(records),
        *_about_allocations(records),
        *about_guest_devices(records),
        *_about_mdevs(records),
        *_about_providers(records),
    )
    return tuple(one for one in found if one.consumer not in records.moving)


def mdev_names(consumer: UUID, request: GuestRequest) -> dict[UUID, tuple[UUID, str]]:
    """Return the mdevs that a server could have: their names, to consumer and slot."""
    slots = (slot for wanted in request.devices for slot in wanted.slots)
    return {mdev_uuid(consumer, slot): (consumer, slot) for slot in slots}


def _about_guests(records: HostRecords) -> Iterator[Disagreement]:
    host = records.snapshot.name
    # The old side of a move may still have its guest: its host was away.
    left = {claim.guest for claim in records.claims.values()}
    for consumer in sorted(records.guests.keys() - left):
        phase = phase_of(records, consumer)
        if consumer not in records.claims:
            kind, why = _KIND.GUEST_UNCLAIMED, "runs and nobody claims what it has"
        elif not is_needed(records, consumer) or phase in OFF:
            word = phase.value if phase else "unknown"
            kind, why = _KIND.GUEST_UNWANTED, f"runs although its server is {word}"
        else:
            continue
        yield Disagreement(
            host=host, kind=kind, what=f"the guest {consumer} {why}", consumer=consumer
        )


def _about_claims(records: HostRecords) -> Iterator[Disagreement]:
    host = records.snapshot.name
    for consumer, claim in sorted(records.claims.items()):
        phase = phase_of(records, consumer)
        if is_abandoned(records, consumer):
            yield Disagreement(
                host=host,
                kind=_KIND.CLAIM_ABANDONED,
                what=f"server {consumer} is gone and has no guest but is on claim",
                repair=Repair.GIVE_BACK,
                consumer=consumer,
            )
        elif consumer in records.moves:
            continue
        elif phase is not None and phase in RUNS and consumer not in records.guests:
            yield Disagreement(
                host=host,
                kind=_KIND.GUEST_MISSING,
                what=f"server {consumer} is {phase.value} but its guest does not run",
                consumer=consumer,
            )
        elif phase in HOLDS and claim.state is not ClaimState.ALLOCATED:
            yield Disagreement(
                host=host,
                kind=_KIND.CLAIM_UNFINISHED,
                what=f"server {consumer} is built but its claim is {claim.state.value}",
                consumer=consumer,
            )
    yield from _doubled(records)


def _doubled(records: HostRecords) -> Iterator[Disagreement]:
    holders: dict[str, list[UUID]] = defaultdict(list)
    for consumer, claim in sorted(records.claims.items()):
        for what in _exclusive(claim):
            holders[what].append(consumer)
    for what, consumers in holders.items():
        for consumer in consumers[1:]:
            yield Disagreement(
                host=records.snapshot.name,
                kind=_KIND.CLAIM_DOUBLED,
                what=f"servers {consumers[0]} and {consumer} both claim {what}",
                consumer=consumer,
            )


def _exclusive(claim: Claim) -> Iterator[str]:
    """Return what a claim holds and nobody else may."""
    for share in claim.assignment.devices:
        if share.kind is not DeviceKind.MDEV:
            yield str(share.address)
    for cell in claim.assignment.cells:
        for cpu in sorted({cpu for _, cpu in cell.pins} | cell.blocked):
            yield f"CPU {cpu}"


def _about_servers(records: HostRecords) -> Iterator[Disagreement]:
    host = records.snapshot.name
    for consumer, word in sorted(records.servers.items(), key=lambda item: item[0]):
        claimed = consumer in records.claims
        if word.host == host and word.phase in HOLDS and not claimed:
            yield Disagreement(
                host=host,
                kind=_KIND.CLAIM_MISSING,
                what=f"server {consumer} is {word.phase.value} but claims nothing",
                consumer=consumer,
            )


def _about_allocations(records: HostRecords) -> Iterator[Disagreement]:
    host = records.snapshot.name
    for consumer, claim in sorted(records.claims.items()):
        if is_abandoned(records, consumer):
            continue
        wanted = allocation_of(claim.assignment, records.snapshot)
        held = records.allocations.get(consumer, {})
        if wanted and not held:
            kind, what = _KIND.ALLOCATION_MISSING, "is not charged in Placement"
        elif not _agrees(records, wanted, held):
            kind, what = _KIND.ALLOCATION_WRONG, "is charged otherwise in Placement"
        else:
            continue
        yield Disagreement(
            host=host,
            kind=kind,
            what=f"what server {consumer} claims {what}",
            repair=Repair.WRITE,
            consumer=consumer,
        )
    for consumer in sorted(records.allocations.keys() - records.claims.keys()):
        yield _unclaimed_allocation(records, consumer)


def _agrees(records: HostRecords, wanted: Allocation, held: Allocation) -> bool:
    """Whether all that is wanted is held, and no more than may be.

    What the host offers no more is charged as it was when it was claimed.
    """
    gone = {CARD_BUDGET} if records.snapshot.disk_gb else {CARD_BUDGET, "DISK_GB"}
    for provider in wanted.keys() | held.keys():
        asked, there = wanted.get(provider, {}), held.get(provider, {})
        for name in asked.keys() | there.keys():
            same = asked.get(name, 0) == there.get(name, 0)
            if not same and (name in asked or name not in gone):
                return False
    return True


def _unclaimed_allocation(records: HostRecords, consumer: UUID) -> Disagreement:
    host, phase = records.snapshot.name, phase_of(records, consumer)
    if phase is None:
        return Disagreement(
            host=host,
            kind=_KIND.ALLOCATION_FOREIGN,
            what=f"{consumer}, no server of ours, holds something in Placement",
            consumer=consumer,
        )
    word = records.servers[consumer]
    what, repair = f"server {consumer} claims nothing", Repair.RELEASE
    if word.phase in HOLDS and not stands_here(records, consumer):
        what, repair = f"server {consumer} is on {word.host}", Repair.WRITE
    # Of a server that should have a claim this may be the last word on what it has.
    is_safe = consumer not in records.guests and not stands_here(records, consumer)
    return Disagreement(
        host=host,
        kind=_KIND.ALLOCATION_ORPHANED,
        what=f"{what} but holds something here in Placement",
        repair=repair if is_safe else Repair.NONE,
        consumer=consumer,
    )


def _about_mdevs(records: HostRecords) -> Iterator[Disagreement]:
    claimed = _claimed_mdevs(records.claims)
    for mdev in records.snapshot.mdevs:
        if mdev.uuid in claimed:
            continue
        if mdev.kind is DeviceKind.VGPU:
            yield _vgpu_foreign(records.snapshot.name, mdev)
            continue
        where = f"{mdev.uuid} of {mdev.type_id} on {mdev.parent}"
        if mdev.uuid not in records.mdev_names:
            yield Disagreement(
                host=records.snapshot.name,
                kind=_KIND.MDEV_FOREIGN,
                what=f"the mdev {where} is not ours",
                mdev=mdev,
            )
            continue
        consumer, slot = records.mdev_names[mdev.uuid]
        # The mdevs of a built server whose claim is lost are what it stands on.
        is_safe = consumer not in records.guests and not stands_here(records, consumer)
        yield Disagreement(
            host=records.snapshot.name,
            kind=_KIND.MDEV_ORPHANED,
            what=f"the mdev {where} was made for server {consumer}, which claims none",
            repair=Repair.REMOVE_MDEV if is_safe else Repair.NONE,
            consumer=consumer,
            mdev=mdev,
            slot=slot,
        )


def _vgpu_foreign(host: str, vgpu: Mdev) -> Disagreement:
    """Tell of a VF whose type is set: nothing says by whom, so it is not touched."""
    return Disagreement(
        host=host,
        kind=_KIND.VGPU_FOREIGN,
        what=f"the VF {vgpu.parent} is set to the vGPU type {vgpu.type_id}, which "
        "nobody claims; write 0 to its current_vgpu_type if nobody uses it",
        mdev=vgpu,
    )


def _claimed_mdevs(claims: Mapping[UUID, Claim]) -> set[UUID | None]:
    return {
        made_uuid(claim.maker, share)
        for claim in claims.values()
        for share in claim.assignment.devices
        if share.is_made
    }


def _about_providers(records: HostRecords) -> Iterator[Disagreement]:
    snapshot = records.snapshot
    called = call_for(
        snapshot, [claim.holding for claim in records.claims.values()]
    ).providers
    for uuid, name in sorted(records.providers.items()):
        if uuid not in called and uuid == provider_uuid(snapshot.uuid, name):
            yield Disagreement(
                host=snapshot.name,
                kind=_KIND.PROVIDER_LEFT,
                what=f"Placement has the provider {name}, which the host has not",
                repair=Repair.REPORT,
            )
    for uuid in sorted(called.keys() - records.providers.keys()):
        yield Disagreement(
            host=snapshot.name,
            kind=_KIND.PROVIDER_MISSING,
            what=f"Placement lacks the provider {called[uuid].name}",
            repair=Repair.REPORT,
        )
