"""Where a server may move to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sundog.core.moves.migration import Migration, MoveKind
from sundog.core.moves.sides import rest_of
from sundog.workflows.claiming import tried_in_vain
from sundog.workflows.devices.plug import settle_detaching
from sundog.workflows.moves.ports import MigrationQuery
from sundog.workflows.moves.two_sides import Sides
from sundog.workflows.ports import BootOrder
from sundog.workflows.projects.groups import allows, reserve
from sundog.workflows.projects.zones import closed_to

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.lives.server import Server
    from sundog.core.requests.guest_request import GuestRequest
    from sundog.workflows.conductor import Conductor


@dataclass(frozen=True, slots=True)
class Way:
    """A server's way to a new side: what is asked for, and which hosts are closed."""

    conductor: Conductor
    server: Server
    migration: Migration
    request: GuestRequest
    closed: frozenset[str]

    def order(self, assignment: Assignment) -> BootOrder:
        """Return what a host needs to have the server with its new flavor."""
        return BootOrder(
            server=replace(self.server, flavor=self.migration.new_flavor),
            assignment=assignment,
            guest_cells=self.request.cells,
        )

    @property
    def may_stay(self) -> bool:
        """Whether the server's own host will do."""
        return (
            self.migration.kind is MoveKind.RESIZE
            and self.conductor.resize_in_place
            and self.migration.wanted_host in (None, self.migration.source)
        )

    def choose(self, tried: Collection[str]) -> Sides | None:
        """Choose the best host left and hold both sides in memory.

        A server that is resized stays where it is if it can: nothing of it has to
        be carried, and only what is new is needed.
        """
        source, server = self.migration.source, self.server
        if self.may_stay and source not in tried:
            both = self._stay(source)
            if both is not None:
                return both
        found = reserve(
            self.conductor,
            replace(server, wanted_host=self.migration.wanted_host),
            self.request,
            {*tried, *self.closed, source},
        )
        if found is None:
            return None
        return Sides(found, rest_of(self.migration.old, found))

    def _stay(self, host: str) -> Sides | None:
        conductor, server = self.conductor, self.server
        if not allows(conductor, server, host):
            return None
        both = conductor.fleet.reserve_again(
            server.id, self.migration.id, self.request, host
        )
        return None if both is None else Sides(*both)

    def why_not(self, tried: Mapping[str, str]) -> str:
        """Say why no host is left."""
        if tried:
            return tried_in_vain(tried)
        closed = set(self.closed)
        if not self.may_stay:
            closed.add(self.migration.source)
        states = self.conductor.fleet.states()
        if all(state.snapshot.name in closed for state in states):
            return (
                "No valid host was found. There is no host beside "
                f"{', '.join(sorted(closed))}, where the server cannot go."
            )
        return self.conductor.fleet.why_not_move(
            self.server.id,
            self.request,
            closed,
            closed_to(self.conductor, self.server),
        )


def way_of(conductor: Conductor, server: Server, migration: Migration) -> Way:
    """Return the way of a server; raises BadRequestError for a flavor it cannot use.

    A host that was evacuated and has not returned may still run the old guest: the
    server does not go there.
    """
    server = settle_detaching(conductor, server)
    request = conductor.request_of(replace(server, flavor=migration.new_flavor))
    left = conductor.migrations.list(MigrationQuery(server_id=server.id, is_over=False))
    closed = frozenset(one.left_on for one in left if one.left_on is not None)
    return Way(conductor, server, migration, request, closed)
