"""The record of a server's move, written before anything is done."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sundog.core.errors import CancelledError, ConflictError, SundogError
from sundog.core.hosts.host_snapshot import Holding
from sundog.core.lives.claim import ClaimState
from sundog.core.moves.migration import MoveEvent
from sundog.workflows.moves.ports import MigrationQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sundog.core.lives.server import Server
    from sundog.core.moves.migration import Migration
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.moves.two_sides import Sides


# The fact of a job that tells which migration it is about.
_ABOUT: Final = "migration"


def about(server: Server, migration: Migration) -> Server:
    """Return a server whose job under way is about a migration."""
    if server.intent is None:
        return server
    facts = {**server.intent.facts, _ABOUT: str(migration.id)}
    return replace(server, intent=replace(server.intent, facts=facts))


def move_of(conductor: Conductor, server: Server) -> Migration:
    """Return the migration that a server's job is about; raises ConflictError.

    A job that began before jobs said so is about the newest.
    """
    named = server.intent.facts.get(_ABOUT) if server.intent else None
    if named is not None:
        return conductor.migrations.get(UUID(named))
    found = conductor.migrations.list(MigrationQuery(server_id=server.id))
    if not found:
        raise ConflictError(f"Instance {server.id} has no migration.")
    return found[0]


def two_sided(conductor: Conductor, server_id: UUID) -> Migration | None:
    """Return the move of a server that may be confirmed or reverted, if any."""
    query = MigrationQuery(server_id=server_id, is_over=False)
    found = conductor.migrations.list(query)
    return next((one for one in found if one.is_two_sided), None)


def prepare_move(conductor: Conductor, migration: Migration, sides: Sides) -> Migration:
    """Record where a server is to go, before the first claim is written.

    When that fails, what was held in memory for it is let go.
    """
    now = conductor.clock()
    try:
        return conductor.migrations.change(
            migration.id,
            lambda one: replace(
                one.after(MoveEvent.PREPARE, now), new=sides.new, rest=sides.rest
            ),
        )
    except SundogError:
        _forget_choice(conductor, migration, sides)
        raise


def _forget_choice(conductor: Conductor, migration: Migration, sides: Sides) -> None:
    server = migration.server_id
    conductor.fleet.exchange(
        [Holding(consumer=server, assignment=migration.old)],
        [
            Holding(consumer=consumer, assignment=side)
            for consumer in (server, migration.id)
            for side in (sides.new, sides.rest)
        ],
    )


def fail_move(conductor: Conductor, migration: Migration) -> None:
    """Record that nothing comes of a migration, if it is not over already."""
    now = conductor.clock()
    conductor.migrations.change(migration.id, lambda one: one.abandoned(now))


@contextmanager
def failing(conductor: Conductor, migration: Migration) -> Iterator[None]:
    """Record that a migration failed when what is done within does."""
    try:
        yield
    except CancelledError:
        _cancel(conductor, migration)
        raise
    except Exception:
        fail_move(conductor, migration)
        raise


def _cancel(conductor: Conductor, migration: Migration) -> None:
    now = conductor.clock()
    conductor.migrations.change(
        migration.id,
        lambda one: one if one.waits_for_host else one.after(MoveEvent.CANCEL, now),
    )


def allocate(conductor: Conductor, server: Server) -> None:
    """Record that what a server claims is what it has."""
    claim = conductor.claims.get(server.id)
    if claim is not None:
        conductor.claims.put(replace(claim, state=ClaimState.ALLOCATED))
