"""Flavors: whole in a server's document, their extra specs in a row of their own."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from sundog.core.requests.flavor import Flavor
from sundog.edges.storage.documents.common import fields_of, unreadable, written


class FlavorDocument(Struct, forbid_unknown_fields=True):
    """A flavor inside a server; the fields are Flavor's."""

    id: str
    name: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    ephemeral_gb: int
    swap_mb: int
    rxtx_factor: float
    is_public: bool
    description: str | None
    extra_specs: dict[str, str]


def flavor_document(flavor: Flavor) -> FlavorDocument:
    """Return a flavor's document."""
    fields = fields_of(flavor, FlavorDocument)
    fields["extra_specs"] = dict(flavor.extra_specs)
    return FlavorDocument(**fields)


def flavor_of(document: FlavorDocument) -> Flavor:
    """Return the flavor of a document."""
    return Flavor(**fields_of(document, FlavorDocument))


def write_extra_specs(flavor: Flavor) -> str:
    """Return a flavor's extra specs as a JSON object."""
    return written(dict(flavor.extra_specs))


def read_extra_specs(text: str, what: str) -> dict[str, str]:
    """Read them back; ``what`` names the record in the error."""
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise unreadable(what, error) from error
