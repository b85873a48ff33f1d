"""Servers' documents."""

# Annotations are evaluated, not deferred: msgspec reads them.

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import fields as fields_of_struct

from sundog.core.lives.intent import Intent
from sundog.core.lives.plug import Attached
from sundog.core.lives.server import Fault, Phase, Server
from sundog.core.requests.flavor import Flavor
from sundog.edges.storage.documents.common import fields_of, unreadable, written
from sundog.edges.storage.documents.flavors import (
    FlavorDocument,
    flavor_document,
    flavor_of,
)


class FaultDocument(Struct, forbid_unknown_fields=True):
    """A fault inside a server; the fields are Fault's."""

    code: int
    message: str
    created: datetime


class IntentDocument(Struct, forbid_unknown_fields=True):
    """An intent inside a server; ``before`` is a part of a server's document."""

    job: str
    began: datetime
    steps: tuple[str, ...]
    at: int
    before: dict[str, Any]
    facts: dict[str, str]


class AttachedDocument(Struct, forbid_unknown_fields=True):
    """What a server asks for beside its flavor; the fields are Attached's."""

    id: str
    asks: str
    count: int


class ServerDocument(Struct, forbid_unknown_fields=True):
    """A server; the fields are Server's."""

    id: UUID
    name: str
    project_id: str
    user_id: str
    flavor: FlavorDocument
    image_id: str
    created: datetime
    updated: datetime
    phase: Phase
    host: str | None
    fault: FaultDocument | None
    launched: datetime | None
    terminated: datetime | None
    metadata: dict[str, str]
    image_properties: dict[str, str]
    tags: frozenset[str]
    description: str | None
    hostname: str
    reservation_id: str
    launch_index: int
    config_drive: bool
    availability_zone: str
    user_data: str | None
    wanted_host: str | None
    locked: bool = False
    locked_reason: str | None = None
    key_name: str | None = None
    group: str | None = None
    intent: IntentDocument | None = None
    near: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    access_ip_v4: str = ""
    access_ip_v6: str = ""
    auto_disk: bool = False
    attached: tuple[AttachedDocument, ...] = ()
    detached: frozenset[str] = frozenset()
    rescue_image_id: str | None = None
    rescue_properties: dict[str, str] = {}


def write_server(server: Server) -> str:
    """Return a server as a JSON document."""
    fields = _written(fields_of(server, ServerDocument))
    return written(ServerDocument(**fields))


def _written(fields: dict[str, Any]) -> dict[str, Any]:
    """Turn fields of a server, all or some, into those of its document."""
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - a field of any type
    match value:
        case Flavor():
            return flavor_document(value)
        case Fault() | Attached():
            shape = FaultDocument if isinstance(value, Fault) else AttachedDocument
            return shape(**fields_of(value, shape))
        case Intent():
            fields = fields_of(value, IntentDocument)
            fields["facts"] = dict(value.facts)
            fields["before"] = _written(dict(value.before))
            return IntentDocument(**fields)
        case tuple():
            return tuple(_plain(each) for each in value)
        case Mapping():
            return dict(value)
        case _:
            return value


_server_decoder: Final = msgspec.json.Decoder(ServerDocument)


def read_server(text: str, what: str) -> Server:
    """Read a server's document; raises UnavailableError naming ``what``."""
    try:
        document = _server_decoder.decode(text)
        return Server(**_read(fields_of(document, ServerDocument)))
    except (msgspec.DecodeError, KeyError) as error:
        raise unreadable(what, error) from error


def _read(fields: dict[str, Any]) -> dict[str, Any]:
    """Turn fields of a server's document, all or some, into those of a server."""
    return {name: _value(value) for name, value in fields.items()}


def _value(value: Any) -> Any:  # noqa: ANN401 - a field of any type
    match value:
        case FlavorDocument():
            return flavor_of(value)
        case FaultDocument():
            return Fault(**fields_of(value, FaultDocument))
        case IntentDocument():
            fields = fields_of(value, IntentDocument)
            typed = {
                name: msgspec.convert(plain, _TYPES[name])
                for name, plain in value.before.items()
            }
            fields["before"] = _read(typed)
            return Intent(**fields)
        case AttachedDocument():
            return Attached(**fields_of(value, AttachedDocument))
        case tuple():
            return tuple(_value(each) for each in value)
        case _:
            return value


_TYPES: Final = {field.name: field.type for field in fields_of_struct(ServerDocument)}
