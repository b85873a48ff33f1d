"""The JSON documents in the database: declared here, once.

A newer Sundog may have written a field that this one does not know. It would be lost
at the next write, so a document with an unknown field is refused instead.
"""

# Annotations are evaluated, not deferred: msgspec reads them.

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import fields as fields_of_struct

from sundog.core.choosing.assignment import Assignment, CellShare, DeviceShare
from sundog.core.devices.device import DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import UnavailableError
from sundog.core.hosts.pages import SMALL_PAGE_KB
from sundog.core.lives.intent import Intent
from sundog.core.lives.plug import Attached, PlugState
from sundog.core.lives.server import Fault, Phase, Server
from sundog.core.moves.migration import Migration, MoveKind, MoveState
from sundog.core.requests.flavor import Flavor

# Sets are written in order, so that the same record is the same text.
_encoder: Final = msgspec.json.Encoder(order="deterministic")


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


class CellShareDocument(Struct, forbid_unknown_fields=True):
    """A host cell's share in an assignment; the fields are CellShare's."""

    host_cell: int
    guest_cell: int | None = None
    shared_cpus: int = 0
    pins: tuple[tuple[int, int], ...] = ()
    blocked: frozenset[int] = frozenset()
    memory_mb: int = 0
    page_kb: int = SMALL_PAGE_KB


class DeviceShareDocument(Struct, forbid_unknown_fields=True):
    """A device in an assignment; DeviceShare's fields, addresses as text."""

    slot: str
    alias: str
    kind: DeviceKind
    address: str
    card: str
    resource_class: str
    cost: int
    type_id: str = ""
    numa_nodes: frozenset[int] = frozenset()
    guest_cell: int | None = None
    managed: bool = True
    plug: PlugState = PlugState.ATTACHED


class AssignmentDocument(Struct, forbid_unknown_fields=True):
    """An assignment; the fields are Assignment's."""

    host: str
    cells: tuple[CellShareDocument, ...] = ()
    devices: tuple[DeviceShareDocument, ...] = ()
    disk_gb: int = 0


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


def write_extra_specs(flavor: Flavor) -> str:
    """Return a flavor's extra specs as a JSON object."""
    return _encoder.encode(dict(flavor.extra_specs)).decode()


def read_extra_specs(text: str, what: str) -> dict[str, str]:
    """Read them back; ``what`` names the record in the error."""
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise unreadable(what, error) from error


def write_server(server: Server) -> str:
    """Return a server as a JSON document."""
    fields = _written(_fields_of(server, ServerDocument))
    return _encoder.encode(ServerDocument(**fields)).decode()


def _written(fields: dict[str, Any]) -> dict[str, Any]:
    """Turn fields of a server, all or some, into those of its document."""
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 - a field of any type
    match value:
        case Flavor():
            fields = _fields_of(value, FlavorDocument)
            return FlavorDocument(**_written(fields))
        case Fault() | Attached():
            shape = FaultDocument if isinstance(value, Fault) else AttachedDocument
            return shape(**_fields_of(value, shape))
        case Intent():
            fields = _fields_of(value, IntentDocument)
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
        return Server(**_read(_fields_of(document, ServerDocument)))
    except (msgspec.DecodeError, KeyError) as error:
        raise unreadable(what, error) from error


def _read(fields: dict[str, Any]) -> dict[str, Any]:
    """Turn fields of a server's document, all or some, into those of a server."""
    return {name: _value(value) for name, value in fields.items()}


def _value(value: Any) -> Any:  # noqa: ANN401 - a field of any type
    match value:
        case FlavorDocument():
            return Flavor(**_fields_of(value, FlavorDocument))
        case FaultDocument():
            return Fault(**_fields_of(value, FaultDocument))
        case IntentDocument():
            fields = _fields_of(value, IntentDocument)
            typed = {
                name: msgspec.convert(plain, _TYPES[name])
                for name, plain in value.before.items()
            }
            fields["before"] = _read(typed)
            return Intent(**fields)
        case AttachedDocument():
            return Attached(**_fields_of(value, AttachedDocument))
        case tuple():
            return tuple(_value(each) for each in value)
        case _:
            return value


_TYPES: Final = {field.name: field.type for field in fields_of_struct(ServerDocument)}


def write_assignment(assignment: Assignment) -> str:
    """Return an assignment as a JSON document."""
    return _encoder.encode(_assignment_document(assignment)).decode()


_assignment_decoder: Final = msgspec.json.Decoder(AssignmentDocument)


def read_assignment(text: str, what: str) -> Assignment:
    """Read an assignment's document; raises UnavailableError naming ``what``."""
    try:
        return _assignment(_assignment_decoder.decode(text))
    except (msgspec.DecodeError, ValueError) as error:
        raise unreadable(what, error) from error


def write_migration(migration: Migration) -> str:
    """Return a migration as a JSON document."""
    fields = _fields_of(migration, MigrationDocument)
    for name in ("old_flavor", "new_flavor"):
        fields[name] = _plain(fields[name])
    for name in ("old", "new", "rest"):
        fields[name] = fields[name] and _assignment_document(fields[name])
    return _encoder.encode(MigrationDocument(**fields)).decode()


_migration_decoder: Final = msgspec.json.Decoder(MigrationDocument)


def read_migration(text: str, what: str) -> Migration:
    """Read a migration's document; raises UnavailableError naming ``what``."""
    try:
        document = _migration_decoder.decode(text)
        fields = _fields_of(document, MigrationDocument)
        for name in ("old", "new", "rest"):
            fields[name] = fields[name] and _assignment(fields[name])
    except (msgspec.DecodeError, ValueError) as error:
        raise unreadable(what, error) from error
    for name in ("old_flavor", "new_flavor"):
        fields[name] = _value(fields[name])
    return Migration(**fields)


def _assignment_document(assignment: Assignment) -> AssignmentDocument:
    devices = []
    for share in assignment.devices:
        fields = _fields_of(share, DeviceShareDocument)
        fields |= {"address": str(share.address), "card": str(share.card)}
        devices.append(DeviceShareDocument(**fields))
    fields = _fields_of(assignment, AssignmentDocument)
    fields["cells"] = tuple(
        CellShareDocument(**_fields_of(share, CellShareDocument))
        for share in assignment.cells
    )
    fields["devices"] = tuple(devices)
    return AssignmentDocument(**fields)


def _assignment(document: AssignmentDocument) -> Assignment:
    fields = _fields_of(document, AssignmentDocument)
    fields["cells"] = tuple(
        CellShare(**_fields_of(share, CellShareDocument)) for share in document.cells
    )
    fields["devices"] = tuple(_device(share) for share in document.devices)
    return Assignment(**fields)


def _device(document: DeviceShareDocument) -> DeviceShare:
    fields = _fields_of(document, DeviceShareDocument)
    fields["address"] = PciAddress.parse(document.address)
    fields["card"] = PciAddress.parse(document.card)
    return DeviceShare(**fields)


def _fields_of(record: object, shape: type[Struct]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in shape.__struct_fields__}


def unreadable(what: str, error: Exception) -> UnavailableError:
    """Return what to raise for a record that this Sundog cannot read."""
    return UnavailableError(
        f"the database's record of {what} cannot be read ({error}); "
        "if a newer Sundog wrote it, run that one"
    )
