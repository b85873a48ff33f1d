"""What a server asks for now: its flavor, what was attached, less what was detached.

The requests that users attach are read here too, in a flavor's words: ``vGPU:2``, or
``resources:VGPU=1``. Each part is a request of its own whose id ends in ``+`` and a
number, so that its devices' slots are nobody else's in the server.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Final

from sundog.core.errors import BadRequestError
from sundog.core.lives.plug import Attached
from sundog.core.requests.alias import MOST_DEVICES, parse_alias_property
from sundog.core.requests.device_policy import read_device_policy, under_policy
from sundog.core.requests.extra_specs import guest_request
from sundog.core.requests.resource_groups import read_groups
from sundog.core.requests.spec_source import SpecSource
from sundog.core.wording import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sundog.core.lives.server import Server
    from sundog.core.requests.alias import Alias
    from sundog.core.requests.guest_request import DeviceRequest, GuestRequest

_KEY: Final = "attach"
_CLASS: Final = re.compile(r"(resources[A-Za-z0-9_-]{0,64}:[^=]*)=(.*)", re.ASCII)


def server_request(server: Server, aliases: Mapping[str, Alias]) -> GuestRequest:
    """Return what a server is built anew with.

    Raises as ``guest_request`` does.
    """
    request = all_requests(server, aliases)
    kept = (_without(device, server.detached) for device in request.devices)
    return replace(request, devices=tuple(device for device in kept if device.count))


def all_requests(server: Server, aliases: Mapping[str, Alias]) -> GuestRequest:
    """Return all that a server ever asked for, what was detached included."""
    request = guest_request(server.flavor, server.image_properties, aliases)
    attached = attached_requests(server, server.attached, aliases)
    return replace(request, devices=request.devices + attached)


def attached_requests(
    server: Server, attached: Iterable[Attached], aliases: Mapping[str, Alias]
) -> tuple[DeviceRequest, ...]:
    """Return the requests of attached devices, under the server's own policy."""
    source = SpecSource(server.flavor.extra_specs, server.image_properties)
    requests = (replace(_request(one.asks, aliases), id=one.id) for one in attached)
    # A numbered group keeps to one card of its own, whatever the flavor's groups do.
    alone = (replace(r, group=r.id if r.group else "") for r in requests)
    return under_policy(alone, read_device_policy(source))


def read_attach(
    text: str, aliases: Mapping[str, Alias], taken: Collection[str]
) -> tuple[Attached, ...]:
    """Read what is to be attached; ``taken`` are ids that the server knows already.

    Raises BadRequestError that names the part at fault.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > MOST_DEVICES:
        raise BadRequestError(
            f"{_KEY}={shown(text)} has {len(parts)} parts; write at most {MOST_DEVICES}"
        )
    found: dict[str, Attached] = {}
    for part in parts:
        asks = part if ":" in part or not part else f"{part}:1"
        request = _request(asks, aliases)
        numbered = (f"{request.id}+{number}" for number in count(1))
        name = next(each for each in numbered if each not in {*taken, *found})
        found[name] = Attached(id=name, asks=asks, count=request.count)
    return tuple(found.values())


def after_detaching(server: Server, slots: Collection[str]) -> Server:
    """Return the server without some slots; a request left without any is forgotten."""
    detached = server.detached.union(slots)
    gone = [one for one in server.attached if one.slots <= detached]
    return replace(
        server,
        attached=tuple(one for one in server.attached if one not in gone),
        detached=detached.difference(*(one.slots for one in gone)),
    )


def _without(device: DeviceRequest, detached: Collection[str]) -> DeviceRequest:
    skipped = frozenset(
        int(number)
        for name, _, number in (slot.rpartition("/") for slot in detached)
        if name == device.id and int(number) < device.count
    )
    return replace(device, count=device.count - len(skipped), skipped=skipped)


def _request(asks: str, aliases: Mapping[str, Alias]) -> DeviceRequest:
    """Read one part."""
    match = _CLASS.fullmatch(asks)
    if match is None:
        return parse_alias_property(asks, aliases, _KEY)[0]
    groups = read_groups(SpecSource({match[1]: match[2]}))
    if len(groups.devices) != 1:
        raise BadRequestError(
            f"{_KEY}={shown(asks)} asks for no device; write for example "
            "'resources:VGPU=1'"
        )
    return groups.devices[0]
