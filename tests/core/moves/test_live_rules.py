"""Live migration is refused, with the reason, before anything moves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.core.choosing.plain_hosts import (
    asked,
    floating,
    gpu,
    host,
    nic,
    of_type,
    parent,
    pinned,
)

from sundog.core.choosing.choose_host import fit_host
from sundog.core.devices.device import Card, DeviceKind, DeviceTags
from sundog.core.moves.live_rules import cannot_arrive, cannot_leave, same_devices
from sundog.core.requests.guest_request import DeviceWant

if TYPE_CHECKING:
    from sundog.core.choosing.assignment import Assignment
    from sundog.core.hosts.host_snapshot import HostState
    from sundog.core.requests.guest_request import DeviceRequest, GuestRequest

NEW = 10_000_000
VF = DeviceWant(kind=DeviceKind.VF, live_migratable=True)
SLICE = replace(of_type("half"), live_migratable=True)


def movable(card: Card) -> Card:
    """Let a card's rule say that its devices can be migrated live."""
    tags = DeviceTags(live_migratable=True)
    return replace(
        card, devices=tuple(replace(device, tags=tags) for device in card.devices)
    )


def at(
    *cards: Card, libvirt: int = NEW, qemu: int = NEW, name: str = "one"
) -> HostState:
    """Make a host of some versions."""
    state = host(*cards, name=name)
    versions = replace(state.snapshot, libvirt_version=libvirt, qemu_version=qemu)
    return replace(state, snapshot=versions)


def held(request: GuestRequest, state: HostState) -> Assignment:
    found = fit_host(request, state)
    assert found is not None
    return found


def leaving(state: HostState, *devices: DeviceRequest) -> str:
    request = floating(*devices)
    return cannot_leave(request, held(request, state), state.snapshot)


CARD = movable(parent(1, 0, half=4, whole=8))
NIC = movable(nic(2, 0))


def test_what_all_allow_can_leave_and_arrive() -> None:
    """Rule, alias, libvirt, QEMU and type say so on both sides."""
    request = floating(asked(want=SLICE), asked(want=VF, request_id="vf-0"))
    old, new = held(request, at(CARD, NIC)), held(request, at(CARD, NIC, name="two"))
    assert cannot_leave(request, old, at(CARD, NIC).snapshot) == ""
    assert cannot_arrive(old, new, at(CARD, NIC, name="two").snapshot) == ""


def test_a_server_without_devices_needs_no_version() -> None:
    assert (
        cannot_leave(floating(), held(floating(), at(libvirt=0)), at().snapshot) == ""
    )


def test_the_alias_must_say_so() -> None:
    """Of a resource class, which has no alias, the rule alone decides."""
    plain = asked(want=of_type("half"))
    assert "alias vGPU does not say" in leaving(at(CARD), plain)
    assert leaving(at(CARD), replace(plain, alias="")) == ""


def test_the_rule_must_say_so() -> None:
    told = leaving(
        at(parent(1, 0, half=4)), replace(asked(want=of_type("half")), alias="")
    )
    assert "the rule of 0000:01:00.0 on host one does not say" in told


@pytest.mark.parametrize(
    ("want", "versions", "told"),
    [
        (
            SLICE,
            (8_005_999, NEW),
            "libvirt 8.6.0 to be migrated live; host one has 8.5",
        ),
        (SLICE, (8_006_000, 8_000_000), "QEMU 8.1.0 to be migrated live"),
        (SLICE, (0, NEW), "host one has an unknown one"),
        (VF, (9_010_000, NEW), "libvirt 10.0.0 to be migrated live"),
        (VF, (NEW, 8_002_001), "QEMU 8.2.2 to be migrated live"),
        (SLICE, (8_006_000, 8_001_000), ""),
        (VF, (10_000_000, 8_002_002), ""),
    ],
)
def test_versions_must_be_new_enough(
    want: DeviceWant, versions: tuple[int, int], told: str
) -> None:
    """Mediated devices and functions have minima of their own; unknown is too old."""
    state = at(CARD, NIC, libvirt=versions[0], qemu=versions[1])
    problem = leaving(state, asked(want=want))
    assert told in problem
    assert bool(told) == bool(problem)


def test_another_device_does_not_do_on_the_other_side() -> None:
    """A type, a kind or a class that differs is another device."""
    old = held(floating(asked(want=SLICE)), at(CARD))
    whole = replace(of_type("whole"), live_migratable=True)
    there = at(CARD, name="two")
    new = held(floating(asked(want=whole)), there)
    told = cannot_arrive(old, new, there.snapshot)
    assert told.startswith("vGPU-0/0 would be another device there")


def test_a_device_that_is_gone_from_the_host_cannot_be_migrated() -> None:
    """What no rule offers any more says nothing."""
    old = held(floating(asked(want=SLICE)), at(CARD))
    assert "does not say" in cannot_leave(floating(), old, at().snapshot)


def test_the_pages_of_a_guest_keep_their_size() -> None:
    """They are part of what the guest sees."""
    old = held(pinned(), at())
    new = held(pinned(), at(name="two"))
    large = tuple(replace(cell, page_kb=2048) for cell in new.cells)
    there = at(name="two").snapshot
    assert cannot_arrive(old, new, there) == ""
    told = cannot_arrive(old, replace(new, cells=large), there)
    assert "pages of another size" in told


def test_the_request_narrows_to_what_is_held() -> None:
    """An alias with alternatives asks for the one that the server has."""
    either = replace(
        asked(), wants=(replace(of_type("whole"), live_migratable=True), SLICE)
    )
    half = parent(1, 0, half=4)
    request = floating(either, asked(request_id="gone-0"))
    old = held(floating(either), at(movable(half)))
    narrowed, untouched = same_devices(request, old).devices
    [want] = narrowed.wants
    assert (want.kind, want.type_id) == (DeviceKind.MDEV, "half")
    assert want.resource_class == "VGPU"
    assert untouched == asked(request_id="gone-0")


def test_a_whole_function_narrows_to_its_class() -> None:
    any_gpu = asked(want=DeviceWant(vendor_id="10de"))
    old = held(floating(any_gpu), at(gpu(1, 0)))
    [narrowed] = same_devices(floating(any_gpu), old).devices
    assert [want.resource_class for want in narrowed.wants] == ["CUSTOM_GPU"]
