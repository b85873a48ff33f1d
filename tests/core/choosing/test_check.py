"""The host's own judgement of an assignment."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from tests.core.choosing.plain_hosts import (
    asked,
    cell,
    floating,
    gpu,
    held,
    host,
    nic,
    of_type,
    parent,
    pinned,
)

from sundog.core.choosing.assignment import Assignment, CellShare, mdev_uuid
from sundog.core.choosing.choose_host import check, fit_host
from sundog.core.devices.device import DeviceKind, Mdev
from sundog.core.hosts.pages import PagePool
from sundog.core.requests.guest_request import DeviceWant

PAGES = replace(cell(0), pages=(PagePool(size_kb=2048, total=10),))


def one_cell(**share: object) -> Assignment:
    """Take something of cell 0."""
    whole = CellShare(host_cell=0, guest_cell=0)
    return Assignment(host="one", cells=(replace(whole, **share),))  # type: ignore[arg-type]  # the parameters name the fields


@pytest.mark.parametrize(
    ("assignment", "reason"),
    [
        (one_cell(), ""),
        (Assignment(host="two"), "it is for host two, this is one"),
        (Assignment(host="one", disk_gb=11), "needs 11 GiB of disk, 10 free"),
        (one_cell(host_cell=7), "the host has no cell 7"),
        (one_cell(shared_cpus=5), "needs 5 shared CPUs on cell 0, 4 free"),
        (one_cell(pins=((0, 3), (1, 3))), "CPU 3 on cell 0 is not free"),
        (one_cell(blocked=frozenset({4})), "CPU 4 on cell 0 is not free"),
        (one_cell(memory_mb=4097), "needs 4097 MiB on cell 0, 4096 free"),
        (one_cell(memory_mb=20, page_kb=2048), ""),
        (
            one_cell(memory_mb=22, page_kb=2048),
            "needs 22 MiB in pages of 2048 KiB on cell 0, 10 such pages free",
        ),
        (
            one_cell(memory_mb=3, page_kb=2048),
            "needs 3 MiB in pages of 2048 KiB on cell 0, 10 such pages free",
        ),
        (
            Assignment(host="one", cells=one_cell().cells * 2),
            "cell 0 is named twice",
        ),
    ],
)
def test_what_is_not_there_is_refused(assignment: Assignment, reason: str) -> None:
    """The first problem is told."""
    assert check(assignment, host(cells=(PAGES,))) == reason


def test_devices_are_looked_at_as_they_are_now() -> None:
    """What was free when chosen may be gone, taken or broken."""
    state = host(gpu(1, 0))
    found = fit_host(pinned(asked()), state)
    assert found is not None
    assert check(found, state) == ""
    assert check(found, host()) == "device 0000:01:00.0 is not on offer"
    assert check(found, host(nic(1, 0))) == "device 0000:01:00.0 is not on offer"
    in_use = "is in use, or excluded by what is in use on its card"
    devices_only = replace(found, cells=())
    taken = check(devices_only, held(state, devices_only))
    assert taken == f"device 0000:01:00.0 {in_use}"
    card = gpu(1, 0)
    broken = replace(card.devices[0], unavailable="no word")
    state = host(replace(card, devices=(broken,)))
    assert check(found, state) == "device 0000:01:00.0 is unavailable: no word"


def test_the_budget_is_looked_at_share_by_share() -> None:
    """The devices of one assignment count against each other."""
    request = floating(asked(want=of_type("a"), count=2))
    found = fit_host(request, host(parent(1, 0, a=4)))
    assert found is not None
    smaller = host(replace(parent(1, 0, a=4), budget=7))
    reason = "device 0000:01:00.0 a does not fit on what is left of card 0000:01:00.0"
    assert check(found, smaller) == reason
    twice = replace(found, devices=found.devices[:1] * 3)
    assert check(twice, host(parent(1, 0, a=4))) == reason


def test_mdevs_that_are_there_need_no_room_again() -> None:
    """A consumer that fills a card may be started again on what it has."""
    consumer = UUID(int=1)
    card = parent(1, 0, a=4)
    found = fit_host(floating(asked(want=of_type("a"), count=2)), host(card))
    assert found is not None
    mdevs = [
        Mdev(uuid=mdev_uuid(consumer, s.slot), type_id=s.type_id, parent=s.address)
        for s in found.devices
    ]
    full = replace(card, devices=(replace(card.devices[0], available=0),))
    state = host(full)
    there = replace(state, snapshot=replace(state.snapshot, mdevs=tuple(mdevs)))
    assert check(found, there, consumer) == ""
    assert check(found, there)
    assert check(found, there, UUID(int=2))
    other = replace(mdevs[0], type_id="b")
    lost = replace(there.snapshot, mdevs=(other, *mdevs[1:]))
    assert check(found, replace(there, snapshot=lost), consumer)


def test_a_type_that_fills_its_parent_is_given_once() -> None:
    """The same parent is not used twice by one assignment."""
    state = host(replace(parent(1, 0, a=8), budget=100))
    found = fit_host(floating(asked(want=of_type("a"))), state)
    assert found is not None
    assert check(replace(found, devices=found.devices * 2), state)


def test_a_pf_in_an_assignment_rules_its_vfs_out() -> None:
    """Dependents count within one assignment, too."""
    state = host(nic(1, 0))
    wants = [DeviceWant(kind=kind) for kind in (DeviceKind.PF, DeviceKind.VF)]
    pf, vf = (fit_host(floating(asked(want=want)), state) for want in wants)
    assert pf is not None
    assert vf is not None
    assert check(replace(pf, devices=pf.devices + vf.devices), state)
