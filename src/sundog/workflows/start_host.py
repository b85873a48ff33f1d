"""Take a host up at start: its devices, what is held on it, its service."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sundog.core.hosts.host_snapshot import HostSnapshot
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.hosts import HostBook


def start_host(conductor: Conductor, hosts: HostBook, snapshot: HostSnapshot) -> None:
    """Make a host known: to choosers, to Placement, and as a service.

    What the claims' records say is held comes before the first choice is made.
    """
    conductor.fleet.see(snapshot)
    for claim in conductor.claims.of_host(snapshot.name):
        conductor.fleet.hold(claim.holding)
    conductor.reports.take(snapshot)
    service = conductor.reports.heard_of(snapshot)
    hosts.apply(service)
