"""Records that agree are left in peace; whatever is lost or added is found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.agreement.agreeing import (
    agreeing,
    claim,
    consumer,
    mdev_of,
    records,
    running,
    sources_of,
)
from tests.core.hosts.tree_hosts import (
    GPU,
    GPU_PROVIDER,
    HOST,
    below,
    mdev_type,
    mixed_gpu,
    nic,
)

from sundog.core.agreement.check_records import disagreements, mdev_names
from sundog.core.agreement.records import (
    DisagreementKind,
    HostRecords,
    Repair,
    ServerWord,
)
from sundog.core.devices.device import DeviceKind, Mdev
from sundog.core.devices.pci_address import PciAddress
from sundog.core.devices.vgpu import vgpu_uuid
from sundog.core.hosts.allocation import allocation_of
from sundog.core.lives.claim import ClaimState
from sundog.core.lives.phases import Phase
from sundog.core.requests.guest_request import (
    DeviceRequest,
    GuestRequest,
    NumaPolicy,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.core.lives.claim import Claim

V = TypeVar("V")
quick: Final = settings(max_examples=30, derandomize=True, deadline=None, database=None)
Kind = DisagreementKind
ONE: Final = consumer(0)
STRANGER: Final = consumer(99)


def found(of: HostRecords) -> set[tuple[DisagreementKind, Repair]]:
    return {(one.kind, one.repair) for one in disagreements(of)}


def without(mapping: Mapping[UUID, V], key: UUID) -> dict[UUID, V]:
    return {each: value for each, value in mapping.items() if each != key}


@quick
@given(agreeing)
def test_records_that_agree_give_nothing(of: HostRecords) -> None:
    assert disagreements(of) == ()


@quick
@given(running, st.data())
def test_every_record_that_is_lost_is_found(
    of: HostRecords, data: st.DataObject
) -> None:
    """One guest, claim, allocation, amount, mdev or provider less is told."""
    victim = data.draw(st.sampled_from(sorted(of.guests)))
    provider = data.draw(st.sampled_from(sorted(of.providers)))
    charged = of.allocations[victim]
    part = data.draw(st.sampled_from(sorted(charged)))
    lost = mdev_of(of.claims[victim])
    for less in (
        replace(of, guests=without(of.guests, victim)),
        replace(of, claims=without(of.claims, victim)),
        replace(of, allocations=without(of.allocations, victim)),
        replace(
            of,
            allocations={**of.allocations, victim: without({**charged}, part)},
        ),
        replace(of, servers=without(of.servers, victim)),
        replace(of, providers=without(of.providers, provider)),
        replace(
            of,
            snapshot=replace(
                of.snapshot, mdevs=tuple(m for m in of.snapshot.mdevs if m != lost)
            ),
        ),
    ):
        told = disagreements(less)
        assert told
        assert {one.consumer for one in told} <= {victim, None}


@quick
@given(agreeing, st.data())
def test_every_record_that_is_added_is_found(
    of: HostRecords, data: st.DataObject
) -> None:
    """A guest, claim, allocation, mdev or provider that nobody needs is told."""
    left = mdev_of(claim(7 % 4))
    name = data.draw(st.sampled_from(["h1_cell7", "h1_0000:09:00.0"]))
    strange = replace(claim(1), consumer=STRANGER)
    for more in (
        replace(of, guests={**of.guests, STRANGER: frozenset()}),
        replace(of, claims={**of.claims, STRANGER: strange}),
        replace(of, allocations={**of.allocations, STRANGER: {HOST: {"DISK_GB": 1}}}),
        replace(of, providers={**of.providers, below(name): name}),
        replace(
            of,
            snapshot=replace(
                of.snapshot,
                mdevs=(*of.snapshot.mdevs, replace(left, uuid=STRANGER)),
            ),
        ),
    ):
        assert disagreements(more)


def orphan(phase: Phase | None) -> HostRecords:
    """Return an allocation and an mdev of a server without a claim or a guest."""
    of = records({0: Phase.ACTIVE})
    servers = {} if phase is None else {ONE: ServerWord(phase=phase)}
    return replace(of, guests={}, claims={}, servers=servers)


@pytest.mark.parametrize("phase", [Phase.DELETED, Phase.ERROR, Phase.SHELVED_OFFLOADED])
def test_what_a_server_left_is_taken_back(phase: Phase) -> None:
    """Its allocation is released and its mdev removed: nobody stands on them."""
    assert found(orphan(phase)) == {
        (Kind.ALLOCATION_ORPHANED, Repair.RELEASE),
        (Kind.MDEV_ORPHANED, Repair.REMOVE_MDEV),
    }


@pytest.mark.parametrize("phase", [Phase.ACTIVE, Phase.SHUTOFF])
def test_what_a_built_server_stands_on_stays(phase: Phase) -> None:
    """A claim that was lost is told, and what is left of it is not touched."""
    of = replace(orphan(phase), servers={ONE: ServerWord(phase=phase, host="h1")})
    assert found(of) == {
        (Kind.CLAIM_MISSING, Repair.NONE),
        (Kind.ALLOCATION_ORPHANED, Repair.NONE),
        (Kind.MDEV_ORPHANED, Repair.NONE),
    }


def test_what_a_server_left_when_it_moved_is_taken_back() -> None:
    """Its charge is written again as its claim on the other host says."""
    moved = {ONE: ServerWord(phase=Phase.ACTIVE, host="h2")}
    assert found(replace(orphan(None), servers=moved)) == {
        (Kind.ALLOCATION_ORPHANED, Repair.WRITE),
        (Kind.MDEV_ORPHANED, Repair.REMOVE_MDEV),
    }


def test_what_is_not_ours_is_only_told() -> None:
    """An allocation of no server and an mdev of no slot are left alone."""
    of = replace(orphan(None), mdev_names={})
    assert found(of) == {
        (Kind.ALLOCATION_FOREIGN, Repair.NONE),
        (Kind.MDEV_FOREIGN, Repair.NONE),
    }


def test_a_vgpu_is_known_by_its_vf_and_type() -> None:
    """Of another type than is claimed it is foreign, and what runs lacks its own."""
    of = records({0: Phase.ACTIVE})
    at = PciAddress.parse("0000:84:00.4")
    device = mdev_type("1152", 1, 1, kind=DeviceKind.VGPU, address=at)
    share = replace(
        of.claims[ONE].assignment.devices[1],
        kind=DeviceKind.VGPU,
        address=at,
        type_id="1152",
    )
    assignment = of.claims[ONE].assignment
    claimed = replace(
        of.claims[ONE],
        assignment=replace(assignment, devices=(assignment.devices[0], share)),
    )
    cards = (nic(), mixed_gpu(devices=(*mixed_gpu().devices, device)))

    def with_type(type_id: str) -> HostRecords:
        vgpu = Mdev(
            uuid=vgpu_uuid(at, type_id),
            type_id=type_id,
            parent=at,
            kind=DeviceKind.VGPU,
        )
        snapshot = replace(of.snapshot, cards=cards, mdevs=(vgpu,))
        return replace(
            of,
            snapshot=snapshot,
            claims={ONE: claimed},
            guests={ONE: sources_of(claimed)},
        )

    assert found(with_type("1152")) == set()
    assert found(with_type("9")) == {
        (Kind.VGPU_FOREIGN, Repair.NONE),
        (Kind.DEVICE_MISSING, Repair.NONE),
    }
    (told,) = disagreements(replace(with_type("1152"), claims={}, guests={}))[-1:]
    assert (told.kind, told.consumer) == (Kind.VGPU_FOREIGN, None)
    assert "0000:84:00.4 is set to the vGPU type 1152" in told.what


def test_two_servers_on_one_vf_are_told() -> None:
    """A VF is one vGPU, whatever its type."""
    of = records({0: Phase.SHUTOFF, 1: Phase.SHUTOFF})

    def on_one_vf(one: Claim) -> Claim:
        share = replace(one.assignment.devices[1], kind=DeviceKind.VGPU)
        return replace(one, assignment=replace(one.assignment, devices=(share,)))

    claims = {each: on_one_vf(one) for each, one in of.claims.items()}
    told = disagreements(replace(of, claims=claims))
    assert Kind.CLAIM_DOUBLED in {one.kind for one in told}


def test_a_guest_nobody_claims_keeps_what_it_has() -> None:
    """Nothing of a running guest is given away, whatever its server's record says."""
    of = replace(orphan(Phase.DELETED), guests={ONE: sources_of(claim(0))})
    assert found(of) == {
        (Kind.GUEST_UNCLAIMED, Repair.NONE),
        (Kind.ALLOCATION_ORPHANED, Repair.NONE),
        (Kind.MDEV_ORPHANED, Repair.NONE),
    }


