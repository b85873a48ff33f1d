"""Migrations' documents."""

# Annotations are evaluated, not deferred: msgspec reads them.

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from sundog.core.moves.migration import Migration, MoveKind, MoveState
from sundog.edges.storage.documents.assignments import (
    AssignmentDocument,
    assignment_document,
    assignment_of,
)
from sundog.edges.storage.documents.common import fields_of, unreadable, written
from sundog.edges.storage.documents.flavors import (
    FlavorDocument,
    flavor_document,
    flavor_of,
)


class MigrationDocument(Struct, forbid_unknown_fields=True):
    """A migration; the fields are Migration's, but for its number."""

    id: UUID
    server_id: UUID
    kind: MoveKind
    project_id: str
    user_id: str
    created: datetime
    updated: datetime
    old: AssignmentDocument
    old_flavor: FlavorDocument
    new_flavor: FlavorDocument
    new: AssignmentDocument | None = None
    rest: AssignmentDocument | None = None
    state: MoveState = MoveState.ASKED
    wanted_host: str | None = None


def write_migration(migration: Migration) -> str:
    """Return a migration as a JSON document."""
    fields = fields_of(migration, MigrationDocument)
    for name in ("old_flavor", "new_flavor"):
        fields[name] = flavor_document(fields[name])
    for name in ("old", "new", "rest"):
        fields[name] = fields[name] and assignment_document(fields[name])
    return written(MigrationDocument(**fields))


_migration_decoder: Final = msgspec.json.Decoder(MigrationDocument)


def read_migration(text: str, what: str) -> Migration:
    """Read a migration's document; raises UnavailableError naming ``what``."""
    try:
        document = _migration_decoder.decode(text)
        fields = fields_of(document, MigrationDocument)
        for name in ("old", "new", "rest"):
            fields[name] = fields[name] and assignment_of(fields[name])
    except (msgspec.DecodeError, ValueError) as error:
        raise unreadable(what, error) from error
    for name in ("old_flavor", "new_flavor"):
        fields[name] = flavor_of(fields[name])
    return Migration(**fields)
