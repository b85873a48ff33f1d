"""What a running guest has is what is claimed for it; else it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest
from tests.core.agreement.agreeing import (
    consumer,
    mdev_of,
    records,
    sources_of,
)
from tests.core.hosts.tree_hosts import GPU

from sundog.core.agreement.check_records import disagreements
from sundog.core.agreement.records import (
    DisagreementKind,
    HostRecords,
    Repair,
    ServerWord,
)
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.whitelist import GONE
from sundog.core.lives.phases import Phase
from sundog.core.lives.plug import PlugState

Kind = DisagreementKind
ONE: Final = consumer(0)


def test_a_guest_without_its_device_is_told() -> None:
    """A function that is gone, and an mdev that became another, are named."""
    of = records({0: Phase.ACTIVE})
    nic, gpu = of.snapshot.cards
    gone = replace(nic.devices[1], unavailable=GONE)
    cards = (replace(nic, devices=(nic.devices[0], gone, *nic.devices[2:])), gpu)
    other = replace(of.snapshot.mdevs[0], type_id="large")
    told = disagreements(
        replace(of, snapshot=replace(of.snapshot, cards=cards, mdevs=(other,)))
    )
    assert {one.kind for one in told} == {Kind.DEVICE_MISSING}
    assert [one.what.partition(": ")[2] for one in told] == [
        "0000:3b:00.1 is not there",
        f"small of {GPU} is not there",
    ]


def unplugged(phase: Phase, **changes: object) -> HostRecords:
    """Return records of a running guest that lacks its mdev."""
    of = records({0: Phase.ACTIVE})
    [vf, mdev] = of.claims[ONE].assignment.devices
    assignment = replace(
        of.claims[ONE].assignment,
        devices=(vf, replace(mdev, **changes)),  # type: ignore[arg-type]  # a share's fields
    )
    return replace(
        of,
        claims={ONE: replace(of.claims[ONE], assignment=assignment)},
        guests={ONE: frozenset({vf.address})},
        servers={ONE: ServerWord(phase=phase, host="h1")},
    )


@pytest.mark.parametrize(
    ("phase", "repair"),
    [
        (Phase.ACTIVE, Repair.PLUG),
        (Phase.RESCUED, Repair.PLUG),
        (Phase.PAUSED, Repair.NONE),
        (Phase.ERROR, Repair.NONE),
    ],
)
def test_a_device_that_a_running_guest_lacks_is_plugged_in_again(
    phase: Phase, repair: Repair
) -> None:
    """Unless its guest cannot answer, or nobody knows what became of its server."""
    of = unplugged(phase)
    [told] = disagreements(of)
    assert (told.kind, told.repair) == (Kind.DEVICE_UNPLUGGED, repair)
    name = mdev_of(of.claims[ONE]).uuid
    assert told.what == f"server {ONE} claims its d-0/1 but its guest has no {name}"


@pytest.mark.parametrize("state", [PlugState.ATTACHING, PlugState.DETACHING])
def test_a_device_on_its_way_may_be_there_or_not(state: PlugState) -> None:
    """Until the guest has taken it, or has let go of it."""
    assert disagreements(unplugged(Phase.ACTIVE, plug=state)) == ()
    there = unplugged(Phase.ACTIVE, plug=state)
    has = {ONE: sources_of(there.claims[ONE])}
    assert disagreements(replace(there, guests=has)) == ()


def test_a_device_that_a_guest_has_unclaimed_is_only_told() -> None:
    """Whose it is, if it is anybody's; the guest may be using it."""
    of = records({0: Phase.ACTIVE, 1: Phase.SHUTOFF})
    free = PciAddress.parse("0000:3b:00.4")
    others = of.claims[consumer(1)].assignment.devices[0].address
    more = {ONE: of.guests[ONE] | {free, others}}
    told = disagreements(replace(of, guests=more))
    assert {(one.kind, one.repair, one.consumer) for one in told} == {
        (Kind.DEVICE_UNCLAIMED, Repair.NONE, ONE)
    }
    way_out = "detach it, or reboot the server hard"
    assert [one.what for one in told] == [
        f"the guest {ONE} has {others}, which server {consumer(1)} claims; {way_out}",
        f"the guest {ONE} has {free}, which nobody claims; {way_out}",
    ]
