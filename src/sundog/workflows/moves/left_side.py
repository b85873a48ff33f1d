"""A side of a move whose host was away, or could not let go of it at once.

It stays claimed by the migration, for nobody knows what runs there, and is cleaned
when the host answers again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sundog.core.errors import SundogError
from sundog.core.moves.migration import MoveEvent
from sundog.workflows.moves.ports import MigrationQuery
from sundog.workflows.moves.two_sides import (
    advance,
    hold_old,
    hold_old_again,
    new_of,
    release_rest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.lives.server import Server
    from sundog.core.moves.migration import Migration
    from sundog.workflows.conductor import Conductor

LOG = logging.getLogger(__name__)


def give_up_new(conductor: Conductor, server: Server, migration: Migration) -> None:
    """Undo what was made on another host, and hold the old side only.

    Where that host cannot let go, the migration keeps what is there.
    """
    new = new_of(migration)
    try:
        snapshot = conductor.agent(new.host).remove(server.id, new)
    except SundogError as stuck:
        LOG.warning("Host %s keeps a side of a move: %s", new.host, stuck)
        hold_old_again(conductor, server, migration)
        advance(conductor, migration, MoveEvent.LEAVE)
    else:
        hold_old(conductor, server, migration)
        conductor.reports.take(snapshot)


def left_on(conductor: Conductor, host: str) -> Sequence[Migration]:
    """Return the migrations that left a side on a host."""
    open_ones = conductor.migrations.list(MigrationQuery(is_over=False))
    return [one for one in open_ones if one.left_on == host]


def clean_left(conductor: Conductor, migration: Migration) -> None:
    """End what is left of a server on a host that it is not on, and give it back."""
    claim = conductor.claims.get(migration.id)
    host = str(migration.left_on)
    if claim is not None:
        agent = conductor.agent(host)
        snapshot = agent.remove(migration.server_id, claim.assignment)
        release_rest(conductor, migration)
        conductor.reports.take(snapshot)
    now = conductor.clock()
    conductor.migrations.change(migration.id, lambda one: one.cleaned(now))


def clean_returned(conductor: Conductor, host: str) -> None:
    """Clean what servers that are elsewhere have left on a host that is back.

    What cannot be cleaned now stays claimed, and is tried again.
    """
    for found in left_on(conductor, host):
        with conductor.locks.of(found.server_id):
            migration = conductor.migrations.get(found.id)
            if migration.left_on != host:
                continue
            try:
                clean_left(conductor, migration)
            except SundogError as stuck:
                LOG.warning("Host %s keeps a side of a move: %s", host, stuck)
