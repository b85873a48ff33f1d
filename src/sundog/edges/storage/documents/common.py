"""What all documents have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from sundog.core.errors import UnavailableError

if TYPE_CHECKING:
    from msgspec import Struct

# Sets are written in order, so that the same record is the same text.
_encoder: Final = msgspec.json.Encoder(order="deterministic")


def written(document: object) -> str:
    """Return a document as the JSON that is kept."""
    return _encoder.encode(document).decode()


def fields_of(record: object, shape: type[Struct]) -> dict[str, Any]:
    """Return what a record, or its document, has of the fields of a document."""
    return {name: getattr(record, name) for name in shape.__struct_fields__}


def unreadable(what: str, error: Exception) -> UnavailableError:
    """Return what to raise for a record that this Sundog cannot read."""
    return UnavailableError(
        f"the database's record of {what} cannot be read ({error}); "
        "if a newer Sundog wrote it, run that one"
    )
