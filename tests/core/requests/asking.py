"""A flavor of four vCPUs and 4 GiB, and what is asked or refused with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sundog.core.errors import BadRequestError
from sundog.core.requests.alias import Alias
from sundog.core.requests.extra_specs import guest_request
from sundog.core.requests.flavor import Flavor
from sundog.core.requests.guest_request import DeviceWant, NumaPolicy

if TYPE_CHECKING:
    from sundog.core.requests.guest_request import GuestRequest

FLAVOR = Flavor(id="1", name="m1", vcpus=4, memory_mb=4096, disk_gb=10)
ALIASES = {
    "gpu": Alias(
        name="gpu", wants=(DeviceWant(vendor_id="10de"),), policy=NumaPolicy.PREFERRED
    )
}


def ask(
    specs: dict[str, str], image: dict[str, str] | None = None, flavor: Flavor = FLAVOR
) -> GuestRequest:
    """Make a request of a flavor with these extra specs."""
    return guest_request(replace(flavor, extra_specs=specs), image or {}, ALIASES)


def refused(specs: dict[str, str], image: dict[str, str] | None = None) -> str:
    """Return why a flavor with these extra specs is refused."""
    with pytest.raises(BadRequestError) as caught:
        ask(specs, image)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def cells(request: GuestRequest) -> list[tuple[set[int], set[int], int]]:
    """Return vCPUs, pinned vCPUs and MiB of each cell."""
    return [(set(c.cpus), set(c.dedicated), c.memory_mb) for c in request.cells]
