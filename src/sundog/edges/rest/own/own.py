"""``/v1``: hosts, devices, aliases, explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.lives.phases import Phase
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.own.bodies import (
    AliasBody,
    AliasesBody,
    AliasWantBody,
    DeviceRowBody,
    DevicesBody,
    ExplainBody,
    FitBody,
    FitDeviceBody,
    HostsBody,
    RefusalBody,
)
from sundog.edges.rest.own.host_view import host_body, unseen_body
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.lives.server import Server
    from sundog.core.requests.alias import Alias
    from sundog.core.requests.guest_request import DeviceWant
    from sundog.edges.rest.ask import Ask
    from sundog.edges.rest.own.bodies import HostBody


def index(ask: Ask) -> Answer:
    """``GET /v1``: what there is."""
    names = ("hosts", "devices", "aliases", "explain", "audit")
    return Answer(body={name: ask.link(f"/{name}") for name in names})


def hosts(ask: Ask) -> Answer:
    """``GET /v1/hosts``."""
    return Answer(body=HostsBody(hosts=_hosts(ask)))


def host(ask: Ask, name: str) -> Answer:
    """``GET /v1/hosts/{name}``: one, in the same form."""
    found = [one for one in _hosts(ask) if one.name == name]
    if not found:
        raise Fault(404, f"Host {name} could not be found.")
    return Answer(body=HostsBody(hosts=found))


def devices(ask: Ask) -> Answer:
    """``GET /v1/devices``."""
    rows = [
        DeviceRowBody(
            host=one.name, card=card.address, product=card.product, device=device
        )
        for one in _hosts(ask)
        for cards in (
            *(cell.cards for socket in one.sockets for cell in socket.cells),
            one.loose_cards,
        )
        for card in cards
        for device in card.devices
    ]
    return Answer(body=DevicesBody(devices=rows))


def aliases(ask: Ask) -> Answer:
    """``GET /v1/aliases``."""
    known = sorted(ask.books.hosts.aliases.values(), key=lambda alias: alias.name)
    return Answer(body=AliasesBody(aliases=[_alias(alias) for alias in known]))


def explain(ask: Ask) -> Answer:
    """``GET /v1/explain?flavor=NAME[&image=ID][&availability_zone=ZONE]``."""
    flavor = ask.query.text("flavor")
    if not flavor:
        raise Fault(400, "Name a flavor: /v1/explain?flavor=NAME.")
    zone = ask.query.text("availability_zone") or ""
    found = ask.books.hosts.explain(flavor, ask.query.text("image"), zone)
    refusals = [
        RefusalBody(
            host=refusal.host,
            reason=f"{refusal.detail}; {refusal.remedy}",
            first=refusal.first,
            tightest=refusal.tightest,
            detail=refusal.detail,
            remedy=refusal.remedy,
        )
        for refusal in found.refusals
    ]
    return Answer(
        body=ExplainBody(
            flavor=flavor,
            fits=[_fit(assignment) for assignment in found.fits],
            refusals=refusals,
            summary=found.summary,
        )
    )


def _hosts(ask: Ask) -> list[HostBody]:
    servers: dict[UUID, Server] = {
        server.id: server
        for server in ask.books.servers.list(ServerQuery(deleted=None))
    }
    seen = [host_body(view, servers) for view in ask.books.hosts.hosts()]
    there = [one for one in servers.values() if one.phase is not Phase.DELETED]
    unseen = [
        unseen_body(host, why, [one for one in there if one.host == host])
        for host, why in ask.books.hosts.fleet.unseen.items()
    ]
    return sorted([*seen, *unseen], key=lambda host: host.name)


def _alias(alias: Alias) -> AliasBody:
    return AliasBody(
        name=alias.name,
        numa_policy=alias.policy.value,
        wants=[_want(want) for want in alias.wants],
    )


def _want(want: DeviceWant) -> AliasWantBody:
    return AliasWantBody(
        vendor_id=want.vendor_id,
        product_id=want.product_id,
        device_type=want.kind.value if want.kind else None,
        type=want.type_id,
        resource_class=want.resource_class,
        traits=sorted(want.traits),
        live_migratable=want.live_migratable,
    )


def _fit(assignment: Assignment) -> FitBody:
    return FitBody(
        host=assignment.host,
        cells=sorted({share.host_cell for share in assignment.cells}),
        devices=[
            FitDeviceBody(
                slot=share.slot,
                kind=share.kind.value,
                type=share.type_id,
                address=str(share.address),
            )
            for share in assignment.devices
        ],
    )