@pytest.mark.parametrize("phase", [Phase.DELETED, Phase.SHELVED_OFFLOADED, None])
def test_a_claim_of_a_server_that_is_gone_is_given_back(phase: Phase | None) -> None:
    """What it held goes with it; nothing else is said of it."""
    of = records({0: Phase.SHUTOFF})
    servers = {} if phase is None else {ONE: ServerWord(phase=phase)}
    assert found(replace(of, servers=servers)) == {
        (Kind.CLAIM_ABANDONED, Repair.GIVE_BACK)
    }


@pytest.mark.parametrize("phase", [Phase.DELETED, Phase.SHUTOFF, None])
def test_a_guest_that_should_not_run_is_told(phase: Phase | None) -> None:
    """Stopping it is for people: it may be somebody's only copy."""
    of = records({0: Phase.ACTIVE})
    servers = {} if phase is None else {ONE: ServerWord(phase=phase, host="h1")}
    assert found(replace(of, servers=servers)) == {(Kind.GUEST_UNWANTED, Repair.NONE)}


def test_a_server_in_error_may_hold_what_it_has() -> None:
    """Its claim stays charged until it is deleted, its guest and mdev may be there."""
    of = records({0: Phase.ACTIVE})
    errs = replace(of, servers={ONE: ServerWord(phase=Phase.ERROR, host="h1")})
    assert disagreements(errs) == ()
    assert disagreements(replace(errs, guests={})) == ()


