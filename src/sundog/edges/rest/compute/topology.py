"""``GET /servers/{id}/topology``: the guest's cells, from its assignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from sundog.core.guest_config import guest_config
from sundog.core.requests.extra_specs import guest_request
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.servers import find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.guest_config import ConfigCell
    from sundog.core.lives.server import Server
    from sundog.edges.rest.ask import Ask


class NodeBody(msgspec.Struct, kw_only=True):
    """A cell of the guest; vCPUs by number, memory in MiB.

    ``siblings`` is empty: the guest is shown no threads of one core.
    ``cpu_pinning`` maps vCPUs to host CPUs; it and ``host_node`` are the admin's.
    """

    vcpu_set: list[int]
    siblings: list[list[int]]
    memory_mb: int
    host_node: int | UnsetType = UNSET
    cpu_pinning: dict[int, int] | UnsetType = UNSET


class TopologyBody(msgspec.Struct, kw_only=True):
    """A guest's topology; ``pagesize_kb`` is None when the flavor is silent."""

    nodes: list[NodeBody]
    pagesize_kb: int | None


def show(ask: Ask, server_id: str) -> Answer:
    """``GET /servers/{id}/topology``, from 2.78 on; no nodes for a floating guest."""
    server = find(ask, server_id)
    claim = ask.books.servers.claim(server.id)
    if claim is None or not claim.assignment.has_topology:
        return Answer(body=TopologyBody(nodes=[], pagesize_kb=None))
    return Answer(body=_topology(ask, server, claim.assignment))


def _topology(ask: Ask, server: Server, assignment: Assignment) -> TopologyBody:
    request = guest_request(
        server.flavor, server.image_properties, ask.books.servers.aliases
    )
    config = guest_config(server, assignment, (), request.cells)
    pins = {vcpu: cpu for share in assignment.cells for vcpu, cpu in share.pins}
    nodes = [_node(cell, pins) for cell in config.cells]
    if not ask.caller.is_admin:
        nodes = [replace(n, host_node=UNSET, cpu_pinning=UNSET) for n in nodes]
    page = None if request.page_size is None else config.page_kb
    return TopologyBody(nodes=nodes, pagesize_kb=page)


def _node(cell: ConfigCell, pins: Mapping[int, int]) -> NodeBody:
    return NodeBody(
        vcpu_set=sorted(cell.vcpus),
        siblings=[],
        memory_mb=cell.memory_mb,
        host_node=min(cell.host_cells),
        cpu_pinning={v: pins[v] for v in sorted(cell.vcpus) if v in pins},
    )
