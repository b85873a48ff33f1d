"""``/v1/servers/{server}/devices``: what a server has, and what it is to have."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from sundog.core.choosing.assignment import mdev_uuid
from sundog.core.devices.device import DeviceKind
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.servers import find
from sundog.edges.rest.errors import Fault
from sundog.workflows.actions.book import Call
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.device import Card
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.lives.server import Server
    from sundog.edges.rest.ask import Ask


class ServerDeviceBody(msgspec.Struct, kw_only=True, frozen=True):
    """A device of a server.

    ``slot`` names it in the server. ``kind`` is an alias's ``device_type``; ``type``
    is the mdev or vGPU type, empty for a whole function. ``numa_nodes`` are the host
    cells that it is near, empty when that is unknown; ``guest_cell`` is the guest's
    cell that it appears on, None without affinity. ``mdev`` is empty for a function.
    ``origin`` is ``flavor``, or ``attached`` for one asked for later. ``state`` is
    ``attached``, ``attaching`` or ``detaching``: held until the guest lets go of it.
    """

    slot: str
    alias: str
    kind: str
    type: str
    type_name: str
    product: str
    resource_class: str
    address: str
    card: str
    mdev: str
    numa_nodes: list[int]
    guest_cell: int | None
    origin: str
    state: str


class ServerDevicesBody(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /v1/servers/{server}/devices``; flavor's first, as they were asked for.

    ``host`` is the admin's to know, and None without a host; ``cells`` are the host
    cells that the server takes from.
    """

    server_id: str
    server_name: str
    status: str
    task: str | None
    host: str | None
    cells: list[int]
    devices: list[ServerDeviceBody]


class AttachFields(msgspec.Struct, forbid_unknown_fields=True):
    """``POST …/devices``: in a flavor's words, ``vGPU:1`` or ``resources:VGPU=1``."""

    devices: str


class BegunBody(msgspec.Struct, kw_only=True, frozen=True):
    """What was begun: the slots that it is about, and its name in the history.

    ``/v2.1/servers/{server_id}/os-instance-actions/{request_id}`` tells how it went.
    """

    server_id: str
    slots: list[str]
    request_id: str


def index(ask: Ask, server: str) -> Answer:
    """``GET``: by id, or by a name that only one server has."""
    found = _find(ask, server)
    claim = ask.books.servers.claim(found.id)
    assignment = claim.assignment if claim else None
    state = ask.books.hosts.fleet.state(assignment.host) if assignment else None
    cards = {card.address: card for card in state.snapshot.cards} if state else {}
    cells = assignment.cells if assignment else ()
    return Answer(
        body=ServerDevicesBody(
            server_id=str(found.id),
            server_name=found.name,
            status=found.status.value,
            task=found.task.value if found.task else None,
            host=assignment.host if assignment and ask.caller.is_admin else None,
            cells=sorted({share.host_cell for share in cells}),
            devices=[
                _device(found, share, cards)
                for share in (assignment.devices if assignment else ())
            ],
        )
    )


def attach(ask: Ask, server: str) -> Answer:
    """``POST``: begin to attach devices."""
    fields = ask.read(AttachFields)
    found = _find(ask, server)
    slots = ask.books.plugs.attach(_call(ask, found), fields.devices)
    return _begun(ask, found, list(slots))


def detach(ask: Ask, server: str, slot: str) -> Answer:
    """``DELETE …/devices/{slot}``: begin to detach one; asked again, it goes on."""
    found = _find(ask, server)
    ask.books.plugs.detach(_call(ask, found), slot)
    return _begun(ask, found, [slot])


def _call(ask: Ask, server: Server) -> Call:
    return Call(server_id=server.id, asked=ask.asked, over_lock=ask.is_over_locks)


def _begun(ask: Ask, server: Server, slots: list[str]) -> Answer:
    body = BegunBody(
        server_id=str(server.id), slots=slots, request_id=ask.asked.request_id
    )
    return Answer(status=202, body=body)


def _find(ask: Ask, text: str) -> Server:
    try:
        UUID(text)
    except ValueError:
        return _named(ask, text)
    return find(ask, text)


def _named(ask: Ask, name: str) -> Server:
    project = None if ask.caller.is_admin else ask.caller.project_id
    servers = ask.books.servers.list(ServerQuery(project_id=project))
    found = [server for server in servers if server.name == name]
    if not found:
        raise Fault(404, f"Instance {name} could not be found.")
    if len(found) > 1:
        ids = ", ".join(str(server.id) for server in found[:5])
        raise Fault(409, f"{len(found)} servers are named {name}; use an id: {ids}")
    return found[0]


def _device(
    server: Server, share: DeviceShare, cards: Mapping[PciAddress, Card]
) -> ServerDeviceBody:
    card = cards.get(share.card)
    names = {
        device.type_id: device.type_name
        for device in (card.devices if card else ())
        if device.address == share.address
    }
    added = {one.id for one in server.attached}
    is_added = share.slot.rpartition("/")[0] in added
    return ServerDeviceBody(
        slot=share.slot,
        alias=share.alias,
        kind=share.kind.value,
        type=share.type_id,
        type_name=names.get(share.type_id, ""),
        product=card.product if card else "",
        resource_class=share.resource_class,
        address=str(share.address),
        card=str(share.card),
        mdev=str(mdev_uuid(server.id, share.slot))
        if share.kind is DeviceKind.MDEV
        else "",
        numa_nodes=sorted(share.numa_nodes),
        guest_cell=share.guest_cell,
        origin="attached" if is_added else "flavor",
        state=share.plug.value,
    )
