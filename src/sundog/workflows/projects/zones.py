"""The hosts that zones and aggregates close to a server that is to be placed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from sundog.core.errors import NotFoundError
from sundog.core.projects.aggregates import Aggregates
from sundog.core.projects.zones import (
    asks_of_aggregates,
    closed_by_hints,
    closed_hosts,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sundog.core.choosing.shortages import Shortage
    from sundog.core.lives.server import Server
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.fleet_view import FleetView
    from sundog.workflows.projects.shelf import Shelf

# All aggregates are one thing on their shelf: they are changed together.
OWNER: Final = ""
KEY: Final = "all"


def aggregates_on(shelf: Shelf[Aggregates]) -> Aggregates:
    """Return all aggregates."""
    return shelf.get(OWNER, KEY) or Aggregates()


def closed_to(conductor: Conductor, server: Server) -> dict[str, Shortage]:
    """Return the hosts that a server may not go to, each with the reason."""
    specs = server.flavor.extra_specs
    zone = server.availability_zone
    closed = closed_hosts_of(conductor.aggregates, conductor.fleet, zone, specs)
    if not server.near and not server.apart:
        return closed
    hosts = [state.snapshot.name for state in conductor.fleet.states()]
    near = _hosts_of(conductor, server.near) if server.near else None
    return closed_by_hints(hosts, near, _hosts_of(conductor, server.apart)) | closed


def closed_hosts_of(
    shelf: Shelf[Aggregates] | None,
    fleet: FleetView,
    zone: str,
    specs: Mapping[str, str],
) -> dict[str, Shortage]:
    """Return the hosts that a zone and extra specs close; a read only if they ask."""
    if shelf is None or not asks_of_aggregates(zone, specs):
        return {}
    hosts = [state.snapshot.name for state in fleet.states()]
    return closed_hosts(aggregates_on(shelf), hosts, zone, specs)


def _hosts_of(conductor: Conductor, ids: Iterable[str]) -> frozenset[str]:
    """Return the hosts of servers; one that is gone is on none."""
    hosts = set[str]()
    for one in ids:
        try:
            host = conductor.servers.get(UUID(one)).host
        except NotFoundError:
            continue
        if host:
            hosts.add(host)
    return frozenset(hosts)