def test_a_charge_that_is_lost_or_wrong_is_written_again() -> None:
    of = records({0: Phase.ACTIVE})
    lost = replace(of, allocations={})
    assert found(lost) == {(Kind.ALLOCATION_MISSING, Repair.WRITE)}
    held = of.allocations[ONE]
    wrong = {ONE: {**held, GPU_PROVIDER: {**held[GPU_PROVIDER], "VGPU": 2}}}
    assert found(replace(of, allocations=wrong)) == {
        (Kind.ALLOCATION_WRONG, Repair.WRITE)
    }


def test_a_charge_of_what_is_offered_no_more_is_no_mistake() -> None:
    """A card's budget and the disk are charged as the host was when it was claimed."""
    of = records({0: Phase.ACTIVE})
    kept = replace(of, snapshot=replace(of.snapshot, disk_gb=0))
    assert disagreements(kept) == ()


def test_a_built_server_has_a_claim_that_is_finished() -> None:
    of = records({0: Phase.ACTIVE})
    half = {ONE: replace(of.claims[ONE], state=ClaimState.CLAIMED)}
    assert found(replace(of, claims=half)) == {(Kind.CLAIM_UNFINISHED, Repair.NONE)}


def test_nothing_is_claimed_twice() -> None:
    """A VF and a CPU that two servers claim are each told."""
    of = records({0: Phase.ACTIVE, 1: Phase.ACTIVE})
    first, second = of.claims[ONE], of.claims[consumer(1)]
    same = replace(second, assignment=first.assignment)
    told = disagreements(replace(of, claims={ONE: first, consumer(1): same}))
    doubled = [one.what for one in told if one.kind is Kind.CLAIM_DOUBLED]
    assert [what.rpartition("claim ")[2] for what in doubled] == [
        "0000:3b:00.1",
        "CPU 2",
    ]


@pytest.mark.parametrize("phase", [Phase.ACTIVE, Phase.PAUSED, Phase.RESCUED])
def test_a_guest_that_does_not_run_is_told_with_its_servers_phase(
    phase: Phase,
) -> None:
    """Nobody knows why it ended, so nothing is done about it."""
    of = replace(
        records({0: Phase.ACTIVE}),
        guests={},
        servers={ONE: ServerWord(phase=phase, host="h1")},
    )
    [told] = disagreements(of)
    assert (told.kind, told.repair) == (Kind.GUEST_MISSING, Repair.NONE)
    assert told.what == f"server {ONE} is {phase.value} but its guest does not run"


def test_a_server_that_a_job_works_on_is_left_alone() -> None:
    of = replace(orphan(Phase.DELETED), moving=frozenset({ONE}))
    assert disagreements(of) == ()


@pytest.mark.parametrize("phase", [Phase.ACTIVE, Phase.RESIZED, Phase.DELETED])
def test_the_old_side_of_a_move_is_its_migrations(phase: Phase) -> None:
    """Of a server that is gone, too, and with its guest: its host was away."""
    of, migration = records({0: Phase.ACTIVE}), UUID(int=77)
    left = replace(claim(1), consumer=migration, guest=consumer(0))
    on_other = {} if phase is Phase.DELETED else of.claims
    held = {key: of.allocations[key] for key in on_other}
    there = replace(
        of,
        claims={**on_other, migration: left},
        allocations={
            **held,
            migration: allocation_of(left.assignment, of.snapshot),
        },
        servers={consumer(0): ServerWord(phase=phase, host="h1")},
        snapshot=of.snapshot if on_other else replace(of.snapshot, mdevs=()),
        guests=of.guests if on_other else {ONE: sources_of(left)},
        moves={migration: consumer(0)},
    )
    assert disagreements(there) == ()
    told = disagreements(replace(there, moves={}))
    assert [one.consumer for one in told if one.consumer == migration]


def test_others_providers_are_not_ours_to_judge() -> None:
    """Only a provider whose uuid follows from its name is one that we made."""
    of = records({})
    assert disagreements(replace(of, providers={**of.providers, ONE: "storage"})) == ()


def test_a_line_says_where_what_and_what_heal_does() -> None:
    foreign = Mdev(uuid=ONE, type_id="small", parent=GPU)
    of = records({})
    [one] = disagreements(replace(of, snapshot=replace(of.snapshot, mdevs=(foreign,))))
    assert (
        one.line == f"h1: the mdev {ONE} of small on {GPU} is not ours (reported only)"
    )


def test_a_server_knows_its_mdevs_by_name() -> None:
    """Each slot of its request makes one name, whatever the device turns out to be."""
    wanted = DeviceRequest(
        id="d-0", alias="d", count=2, policy=NumaPolicy.LEGACY, wants=()
    )
    names = mdev_names(ONE, GuestRequest(vcpus=1, memory_mb=1, devices=(wanted,)))
    assert sorted(slot for _, slot in names.values()) == ["d-0/0", "d-0/1"]
    assert names[mdev_of(claim(0)).uuid] == (ONE, "d-0/1")
