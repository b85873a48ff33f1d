"""What the jobs on servers share: the ports, the view, and a server's moves."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sundog.core.errors import (
    ConflictError,
    HostRefusedError,
    NotFoundError,
    SundogError,
    UnavailableError,
)
from sundog.core.lives.server import Fault, Server, ServerEvent
from sundog.core.requests.server_request import server_request
from sundog.workflows.pulse.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sundog.core.hosts.host_snapshot import HostSnapshot
    from sundog.core.lives.intent import Intent
    from sundog.core.projects.aggregates import Aggregates
    from sundog.core.projects.server_group import ServerGroup
    from sundog.core.requests.alias import Alias
    from sundog.core.requests.guest_request import GuestRequest
    from sundog.workflows.fleet_view import FleetView
    from sundog.workflows.moves.ports import MigrationStore
    from sundog.workflows.ports import ClaimStore, Clock, HostAgent, Ledger, ServerStore
    from sundog.workflows.projects.shelf import Shelf
    from sundog.workflows.report_host import HostReport
    from sundog.workflows.server_locks import ServerLocks

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conductor:
    """What the jobs on servers share. ``max_attempts`` bounds the hosts tried.

    Without ``groups`` no server group is obeyed, without ``aggregates`` no zone.
    ``resize_in_place`` lets a server that is resized stay on its host.
    ``detach_seconds`` is how long a job waits for a guest to let go of a device.
    """

    servers: ServerStore
    claims: ClaimStore
    migrations: MigrationStore
    ledger: Ledger
    fleet: FleetView
    agents: Mapping[str, HostAgent]
    reports: HostReport
    aliases: Mapping[str, Alias]
    clock: Clock
    locks: ServerLocks
    max_attempts: int = 3
    detach_seconds: float = 20.0
    groups: Shelf[ServerGroup] | None = None
    waiting: Waiting = field(default_factory=Waiting)
    aggregates: Shelf[Aggregates] | None = None
    resize_in_place: bool = True

    def agent(self, host: str) -> HostAgent:
        """Return a host's agent; raises HostRefusedError for one without."""
        found = self.agents.get(host)
        if found is None:
            raise HostRefusedError(
                f"host {host} is not configured any more; configure it again"
            )
        return found

    def request_of(self, server: Server) -> GuestRequest:
        """Return what a server asks for: by its flavor, and by what was attached."""
        return server_request(server, self.aliases)

    def advance(self, server_id: UUID, event: ServerEvent, **changes: object) -> Server:
        """Move a server along its table, with other fields changed in one write."""
        now = self.clock()
        return self.servers.change(
            server_id,
            lambda server: replace(server.after(event, now), **changes),  # type: ignore[arg-type]  # replace is untyped
        )

    def intend(self, server_id: UUID, intent: Intent) -> Server:
        """Record a job on a server that stays in its phase, before its first step.

        Raises ConflictError, in Nova's words, while something is under way.
        """

        def begun(server: Server) -> Server:
            under_way = server.task.value if server.task else None
            under_way = under_way or (server.intent.job if server.intent else None)
            if under_way is not None:
                raise ConflictError(
                    f"Cannot '{intent.job}' instance {server_id} while it is in "
                    f"task_state {under_way}"
                )
            return replace(server, intent=intent)

        return self.servers.change(server_id, begun)

    def reach(self, server_id: UUID, job: str, step: str) -> None:
        """Note the step that a job is at; one that gave way to another notes none."""

        def at_step(server: Server) -> Server:
            if server.intent is None or server.intent.job != job:
                return server
            return replace(server, intent=server.intent.reaching(step))

        self.servers.change(server_id, at_step)

    def end_intent(self, server_id: UUID, job: str) -> None:
        """Forget a job that ended without a move of its server."""

        def ended(server: Server) -> Server:
            is_it = server.intent is not None and server.intent.job == job
            return replace(server, intent=None) if is_it else server

        self.servers.change(server_id, ended)

    def postpone(self, server_id: UUID, why: str) -> None:
        """Let a job wait as it is, until the next heartbeat settles its server."""
        LOG.warning("Server %s waits: %s", server_id, why)
        self.waiting.add(server_id, why)

    def fail(self, server_id: UUID, message: str, code: int = 500) -> None:
        """Put a server into ERROR with its reason, unless it is being deleted.

        While the database is away it waits.
        """
        fault = Fault(code=code, message=message, created=self.clock())
        try:
            claim = self.claims.get(server_id)
            host = claim.assignment.host if claim else None
            self.advance(server_id, ServerEvent.FAIL, fault=fault, host=host)
            LOG.warning("Server %s is in ERROR: %s", server_id, message)
        except (ConflictError, NotFoundError):
            LOG.info("Server %s went away while it failed: %s", server_id, message)
        except UnavailableError:
            self.postpone(server_id, message)

    def refresh(self, host: str) -> HostSnapshot:
        """Look at a host anew: its devices, and what the claims say is held on it.

        Other conductors may have claimed there or given back.
        """
        recorded = self.fleet.recorded_on(host)
        snapshot = self.agent(host).report()
        claims = self.claims.of_host(host)
        for claim in claims:
            self.fleet.hold(claim.holding)
        for consumer in recorded.difference(claim.consumer for claim in claims):
            self.fleet.drop(consumer, host)
        self.reports.take(snapshot)
        return snapshot

    def look_again(self, host: str) -> None:
        """Look at a host anew after it refused; one that is away is looked at later."""
        try:
            self.refresh(host)
        except SundogError as error:
            LOG.warning("Host %s: %s", host, error)
