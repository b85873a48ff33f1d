"""The record of a server's move, written before anything is done."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sundog.core.errors import CancelledError, ConflictError
from sundog.core.lives.claim import ClaimState
from sundog.core.moves.migration import MoveEvent
from sundog.workflows.moves.ports import MigrationQuery

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sundog.core.lives.server import Server
    from sundog.core.moves.migration import Migration
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.moves.two_sides import Sides


def move_of(conductor: Conductor, server: Server) -> Migration:
    """Return a server's newest migration; raises ConflictError when it has none."""
    found = conductor.migrations.list(MigrationQuery(server_id=server.id))
    if not found:
        raise ConflictError(f"Instance {server.id} has no migration.")
    return found[0]


def prepare_move(conductor: Conductor, migration: Migration, sides: Sides) -> Migration:
    """Record where a server is to go, before the first claim is written."""
    now = conductor.clock()
    return conductor.migrations.change(
        migration.id,
        lambda one: replace(
            one.after(MoveEvent.PREPARE, now), new=sides.new, rest=sides.rest
        ),
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
