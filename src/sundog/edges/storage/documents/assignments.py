"""Assignments' documents."""

# Annotations are evaluated, not deferred: msgspec reads them.

from typing import Final

import msgspec
from msgspec import Struct

from sundog.core.choosing.assignment import Assignment, CellShare, DeviceShare
from sundog.core.devices.device import DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.pages import SMALL_PAGE_KB
from sundog.core.lives.plug import PlugState
from sundog.edges.storage.documents.common import fields_of, unreadable, written


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


def write_assignment(assignment: Assignment) -> str:
    """Return an assignment as a JSON document."""
    return written(assignment_document(assignment))


_assignment_decoder: Final = msgspec.json.Decoder(AssignmentDocument)


def read_assignment(text: str, what: str) -> Assignment:
    """Read an assignment's document; raises UnavailableError naming ``what``."""
    try:
        return assignment_of(_assignment_decoder.decode(text))
    except (msgspec.DecodeError, ValueError) as error:
        raise unreadable(what, error) from error


def assignment_document(assignment: Assignment) -> AssignmentDocument:
    """Return an assignment's document."""
    devices = []
    for share in assignment.devices:
        fields = fields_of(share, DeviceShareDocument)
        fields |= {"address": str(share.address), "card": str(share.card)}
        devices.append(DeviceShareDocument(**fields))
    fields = fields_of(assignment, AssignmentDocument)
    fields["cells"] = tuple(
        CellShareDocument(**fields_of(share, CellShareDocument))
        for share in assignment.cells
    )
    fields["devices"] = tuple(devices)
    return AssignmentDocument(**fields)


def assignment_of(document: AssignmentDocument) -> Assignment:
    """Return the assignment of a document; raises ValueError."""
    fields = fields_of(document, AssignmentDocument)
    fields["cells"] = tuple(
        CellShare(**fields_of(share, CellShareDocument)) for share in document.cells
    )
    fields["devices"] = tuple(_device(share) for share in document.devices)
    return Assignment(**fields)


def _device(document: DeviceShareDocument) -> DeviceShare:
    fields = fields_of(document, DeviceShareDocument)
    fields["address"] = PciAddress.parse(document.address)
    fields["card"] = PciAddress.parse(document.card)
    return DeviceShare(**fields)
