"""Moves, as the API asks for them: checked, recorded, begun, answered at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from sundog.core.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    SundogError,
)
from sundog.core.lives.phases import ServerEvent
from sundog.core.moves.migration import Migration, MoveKind, MoveState
from sundog.workflows.moves.evacuate import evacuate
from sundog.workflows.moves.left_side import clean_returned, left_on
from sundog.workflows.moves.live import Crossings, check_leaving, migrate_live
from sundog.workflows.moves.ports import MigrationQuery
from sundog.workflows.moves.record import about, fail_move, two_sided
from sundog.workflows.moves.resize import confirm, resize, revert
from sundog.workflows.servers import check_minimum

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from sundog.core.lives.server import Server
    from sundog.core.requests.flavor import Flavor
    from sundog.workflows.actions.book import ActionBook, Call, Deed
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.hosts import HostBook
    from sundog.workflows.ports import FlavorStore, ServiceRecord
    from sundog.workflows.projects.quotas import QuotaBook

_STOPPABLE: Final = (MoveState.ASKED, MoveState.PREPARING, MoveState.UNDER_WAY)


@dataclass(frozen=True, slots=True)
class _Going:
    """A move that is asked for: what of, what event, where to, how it is done."""

    kind: MoveKind
    event: ServerEvent
    deed: Deed
    flavor: Flavor | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveBook:
    """What the API may do about moves.

    Every one raises NotFoundError, BadRequestError for what can never be, and
    ConflictError in Nova's words in the wrong state. ``new_id`` makes a fresh UUID.
    """

    actions: ActionBook
    flavors: FlavorStore
    hosts: HostBook
    quotas: QuotaBook
    new_id: Callable[[], UUID]
    crossings: Crossings = field(default_factory=Crossings)

    @property
    def conductor(self) -> Conductor:
        """What the jobs share."""
        return self.actions.conductor

    def resize(self, call: Call, flavor_id: str) -> None:
        """Begin to give a server another flavor, on its host or on another.

        Raises ForbiddenError where the quota leaves no room for what is more.
        """
        server = self.actions.ready(call, ServerEvent.RESIZE)
        flavor = self._flavor(server, flavor_id)
        wanted = self.conductor.request_of(replace(server, flavor=flavor))
        had = self.conductor.request_of(server)
        with self.quotas.lock:
            self.quotas.check_growth(server, had, wanted)
            going = _Going(MoveKind.RESIZE, ServerEvent.RESIZE, resize, flavor)
            self._begin(call, server, going)

    def migrate(self, call: Call, host: str | None = None) -> None:
        """Begin to move a server to another host; it is off meanwhile."""
        server = self.actions.ready(call, ServerEvent.MIGRATE)
        self._check_host(server, host)
        going = _Going(MoveKind.COLD, ServerEvent.MIGRATE, resize, host=host)
        self._begin(call, server, going)

    def confirm(self, call: Call) -> None:
        """Begin to give up where a resized server came from."""
        self._turn(call, ServerEvent.CONFIRM, confirm)

    def revert(self, call: Call) -> None:
        """Begin to bring a resized server back to where it came from."""
        self._turn(call, ServerEvent.REVERT, revert)

    def migrate_live(self, call: Call, host: str | None = None) -> None:
        """Begin to move a running server; raises BadRequestError if it never can."""
        server = self.actions.ready(call, ServerEvent.MIGRATE_LIVE)
        self._check_host(server, host)
        if not self.hosts.is_up(self._service(str(server.host))):
            raise BadRequestError(
                f"Compute service of {server.host} is unavailable at this time."
            )
        try:
            problem = check_leaving(self.conductor, server)
        except SundogError as error:
            problem = str(error)
        if problem:
            raise BadRequestError(f"Migration pre-check error: {problem}")
        deed = partial(migrate_live, crossings=self.crossings)
        going = _Going(MoveKind.LIVE, ServerEvent.MIGRATE_LIVE, deed, host=host)
        self._begin(call, server, going)

    def evacuate(
        self, call: Call, host: str | None = None, *, stays_off: bool = False
    ) -> None:
        """Begin to make a server anew elsewhere, because its host is down.

        Raises BadRequestError for a host that lives.
        """
        event = ServerEvent.EVACUATE_OFF if stays_off else ServerEvent.EVACUATE
        server = self.actions.ready(call, event)
        self._check_host(server, host)
        if server.host is None:
            raise ConflictError(f"Instance {server.id} is on no host.")
        if self.hosts.is_up(self._service(server.host)):
            raise BadRequestError(
                f"Compute service of {server.host} is still in use. Force it down if "
                "the host is dead: openstack compute service set --down"
            )
        going = _Going(MoveKind.EVACUATION, event, evacuate, host=host)
        self._begin(call, server, going)

    def abort(self, server_id: UUID, number: int, *, early: bool = False) -> None:
        """Call a live migration off; with ``early`` before it has begun, too."""
        states = _STOPPABLE if early else _STOPPABLE[-1:]
        migration = self._live(server_id, number, states, "abort")
        self.crossings.of(migration.id).abort.set()

    def hurry(self, server_id: UUID, number: int) -> None:
        """Let a live migration end soon, at the guest's cost."""
        migration = self._live(server_id, number, _STOPPABLE[-1:], "force_complete")
        self.crossings.of(migration.id).hurry.set()

    def list(self, query: MigrationQuery | None = None) -> Sequence[Migration]:
        """Return those that the query names, newest first."""
        return self.conductor.migrations.list(query or MigrationQuery())

    def under_way(self, server_id: UUID) -> Sequence[Migration]:
        """Return a server's live migrations that are not over, newest first."""
        found = self.list(MigrationQuery(server_id=server_id, is_over=False))
        return [one for one in found if one.kind is MoveKind.LIVE]

    def one_under_way(self, server_id: UUID, number: int) -> Migration:
        """Return a live migration that is not over; raises NotFoundError."""
        for one in self.under_way(server_id):
            if one.number == number:
                return one
        raise NotFoundError(
            f"In-progress live migration {number} is not found for server {server_id}."
        )

    def clean(self, service: ServiceRecord) -> None:
        """Begin to clean what servers that went elsewhere have left, if it is up."""
        if left_on(self.conductor, service.host) and self.hosts.is_up(service):
            job = partial(clean_returned, self.conductor, service.host)
            self.actions.begin(job)

    def _turn(self, call: Call, event: ServerEvent, deed: Deed) -> None:
        """Begin to end a move of which both sides are held."""
        server = self.actions.ready(call, event)
        migration = two_sided(self.conductor, server.id)
        if migration is None:
            raise ConflictError(
                f"Instance {server.id} has no migration to confirm or to revert; "
                "resize it again"
            )
        self.actions.start(call, event, deed, partial(about, migration=migration))

    def _begin(self, call: Call, server: Server, going: _Going) -> None:
        """Record a move before it is begun; what cannot begin is no move."""
        conductor = self.conductor
        claim = conductor.claims.get(server.id)
        if claim is None:
            raise ConflictError(f"Instance {server.id} holds nothing on any host.")
        is_bound = going.kind is not MoveKind.EVACUATION
        if is_bound and two_sided(conductor, server.id) is not None:
            raise ConflictError(
                f"Instance {server.id} still holds what it moved from; reset its state "
                "to active, then confirm or revert the move"
            )
        now = conductor.clock()
        asked = call.asked
        migration = conductor.migrations.add(
            Migration(
                id=self.new_id(),
                server_id=server.id,
                kind=going.kind,
                project_id=asked.project_id if asked else server.project_id,
                user_id=asked.user_id if asked else server.user_id,
                created=now,
                updated=now,
                old=claim.assignment,
                old_flavor=server.flavor,
                new_flavor=going.flavor or server.flavor,
                wanted_host=going.host,
            )
        )
        noted = partial(about, migration=migration)
        try:
            self.actions.start(call, going.event, going.deed, noted)
        except SundogError:
            fail_move(conductor, migration)
            raise

    def _flavor(self, server: Server, flavor_id: str) -> Flavor:
        try:
            flavor = self.flavors.get(flavor_id)
        except NotFoundError:
            raise BadRequestError(f"Flavor {flavor_id} could not be found.") from None
        if flavor.id == server.flavor.id:
            raise BadRequestError("When resizing, instances must change flavor!")
        if server.flavor.disk_gb and not flavor.disk_gb:
            raise BadRequestError("Resize to zero disk flavor is not allowed.")
        check_minimum(flavor, self.actions.images.get(server.image_id))
        return flavor

    def _check_host(self, server: Server, host: str | None) -> None:
        if host is None:
            return
        self._service(host)
        if host == server.host:
            raise BadRequestError(f"Cannot migrate to same host: {host}")

    def _service(self, host: str) -> ServiceRecord:
        for service in self.hosts.service_list():
            if service.host == host:
                return service
        raise BadRequestError(f"Compute host {host[:160]} could not be found.")

    def _live(
        self, server_id: UUID, number: int, states: Sequence[MoveState], word: str
    ) -> Migration:
        found = self.list(MigrationQuery(server_id=server_id))
        migration = next((one for one in found if one.number == number), None)
        if migration is None:
            raise NotFoundError(
                f"Migration {number} not found for instance {server_id}"
            )
        if migration.kind is not MoveKind.LIVE or migration.state not in states:
            raise BadRequestError(
                f"Migration {number} state of instance {server_id} is "
                f"{migration.status}. Cannot {word} while the migration is in this "
                "state."
            )
        return migration
