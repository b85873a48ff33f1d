"""The JSON documents of ``/v1``, typed. All are read-only.

Memory is in MiB, disk in GiB, page sizes in KiB; PCI addresses are written as the
kernel writes them (``0000:84:00.0``).
"""

from __future__ import annotations

import msgspec


class HolderBody(msgspec.Struct, kw_only=True, frozen=True):
    """Who holds one instance of a device.

    ``slot`` names the device in the server (``vGPU-0/1``); ``type`` is the mdev or
    vGPU type held, empty for a whole function. ``server_name`` is empty when the
    holder is not in Sundog's records.
    """

    server_id: str
    server_name: str
    slot: str
    type: str


class DeviceBody(msgspec.Struct, kw_only=True, frozen=True):
    """One thing on offer: a whole function, or one type that a function may make.

    ``kind`` is an alias's ``device_type`` (``type-PCI``, ``type-PF``, ``type-VF``,
    ``type-MDEV``, ``type-VGPU``). ``total`` counts instances on an empty card, each
    of which takes ``cost`` of the card's budget, ``used`` those held, ``free`` those
    that could still be handed out now, with the card's shared budget taken into
    account. ``state`` is ``available``, ``claimed`` (nothing is left, or another
    function of the card excludes it) or ``unavailable`` (``reason`` says why).
    ``foreign`` counts mdevs and vGPUs of the type that exist and are not ours; they
    are never touched.
    """

    address: str
    kind: str
    vendor_id: str
    product_id: str
    type: str
    type_name: str
    resource_class: str
    numa_nodes: list[int]
    total: int
    cost: int
    used: int
    free: int
    state: str
    reason: str
    holders: list[HolderBody]
    foreign: int = 0


class CardBody(msgspec.Struct, kw_only=True, frozen=True):
    """A physical device with all that it offers.

    ``numa_nodes`` is empty when the node is unknown. ``budget`` and ``budget_used``
    are in a unit of their own, shared by all the card's devices. ``one_type``: all
    its mdevs or vGPUs must be of one type at a time.
    """

    address: str
    product: str
    numa_nodes: list[int]
    budget: int
    budget_used: int
    one_type: bool
    devices: list[DeviceBody]


class PagesBody(msgspec.Struct, kw_only=True, frozen=True):
    """Huge pages of one size on a cell, counted in pages."""

    size_kb: int
    total: int
    used: int


class PinBody(msgspec.Struct, kw_only=True, frozen=True):
    """A host CPU that a server has for itself.

    ``vcpu`` is None for a CPU that is kept idle beside a pinned one
    (``hw:cpu_thread_policy=isolate``).
    """

    cpu: int
    vcpu: int | None
    server_id: str
    server_name: str


class CellBody(msgspec.Struct, kw_only=True, frozen=True):
    """A host NUMA cell and the cards that are local to it.

    ``shared_used`` counts floating vCPUs on ``shared``. ``memory_mb`` is what small
    pages offer, the huge pages not counted. A card of several cells is listed under
    the lowest of them.
    """

    id: int
    cpus: list[int]
    siblings: list[list[int]]
    shared: list[int]
    shared_used: int
    dedicated: list[int]
    pins: list[PinBody]
    memory_mb: int
    memory_mb_used: int
    pages: list[PagesBody]
    cards: list[CardBody]


class SocketBody(msgspec.Struct, kw_only=True, frozen=True):
    """A socket; ``id`` is None for cells whose socket the host does not tell."""

    id: int | None
    cells: list[CellBody]


class HostServerBody(msgspec.Struct, kw_only=True, frozen=True):
    """A server on a host, and the host cells it takes from."""

    id: str
    name: str
    status: str
    cells: list[int]
    vcpus: int
    memory_mb: int
    devices: list[str]


class ProblemBody(msgspec.Struct, kw_only=True, frozen=True):
    """Something on a host that could not be read or used."""

    where: str
    reason: str


class HostBody(msgspec.Struct, kw_only=True, frozen=True):
    """One host: sockets, their cells, the cells' cards.

    ``state`` is ``up`` or ``down``, ``status`` ``enabled`` or ``disabled`` (with
    ``status_reason``). ``id`` is empty, and so is most else, of a host that has not
    answered since the service started. ``loose_cards`` are those whose NUMA node is
    unknown or is none of the host's cells.
    """

    name: str
    id: str
    state: str
    status: str
    status_reason: str
    disk_gb: int
    disk_gb_used: int
    sockets: list[SocketBody]
    loose_cards: list[CardBody]
    servers: list[HostServerBody]
    problems: list[ProblemBody]


class HostsBody(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /v1/hosts``; by name."""

    hosts: list[HostBody]


class DeviceRowBody(msgspec.Struct, kw_only=True, frozen=True):
    """One device of ``GET /v1/devices``: where it is, what it is, who holds it."""

    host: str
    card: str
    product: str
    device: DeviceBody


class DevicesBody(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /v1/devices``; by host and address."""

    devices: list[DeviceRowBody]


class AliasWantBody(msgspec.Struct, kw_only=True, frozen=True):
    """One alternative of an alias; None or empty does not matter."""

    vendor_id: str | None
    product_id: str | None
    device_type: str | None
    type: str | None
    resource_class: str | None
    traits: list[str]
    live_migratable: bool | None


class AliasBody(msgspec.Struct, kw_only=True, frozen=True):
    """An alias: its policy and its alternatives, tried in this order."""

    name: str
    numa_policy: str
    wants: list[AliasWantBody]


class AliasesBody(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /v1/aliases``; by name."""

    aliases: list[AliasBody]


class FitDeviceBody(msgspec.Struct, kw_only=True, frozen=True):
    """A device that a server of the flavor would get."""

    slot: str
    kind: str
    type: str
    address: str


class FitBody(msgspec.Struct, kw_only=True, frozen=True):
    """A host that fits: the cells and devices that would be taken."""

    host: str
    cells: list[int]
    devices: list[FitDeviceBody]


class RefusalBody(msgspec.Struct, kw_only=True, frozen=True):
    """Why a host does not fit.

    ``reason`` sums up the rest: ``first`` is the first constraint that fails,
    ``tightest`` the one furthest from holding, ``detail`` has the numbers and
    ``remedy`` what would help.
    """

    host: str
    reason: str
    first: str
    tightest: str
    detail: str
    remedy: str


class ExplainBody(msgspec.Struct, kw_only=True, frozen=True):
    """``GET /v1/explain?flavor=NAME&image=ID``: where a flavor fits, best first.

    ``summary`` is empty when it fits somewhere; otherwise it is what a server's
    fault would say.
    """

    flavor: str
    fits: list[FitBody]
    refusals: list[RefusalBody]
    summary: str
