"""What a server asks for follows what was attached to it and detached from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from tests.core.requests.asking import ALIASES, FLAVOR

from sundog.core.errors import BadRequestError
from sundog.core.lives.plug import Attached
from sundog.core.lives.server import Server
from sundog.core.requests.guest_request import NumaPolicy
from sundog.core.requests.server_request import (
    after_detaching,
    all_requests,
    read_attach,
    server_request,
)

THEN = datetime(2026, 1, 1, tzinfo=UTC)
SERVER = Server(
    id=UUID(int=1),
    name="vm",
    project_id="p",
    user_id="u",
    flavor=replace(FLAVOR, extra_specs={"pci_passthrough:alias": "gpu:2"}),
    image_id="tiny",
    created=THEN,
    updated=THEN,
)


def slots(server: Server) -> list[str]:
    request = server_request(server, ALIASES)
    return [slot for device in request.devices for slot in device.slots]


def attach(text: str, server: Server = SERVER) -> Server:
    taken = {one.id for one in server.attached}
    return replace(server, attached=server.attached + read_attach(text, ALIASES, taken))


def test_what_is_attached_has_names_of_its_own() -> None:
    """A part without a count is one device; each part is a request of its own."""
    server = attach("gpu, gpu:2,resources:VGPU=1")
    assert [one.asks for one in server.attached] == [
        "gpu:1",
        "gpu:2",
        "resources:VGPU=1",
    ]
    assert slots(attach("gpu", server)) == [
        "gpu/0",
        "gpu/1",
        "gpu+1/0",
        "gpu+2/0",
        "gpu+2/1",
        "resources:VGPU+1/0",
        "gpu+3/0",
    ]


def test_what_is_attached_obeys_the_policy_of_flavor_and_image() -> None:
    """As the flavor's own devices do."""
    [*_, alone] = server_request(attach("gpu"), ALIASES).devices
    assert alone.policy is NumaPolicy.PREFERRED
    strict = replace(SERVER, image_properties={"hw_pci_numa_affinity_policy": "socket"})
    [*_, bound] = server_request(attach("gpu", strict), ALIASES).devices
    assert bound.policy is NumaPolicy.SOCKET


def test_a_numbered_group_that_is_attached_has_a_card_of_its_own() -> None:
    """It is not of the flavor's group of that number."""
    [*_, grouped] = server_request(attach("resources1:VGPU=2"), ALIASES).devices
    assert (grouped.group, grouped.same_card) == ("resources1:VGPU+1", True)


def test_what_is_detached_is_not_asked_for_again() -> None:
    """The others keep their names, and a request left without any is forgotten."""
    server = after_detaching(attach("gpu:2"), {"gpu/0", "gpu+1/1"})
    assert slots(server) == ["gpu/1", "gpu+1/0"]
    assert server.detached == {"gpu/0", "gpu+1/1"}
    fewer = after_detaching(server, {"gpu+1/0"})
    assert fewer.attached == ()
    assert fewer.detached == {"gpu/0"}
    assert slots(after_detaching(fewer, {"gpu/1"})) == []
    every = all_requests(server, ALIASES).devices
    assert [device.count for device in every] == [2, 2]


def test_a_slot_that_the_flavor_has_not_changes_nothing() -> None:
    """A server may have been given another flavor since."""
    assert slots(replace(SERVER, detached=frozenset({"gpu/7", "x/0"}))) == [
        "gpu/0",
        "gpu/1",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "attach='': the part '' is not name:count"),
        ("gpu:1,,gpu", "the part '' is not name:count"),
        ("gpu:0", "the part 'gpu:0' has the count '0'; write a number from 1 to 64"),
        ("gpu:65", "has the count '65'"),
        ("tpu:1", "PCI alias 'tpu' is not defined"),
        ("resources:VCPU=1", "asks for no device; write for example"),
        ("resources:VGPU=0", "attach='resources:VGPU=0' asks for no device"),
        ("resources:VGPU=x", "resources:VGPU='x' is no whole number from 0 to 64"),
        ("resources:vgpu=1", "resources:vgpu='1' names no resource class"),
        (",".join(["gpu"] * 65), "has 65 parts; write at most 64"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_part_at_fault(
    text: str, reason: str
) -> None:
    """One line, for whoever asked."""
    with pytest.raises(BadRequestError) as caught:
        read_attach(text, ALIASES, ())
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_attached_request_knows_its_slots() -> None:
    """Also those that were detached."""
    one = Attached(id="gpu+1", asks="gpu:2", count=2)
    assert one.slots == {"gpu+1/0", "gpu+1/1"}
