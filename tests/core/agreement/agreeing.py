"""Records of a host that agree, of any servers."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from hypothesis import strategies as st
from tests.core.hosts.tree_hosts import GPU, PF, holding, host, mixed_gpu, nic, share

from sundog.core.agreement.records import HostRecords, ServerWord
from sundog.core.choosing.assignment import CellShare, mdev_uuid, source_of
from sundog.core.devices.device import Mdev, Source
from sundog.core.hosts.allocation import allocation_of
from sundog.core.hosts.called_tree import call_for
from sundog.core.lives.claim import Claim, ClaimState
from sundog.core.lives.phases import Phase

BARE = host(nic(), mixed_gpu())
RUNNING = (Phase.ACTIVE, Phase.PAUSED)
BUILT = (*RUNNING, Phase.SHUTOFF, Phase.SUSPENDED)


def consumer(number: int) -> UUID:
    """Return the id of a server by its number."""
    return UUID(int=0x5E17E4 << 64 | number)


def claim(number: int) -> Claim:
    """Return what server ``number`` of four claims: a VF, an mdev, a CPU, memory."""
    vf, small = nic().devices[1 + number], mixed_gpu().devices[0]
    held = holding(
        share(vf, PF, 0),
        share(small, GPU, 1),
        cells=(
            CellShare(
                host_cell=number // 2,
                guest_cell=0,
                pins=((0, number // 2 * 4 + 2 + number % 2),),
                memory_mb=16,
            ),
        ),
        disk_gb=1,
    )
    return Claim(
        consumer=consumer(number),
        assignment=held.assignment,
        state=ClaimState.ALLOCATED,
    )


def mdev_of(one: Claim) -> Mdev:
    """Return the mdev that a claim has made."""
    made = one.assignment.devices[1]
    name = mdev_uuid(one.consumer, made.slot)
    return Mdev(uuid=name, type_id=made.type_id, parent=made.address)


def sources_of(one: Claim) -> frozenset[Source]:
    """Return what the guest of a claim has."""
    devices = one.assignment.devices
    return frozenset(source_of(one.maker, share) for share in devices)


def records(phases: dict[int, Phase]) -> HostRecords:
    """Return the records of servers by number, each as its phase asks for.

    A server that is deleted, shelved or in error holds nothing.
    """
    held = {number: claim(number) for number in phases if phases[number] in BUILT}
    snapshot = replace(BARE, mdevs=tuple(mdev_of(one) for one in held.values()))
    claims = {one.consumer: one for one in held.values()}
    tree = call_for(snapshot, [holding()])
    return HostRecords(
        snapshot=snapshot,
        guests={
            consumer(number): sources_of(claim(number))
            for number, phase in phases.items()
            if phase in RUNNING
        },
        claims=claims,
        allocations={
            key: allocation_of(one.assignment, snapshot) for key, one in claims.items()
        },
        providers={uuid: each.name for uuid, each in tree.providers.items()},
        servers={
            consumer(number): ServerWord(
                phase=phase, host="h1" if phase in BUILT else None
            )
            for number, phase in phases.items()
        },
        mdev_names={
            mdev_of(claim(number)).uuid: (consumer(number), "d-0/1")
            for number in range(4)
        },
    )


_phases = st.sampled_from((*BUILT, Phase.ERROR, Phase.DELETED, Phase.SHELVED_OFFLOADED))
agreeing = st.dictionaries(st.integers(0, 3), _phases).map(records)
running = st.dictionaries(
    st.integers(0, 3), st.sampled_from(RUNNING), min_size=1, max_size=3
).map(records)
