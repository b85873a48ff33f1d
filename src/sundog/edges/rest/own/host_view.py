"""A host as ``/v1/hosts`` shows it: what is there, and who holds it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from sundog.core.hosts.pages import SMALL_PAGE_KB
from sundog.edges.rest.own.bodies import (
    CellBody,
    HostBody,
    HostServerBody,
    PagesBody,
    PinBody,
    ProblemBody,
    SocketBody,
)
from sundog.edges.rest.own.card_view import card_body

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sundog.core.hosts.host_snapshot import Cell, Holding
    from sundog.core.lives.server import Server
    from sundog.edges.rest.own.bodies import CardBody
    from sundog.workflows.hosts import HostView

_KIB_PER_MIB: Final = 1024


def host_body(view: HostView, servers: Mapping[UUID, Server]) -> HostBody:
    """Return a host in full; ``servers`` name the holders."""
    snapshot, holdings = view.state.snapshot, view.state.holdings
    names = {
        held.maker: servers[held.maker].name if held.maker in servers else ""
        for held in holdings
    }
    home = {cell.id for cell in snapshot.cells}
    by_cell: dict[int, list[CardBody]] = defaultdict(list)
    loose: list[CardBody] = []
    for card in sorted(snapshot.cards, key=lambda card: card.address):
        body = card_body(card, view.state, names)
        own = [node for node in body.numa_nodes if node in home]
        (by_cell[own[0]] if own else loose).append(body)
    by_socket: dict[int | None, list[CellBody]] = defaultdict(list)
    for cell in sorted(snapshot.cells, key=lambda cell: cell.id):
        by_socket[cell.socket].append(_cell(cell, holdings, names, by_cell[cell.id]))
    return HostBody(
        name=snapshot.name,
        id=str(snapshot.uuid),
        state="up" if view.up else "down",
        status="enabled" if view.state.enabled else "disabled",
        status_reason=view.state.why_disabled,
        disk_gb=snapshot.disk_gb,
        disk_gb_used=sum(held.assignment.disk_gb for held in holdings),
        sockets=[
            SocketBody(id=socket, cells=cells) for socket, cells in by_socket.items()
        ],
        loose_cards=loose,
        servers=[_server(held, servers) for held in holdings],
        problems=[
            ProblemBody(where=problem.where, reason=problem.reason)
            for problem in snapshot.problems
        ],
    )


def unseen_body(name: str, why: str, servers: Sequence[Server]) -> HostBody:
    """Return a host that has not answered yet: only its servers' records are known."""
    return HostBody(
        name=name,
        id="",
        state="down",
        status="disabled",
        status_reason=why,
        disk_gb=0,
        disk_gb_used=0,
        sockets=[],
        loose_cards=[],
        servers=[
            HostServerBody(
                id=str(server.id),
                name=server.name,
                status=server.status.value,
                cells=[],
                vcpus=server.flavor.vcpus,
                memory_mb=server.flavor.memory_mb,
                devices=[],
            )
            for server in servers
        ],
        problems=[],
    )


def _cell(
    cell: Cell,
    holdings: Sequence[Holding],
    names: Mapping[UUID, str],
    cards: list[CardBody],
) -> CellBody:
    shares = [
        (held.maker, share)
        for held in holdings
        for share in held.assignment.cells
        if share.host_cell == cell.id
    ]
    pins = []
    for consumer, share in shares:
        taken: list[tuple[int, int | None]] = [(cpu, vcpu) for vcpu, cpu in share.pins]
        taken += [(cpu, None) for cpu in sorted(share.blocked)]
        pins += [
            PinBody(
                cpu=cpu,
                vcpu=vcpu,
                server_id=str(consumer),
                server_name=names[consumer],
            )
            for cpu, vcpu in taken
        ]
    used: dict[int, int] = defaultdict(int)
    for _, share in shares:
        used[share.page_kb] += share.memory_mb
    return CellBody(
        id=cell.id,
        cpus=sorted(cell.cpus),
        siblings=sorted(sorted(group) for group in cell.siblings),
        shared=sorted(cell.shared),
        shared_used=sum(share.shared_cpus for _, share in shares),
        dedicated=sorted(cell.dedicated),
        pins=sorted(pins, key=lambda pin: pin.cpu),
        memory_mb=cell.memory_mb,
        memory_mb_used=used[SMALL_PAGE_KB],
        pages=[
            PagesBody(
                size_kb=pool.size_kb,
                total=pool.total,
                used=used[pool.size_kb] * _KIB_PER_MIB // pool.size_kb,
            )
            for pool in cell.pages
            if pool.size_kb != SMALL_PAGE_KB
        ],
        cards=cards,
    )


def _server(held: Holding, servers: Mapping[UUID, Server]) -> HostServerBody:
    server = servers.get(held.maker)
    shares = held.assignment.cells
    return HostServerBody(
        id=str(held.maker),
        name=server.name if server else "",
        status=server.status.value if server else "",
        cells=sorted({share.host_cell for share in shares}),
        vcpus=sum(share.shared_cpus + len(share.pins) for share in shares),
        memory_mb=sum(share.memory_mb for share in shares),
        devices=[device.slot for device in held.assignment.devices],
    )
