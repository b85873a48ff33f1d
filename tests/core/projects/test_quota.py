"""Quotas count servers, CPUs, memory, aliases and classes, and say what is over."""

from __future__ import annotations

import pytest

from sundog.core.errors import ForbiddenError
from sundog.core.projects.quota import check_room, needs, room
from sundog.core.requests.guest_request import (
    DeviceRequest,
    DeviceWant,
    GuestRequest,
    NumaPolicy,
)

NEED = {"instances": 1, "cores": 4, "alias:vGPU": 0}


def wanting(alias: str, resource_class: str | None, count: int) -> DeviceRequest:
    """Return a request for devices."""
    return DeviceRequest(
        id="r",
        alias=alias,
        count=count,
        policy=NumaPolicy.LEGACY,
        wants=(DeviceWant(resource_class=resource_class),),
    )


def test_a_server_counts_by_its_flavor_aliases_and_classes() -> None:
    request = GuestRequest(
        vcpus=4,
        memory_mb=512,
        devices=(
            wanting("vGPU", None, 2),
            wanting("vGPU", None, 1),
            wanting("", "VGPU", 1),
        ),
    )
    assert needs(request) == {
        "instances": 1,
        "cores": 4,
        "ram": 512,
        "alias:vGPU": 3,
        "class:VGPU": 1,
    }


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({}, None),
        ({"cores": -1, "instances": -1}, None),
        ({"cores": 12}, 2),
        ({"cores": 12, "instances": 3}, 1),
        ({"cores": 3}, 0),
        ({"alias:vGPU": 0}, None),
    ],
)
def test_the_scarcest_quota_leaves_the_room(
    limits: dict[str, int], left: int | None
) -> None:
    assert room(limits, {"instances": 2, "cores": 3}, NEED) == left


def test_every_quota_that_is_exceeded_is_named() -> None:
    limits = {"instances": 2, "cores": 6, "ram": -1}
    with pytest.raises(ForbiddenError) as caught:
        check_room(limits, {"instances": 2, "cores": 3}, NEED)
    assert str(caught.value) == (
        "Quota exceeded for instances, cores: Requested 1, 4, "
        "but already used 2, 3 of 2, 6 instances, cores"
    )


def test_what_fits_is_let_through() -> None:
    check_room({"instances": 3}, {"instances": 2}, NEED)
