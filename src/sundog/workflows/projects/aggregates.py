"""Host aggregates, as the API asks for them, mirrored in Placement."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sundog.core.errors import ConflictError, NotFoundError, SundogError
from sundog.core.projects.aggregates import ZONE_KEY, Aggregate, Aggregates
from sundog.workflows.ports import ServerQuery
from sundog.workflows.projects.zones import KEY, OWNER, aggregates_on

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from sundog.workflows.fleet_view import FleetView
    from sundog.workflows.ports import Clock, ServerStore, ServiceRecord, ServiceStore
    from sundog.workflows.projects.shelf import Shelf

LOG = logging.getLogger(__name__)


class Membership(Protocol):
    """Placement's aggregates: which a host's root provider is in."""

    def join(self, host: UUID, aggregate: UUID) -> None:
        """Put a host into an aggregate; twice is fine.

        Raises NotFoundError for a host that Placement does not know,
        ClaimConflictError, UnavailableError.
        """
        ...

    def leave(self, host: UUID, aggregate: UUID) -> None:
        """Take a host out of an aggregate; not in it is fine. Raises as ``join``."""
        ...

    def memberships(self, host: UUID) -> frozenset[UUID]:
        """Return the aggregates that a host is in; none for an unknown host."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateBook:
    """What the API may do with aggregates."""

    shelf: Shelf[Aggregates]
    services: ServiceStore
    servers: ServerStore
    fleet: FleetView
    membership: Membership
    clock: Clock
    new_id: Callable[[], UUID]

    def all(self) -> Aggregates:
        """Return all aggregates."""
        return aggregates_on(self.shelf)

    def zones(self) -> Mapping[str, str]:
        """Return the zone of each host that has a service."""
        every = self.all()
        return {one.host: every.zone_of(one.host) for one in self.services.list()}

    def open_zones(self) -> frozenset[str]:
        """Return the zones that have a host whose service is enabled."""
        every = self.all()
        services = self.services.list()
        return frozenset(every.zone_of(o.host) for o in services if not o.disabled)

    def create(self, name: str, zone: str | None) -> Aggregate:
        """Make one without hosts; raises ConflictError for a name that is taken."""
        metadata = {ZONE_KEY: zone} if zone else {}
        new = Aggregate(
            uuid=self.new_id(), name=name, created=self.clock(), metadata=metadata
        )
        return self._change(lambda old: old.with_new(new)).every[-1]

    def update(self, aggregate_id: int, changes: Mapping[str, str | None]) -> Aggregate:
        """Change ``name`` or ``availability_zone``; as ``Aggregates.updated``."""
        busy = self._busy()
        return self._edit(
            aggregate_id, lambda old: old.updated(aggregate_id, changes, busy)
        )

    def set_metadata(
        self, aggregate_id: int, changes: Mapping[str, str | None]
    ) -> Aggregate:
        """Change metadata; raises as ``Aggregates.with_metadata``."""
        busy = self._busy()
        return self._edit(
            aggregate_id, lambda old: old.with_metadata(aggregate_id, changes, busy)
        )

    def delete(self, aggregate_id: int) -> None:
        """Forget one; raises NotFoundError, BadRequestError if it has hosts."""
        self._change(lambda old: old.without(aggregate_id))

    def add_host(self, aggregate_id: int, host: str) -> Aggregate:
        """Put a host into one; raises NotFoundError, ConflictError.

        What Placement does not take now is logged, as in Nova: our choosing does not
        need it.
        """
        self._check_host(host)
        busy = self._busy()
        changed = self._edit(
            aggregate_id, lambda old: old.with_host(aggregate_id, host, busy)
        )
        try:
            self._in_placement(self.membership.join, host, changed)
        except SundogError as error:
            LOG.warning("Aggregate %s, host %s: %s", aggregate_id, host, error)
        return changed

    def remove_host(self, aggregate_id: int, host: str) -> Aggregate:
        """Take a host out of one; raises NotFoundError, ConflictError.

        Placement comes first: what it refuses can be asked for again.
        """
        self._check_host(host)
        busy = self._busy()
        old = self.all()
        old.without_host(aggregate_id, host, busy)
        try:
            self._in_placement(self.membership.leave, host, old.get(aggregate_id))
        except NotFoundError as error:
            LOG.warning("Aggregate %s, host %s: %s", aggregate_id, host, error)
        return self._edit(
            aggregate_id, lambda old: old.without_host(aggregate_id, host, busy)
        )

    def forget_host(self, service: ServiceRecord) -> None:
        """Forget a host's service, and take the host out of all aggregates.

        Raises ConflictError while it has servers.
        """
        if self._busy()[service.host]:
            raise ConflictError(
                "Unable to delete compute service that is hosting instances. Migrate "
                "or delete the instances first."
            )
        for aggregate in self.all().of(service.host):
            self.remove_host(aggregate.id, service.host)
        self.services.remove(service.id)
        self.fleet.enable(service.host, enabled=True)

    def _in_placement(
        self, deed: Callable[[UUID, UUID], None], host: str, aggregate: Aggregate
    ) -> None:
        state = self.fleet.state(host)
        if state is not None:
            deed(state.snapshot.uuid, aggregate.uuid)

    def _check_host(self, host: str) -> None:
        if host not in {service.host for service in self.services.list()}:
            raise NotFoundError(f"Compute host {host} could not be found.")

    def _busy(self) -> Counter[str]:
        """Count the servers of each host."""
        return Counter(one.host or "" for one in self.servers.list(ServerQuery()))

    def _edit(
        self, aggregate_id: int, edit: Callable[[Aggregates], Aggregates]
    ) -> Aggregate:
        now = self.clock()
        changed = self._change(lambda old: edit(old).stamped(aggregate_id, now))
        return changed.get(aggregate_id)

    def _change(self, edit: Callable[[Aggregates], Aggregates]) -> Aggregates:
        """Read, edit and write all of them in a transaction."""
        changed = self.shelf.change(
            OWNER, KEY, lambda old: edit(Aggregates() if old is None else old)
        )
        return changed or Aggregates()
