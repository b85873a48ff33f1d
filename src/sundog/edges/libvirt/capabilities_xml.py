"""The host's cells, from libvirt's capabilities XML.

Source: https://libvirt.org/formatcaps.html and libvirt's capability.rng.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lxml import etree
from pydantic_xml import BaseXmlModel, attr, element

from sundog.core.hosts.host_snapshot import Cell
from sundog.core.hosts.pages import SMALL_PAGE_KB, PagePool

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True)
_KIB: Final = {"KiB": 1, "MiB": 1024, "GiB": 1024 * 1024}


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuSets:
    """What the operator sets aside, in nova.conf's terms.

    ``shared`` and ``dedicated`` are ``[compute] cpu_shared_set`` and
    ``cpu_dedicated_set``, None when not set; without both every CPU is shared.
    ``reserved_mb`` is kept for the host, by cell.
    """

    shared: frozenset[int] | None = None
    dedicated: frozenset[int] | None = None
    reserved_mb: Mapping[int, int] = field(default_factory=dict)


class _Xml(BaseXmlModel, search_mode="unordered"):
    """Any order, other elements passed over."""


class CpuXml(_Xml, tag="cpu"):
    """A CPU; an offline one has its number only."""

    id: int = attr()
    socket_id: int | None = attr(default=None)
    siblings: str | None = attr(default=None)


class CpusXml(_Xml, tag="cpus"):
    """A cell's CPUs."""

    cpus: list[CpuXml] = element(tag="cpu", default_factory=list)


class MemoryXml(_Xml, tag="memory"):
    """An amount of memory with its unit."""

    amount: int
    unit: str = attr(default="KiB")

    @property
    def kib(self) -> int:
        """The amount in KiB."""
        return self.amount * _KIB[self.unit]


class PagesXml(_Xml, tag="pages"):
    """The pages of one size; libvirt prints the size in KiB."""

    total: int
    size: int = attr()


class DistanceXml(_Xml, tag="sibling"):
    """How far a cell is from another; 10 is itself."""

    id: int = attr()
    value: int = attr()


class DistancesXml(_Xml, tag="distances"):
    """A cell's distances; a host of one cell may be silent."""

    siblings: list[DistanceXml] = element(tag="sibling", default_factory=list)


class CellXml(_Xml, tag="cell"):
    """A NUMA cell; one without memory or without CPUs is lawful."""

    id: int = attr()
    memory: MemoryXml | None = element(tag="memory", default=None)
    pages: list[PagesXml] = element(tag="pages", default_factory=list)
    distances: DistancesXml | None = element(tag="distances", default=None)
    cpus: CpusXml | None = element(tag="cpus", default=None)


class CellsXml(_Xml, tag="cells"):
    """The cells of the topology."""

    cells: list[CellXml] = element(tag="cell", default_factory=list)


class TopologyXml(_Xml, tag="topology"):
    """The host's topology."""

    cells: CellsXml = element(tag="cells")


class HostXml(_Xml, tag="host"):
    """The host half of the capabilities."""

    topology: TopologyXml | None = element(tag="topology", default=None)


class CapabilitiesXml(_Xml, tag="capabilities"):
    """Libvirt's capabilities; the guest half is passed over."""

    host: HostXml = element()


def read_cells(document: str, sets: CpuSets) -> tuple[Cell, ...]:
    """Read the host's cells; raises ValueError when the document is unusable."""
    try:
        capabilities = CapabilitiesXml.from_xml(document.encode(), parser=_PARSER)
    except etree.XMLSyntaxError as error:
        raise ValueError(str(error)) from error
    topology = capabilities.host.topology
    if topology is None or not topology.cells.cells:
        raise ValueError("libvirt's capabilities tell no NUMA cell")
    return tuple(
        _cell(each, sets) for each in sorted(topology.cells.cells, key=lambda c: c.id)
    )


def cpu_list(text: str) -> frozenset[int]:
    """Read the kernel's list format: ``0-3,8``; raises ValueError."""
    cpus: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        cpus.update(range(int(first), int(last or first) + 1))
    return frozenset(cpus)


def _cell(xml: CellXml, sets: CpuSets) -> Cell:
    online = [cpu for cpu in (xml.cpus.cpus if xml.cpus else []) if cpu.siblings]
    cpus = frozenset(cpu.id for cpu in online)
    sockets = {cpu.socket_id for cpu in online}
    huge = tuple(
        PagePool(size_kb=each.size, total=each.total)
        for each in sorted(xml.pages, key=lambda each: each.size)
        if each.size > SMALL_PAGE_KB
    )
    memory_kb = xml.memory.kib if xml.memory else 0
    small_kb = memory_kb - sum(each.size_kb * each.total for each in huge)
    dedicated = sets.dedicated or frozenset()
    if sets.shared is None:
        shared = cpus if sets.dedicated is None else frozenset[int]()
    else:
        shared = sets.shared
    groups = {cpu_list(cpu.siblings or "") & cpus for cpu in online}
    return Cell(
        id=xml.id,
        socket=sockets.pop() if len(sockets) == 1 else None,
        cpus=cpus,
        shared=(shared & cpus) - dedicated,
        dedicated=dedicated & cpus,
        siblings=tuple(sorted(groups, key=min)),
        memory_mb=max(0, small_kb // 1024 - sets.reserved_mb.get(xml.id, 0)),
        pages=huge,
        distances=tuple(
            (each.id, each.value)
            for each in (xml.distances.siblings if xml.distances else ())
        ),
    )
