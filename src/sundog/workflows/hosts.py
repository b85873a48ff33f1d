"""Hosts and their devices, as the API shows them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sundog.core.errors import NotFoundError
from sundog.core.requests.extra_specs import guest_request
from sundog.workflows.projects.zones import closed_hosts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.choosing.explain import Refusal
    from sundog.core.hosts.host_snapshot import HostState
    from sundog.core.projects.aggregates import Aggregates
    from sundog.core.requests.alias import Alias
    from sundog.workflows.fleet_view import FleetView
    from sundog.workflows.ports import (
        Clock,
        FlavorStore,
        ImageSource,
        ServiceRecord,
        ServiceStore,
    )
    from sundog.workflows.projects.shelf import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class HostView:
    """A host with its service. ``up``: its agent has been heard of lately."""

    service: ServiceRecord
    state: HostState
    up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a flavor fits, and why it does not, host by host."""

    fits: tuple[Assignment, ...]
    refusals: tuple[Refusal, ...]
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostBook:
    """What the API may do with hosts. ``down_after`` seconds of silence: down."""

    services: ServiceStore
    fleet: FleetView
    flavors: FlavorStore
    images: ImageSource
    aliases: Mapping[str, Alias]
    clock: Clock
    down_after: float = 60.0
    aggregates: Shelf[Aggregates] | None = None
    # The hosts that did not answer when they were last looked at, and why.
    lost: dict[str, str] = field(default_factory=dict)

    def hosts(self) -> Sequence[HostView]:
        """Return all hosts that have reported, by name."""
        views = []
        for service in self.services.list():
            state = self.fleet.state(service.host)
            if state is not None:
                up = self.is_up(service)
                views.append(HostView(service=service, state=state, up=up))
        return views

    def service_list(self) -> Sequence[ServiceRecord]:
        """Return all services, ordered by host."""
        return self.services.list()

    def is_up(self, service: ServiceRecord) -> bool:
        """Whether the service's agent has been heard of lately, and last time."""
        if service.forced_down or service.last_seen is None:
            return False
        if service.host in self.lost:
            return False
        silence = self.clock() - service.last_seen
        return silence.total_seconds() < self.down_after

    def set_service(
        self,
        service_id: UUID,
        *,
        disabled: bool | None = None,
        reason: str | None = None,
        forced_down: bool | None = None,
    ) -> ServiceRecord:
        """Disable, enable or force down a service; raises NotFoundError.

        None leaves a field as it is; enabling clears the reason.
        """

        def told(service: ServiceRecord | None) -> ServiceRecord:
            if service is None:
                raise NotFoundError(f"service {service_id} could not be found")
            if disabled is not None:
                kept = reason if disabled else None
                service = replace(service, disabled=disabled, disabled_reason=kept)
            if forced_down is not None:
                service = replace(service, forced_down=forced_down)
            return service

        service = self.services.change(service_id, told)
        self.apply(service)
        return service

    def lose(self, host: str, reason: str) -> None:
        """Know that a host does not answer: it is down and takes no new servers."""
        self.lost[host] = reason
        self.fleet.lose(host, reason)

    def find(self, host: str) -> None:
        """Know that a host answers; after a silence it takes new servers again."""
        if self.lost.pop(host, None) is None:
            return
        for service in self.services.list():
            if service.host == host:
                self.apply(service)

    def apply(self, service: ServiceRecord) -> None:
        """Let choosers know whether a service's host takes new servers."""
        reason = _why_disabled(service)
        if service.host in self.lost and not reason:
            self.fleet.lose(service.host, self.lost[service.host])
        else:
            self.fleet.enable(service.host, enabled=not reason, reason=reason)

    def explain(
        self, flavor_id: str, image_id: str | None = None, zone: str = ""
    ) -> Explanation:
        """Say where a flavor fits in a zone and why not elsewhere.

        ``flavor_id`` may be a name. Raises NotFoundError, BadRequestError.
        """
        flavor = next(
            (f for f in self.flavors.list() if flavor_id in (f.id, f.name)), None
        )
        if flavor is None:
            raise NotFoundError(f"Flavor {flavor_id} could not be found.")
        properties = self.images.get(image_id).properties if image_id else {}
        request = guest_request(flavor, properties, self.aliases)
        closed = closed_hosts_of(self.aggregates, self.fleet, zone, flavor.extra_specs)
        refusals = self.fleet.refusals(request, closed)
        fits = self.fleet.fits(request, limit=10, closed=closed)
        text = "" if fits else self.fleet.why_not(request, closed)
        return Explanation(fits=fits, refusals=refusals, summary=text)


def _why_disabled(service: ServiceRecord) -> str:
    if service.forced_down:
        return "its service is forced down"
    if service.disabled:
        return (
            f"its service is disabled: {service.disabled_reason or 'no reason given'}"
        )
    return ""
