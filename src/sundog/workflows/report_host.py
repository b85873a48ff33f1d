"""From a host's snapshot to Placement's tree and the conductor's view."""

from __future__ import annotations

import logging
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING
from uuid import uuid5

from sundog.core.errors import ClaimConflictError, UnavailableError
from sundog.core.hosts.called_tree import call_for
from sundog.workflows.ports import ServiceRecord

if TYPE_CHECKING:
    from sundog.core.hosts.host_snapshot import HostSnapshot
    from sundog.core.hosts.provider_tree import ProviderTree
    from sundog.workflows.fleet_view import FleetView
    from sundog.workflows.ports import Clock, Ledger, ServiceStore

LOG = logging.getLogger(__name__)


class HostReport:
    """Takes snapshots in: service record, Placement, view; only what changed."""

    def __init__(
        self, ledger: Ledger, fleet: FleetView, services: ServiceStore, clock: Clock
    ) -> None:
        """Keep the ports; nothing has been reported yet."""
        self._ledger = ledger
        self._fleet = fleet
        self._services = services
        self._clock = clock
        self._told: dict[str, ProviderTree] = {}
        self._lock = Lock()

    def take(self, snapshot: HostSnapshot) -> None:
        """Show a snapshot to choosers, and tell Placement if the tree changed."""
        self._fleet.see(snapshot)
        with self._lock:
            state = self._fleet.state(snapshot.name)
            if state is None:
                return
            tree = call_for(state.snapshot, state.holdings)
            if self._told.get(snapshot.name) != tree:
                self._tell(snapshot.name, tree)

    def tell_again(self, snapshot: HostSnapshot) -> None:
        """Show a snapshot, and tell Placement whether or not the tree changed."""
        with self._lock:
            self._told.pop(snapshot.name, None)
        self.take(snapshot)

    def _tell(self, host: str, tree: ProviderTree) -> None:
        """Tell Placement; what it does not take is told again with the next report."""
        self._told.pop(host, None)
        try:
            self._ledger.report(tree)
        except (UnavailableError, ClaimConflictError) as error:
            LOG.warning("Host %s is not reported to Placement: %s", host, error)
        else:
            self._told[host] = tree

    def heard_of(self, snapshot: HostSnapshot) -> ServiceRecord:
        """Record that a host's agent is alive; its first word makes its service."""
        service_id = uuid5(snapshot.uuid, "nova-compute")
        now = self._clock()

        def seen(service: ServiceRecord | None) -> ServiceRecord:
            new = ServiceRecord(id=service_id, host=snapshot.name)
            return replace(service or new, last_seen=now)

        return self._services.change(service_id, seen)
