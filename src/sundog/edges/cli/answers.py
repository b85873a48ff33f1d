"""The JSON that ``/v1`` answers with, as far as the command reads it.

Memory is in MiB, disk in GiB, page sizes in KiB. What each field means is told where
the API writes it (``edges/rest/own``).
"""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Holder(TypedDict):
    """Who holds one instance of a device."""

    server_id: str
    server_name: str
    slot: str
    type: str


class Device(TypedDict):
    """A whole function, or one type that a function may make."""

    address: str
    kind: str
    type: str
    type_name: str
    numa_nodes: list[int]
    total: int
    cost: NotRequired[int]
    used: int
    free: int
    state: str
    reason: str
    holders: list[Holder]


class Card(TypedDict):
    """A physical device with all that it offers."""

    address: str
    product: str
    budget: int
    budget_used: int
    one_type: bool
    devices: list[Device]


class Pages(TypedDict):
    """Huge pages of one size, counted in pages."""

    size_kb: int
    total: int
    used: int


class Cell(TypedDict):
    """A host NUMA cell and the cards local to it."""

    id: int
    shared: list[int]
    shared_used: int
    dedicated: list[int]
    pins: list[dict[str, object]]
    memory_mb: int
    memory_mb_used: int
    pages: list[Pages]
    cards: list[Card]


class Socket(TypedDict):
    """A socket; ``id`` is None where the host does not tell."""

    id: int | None
    cells: list[Cell]


class HostServer(TypedDict):
    """A server on a host."""

    id: str
    name: str
    status: str


class Problem(TypedDict):
    """Something that could not be read or used."""

    where: str
    reason: str


class Host(TypedDict):
    """One host."""

    name: str
    state: str
    status: str
    status_reason: str
    disk_gb: int
    disk_gb_used: int
    sockets: list[Socket]
    loose_cards: list[Card]
    servers: list[HostServer]
    problems: list[Problem]


class DeviceRow(TypedDict):
    """One device of the fleet and the host that it is in."""

    host: str
    card: str
    product: str
    device: Device


class ServerDevice(TypedDict):
    """A device of a server."""

    slot: str
    kind: str
    type: str
    type_name: str
    product: str
    address: str
    numa_nodes: list[int]
    guest_cell: int | None
    origin: str
    state: str


class ServerDevices(TypedDict):
    """A server with its devices."""

    server_id: str
    server_name: str
    status: str
    task: str | None
    host: str | None
    cells: list[int]
    devices: list[ServerDevice]


class Begun(TypedDict):
    """Devices that are being attached, or detached, and the request's id."""

    server_id: str
    slots: list[str]
    request_id: str


class Event(TypedDict):
    """What a host did for an action; ``result`` is None while it does."""

    result: str | None
    details: str | None


class Disagreement(TypedDict):
    """Two records that tell different things, and what came of the repair."""

    host: str
    what: str
    repair: str
    line: str
    mended: bool
    problem: str


class Job(TypedDict):
    """A job that is not at its end."""

    line: str


class Audit(TypedDict):
    """What ``/v1/audit`` answers."""

    disagreements: list[Disagreement]
    jobs: list[Job]


class FitDevice(TypedDict):
    """A device that a server would get."""

    slot: str
    kind: str
    type: str
    address: str


class Fit(TypedDict):
    """A host that fits, with what would be taken."""

    host: str
    cells: list[int]
    devices: list[FitDevice]


class Refusal(TypedDict):
    """Why a host does not fit."""

    host: str
    reason: str


class Explanation(TypedDict):
    """Where a flavor fits, best first, and why not elsewhere."""

    flavor: str
    fits: list[Fit]
    refusals: list[Refusal]
    summary: str


def cards_of(host: Host) -> list[Card]:
    """Return all cards of a host, those whose cell is unknown last."""
    cells = (cell for socket in host["sockets"] for cell in socket["cells"])
    return [card for cell in cells for card in cell["cards"]] + host["loose_cards"]
