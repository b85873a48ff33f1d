"""Documents have every field of what they keep: one that is left out would be lost."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import pytest
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields as fields_of_struct

from sundog.core.choosing.assignment import Assignment, CellShare, DeviceShare
from sundog.core.lives.intent import Intent
from sundog.core.lives.plug import Attached
from sundog.core.lives.server import Fault, Server
from sundog.core.moves.migration import Migration
from sundog.core.requests.flavor import Flavor
from sundog.edges.storage.documents.assignments import (
    AssignmentDocument,
    CellShareDocument,
    DeviceShareDocument,
)
from sundog.edges.storage.documents.flavors import FlavorDocument
from sundog.edges.storage.documents.migrations import MigrationDocument
from sundog.edges.storage.documents.servers import (
    AttachedDocument,
    FaultDocument,
    IntentDocument,
    ServerDocument,
)

# A migration's number is the key of its row.
ELSEWHERE: dict[type, set[str]] = {Migration: {"number"}}


@pytest.mark.parametrize(
    ("kept", "document"),
    [
        (Assignment, AssignmentDocument),
        (Attached, AttachedDocument),
        (CellShare, CellShareDocument),
        (DeviceShare, DeviceShareDocument),
        (Fault, FaultDocument),
        (Flavor, FlavorDocument),
        (Intent, IntentDocument),
        (Migration, MigrationDocument),
        (Server, ServerDocument),
    ],
)
def test_a_document_has_every_field(kept: type, document: type[Struct]) -> None:
    """By its name; one that older documents lack reads as its default."""
    has = {field.name: field for field in fields_of_struct(document)}
    needs = {field.name: field for field in fields(kept)}
    assert has.keys() == needs.keys() - ELSEWHERE.get(kept, set())
    for name, field in has.items():
        if not field.required:
            assert _default(field) == _default(needs[name]), name


def _default(field: Any) -> object:
    """Return a field's default, written as a value or as what makes one."""
    written = (field.default, field.default_factory)
    value, make = (None if one in (MISSING, NODEFAULT) else one for one in written)
    return make() if make else value
