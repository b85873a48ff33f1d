"""What of a host guests may use, and what the host keeps for itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sundog.core.hosts.pages import PagePool

if TYPE_CHECKING:
    from sundog.core.hosts.host_snapshot import Cell, HostFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class HostShare:
    """The operator's split of a host (nova.conf's names).

    ``cpu_shared_set`` and ``cpu_dedicated_set`` are host CPU numbers; when both are
    None the scan's own split stands, when only one is set the other kind has none
    (Nova's rule). ``reserved_memory_mb`` is kept back from small pages, evenly over
    the cells. ``reserved_pages`` are (cell, page size in KiB, pages).
    """

    cpu_shared_set: frozenset[int] | None = None
    cpu_dedicated_set: frozenset[int] | None = None
    reserved_memory_mb: int = 0
    reserved_disk_gb: int = 0
    reserved_pages: tuple[tuple[int, int, int], ...] = ()


def guest_part(facts: HostFacts, share: HostShare) -> HostFacts:
    """Return the facts with only what guests may use."""
    cells = facts.cells
    keep, more = divmod(share.reserved_memory_mb, len(cells)) if cells else (0, 0)
    return replace(
        facts,
        cells=tuple(
            _cell_part(cell, share, keep + (1 if number < more else 0))
            for number, cell in enumerate(cells)
        ),
        disk_gb=max(0, facts.disk_gb - share.reserved_disk_gb),
    )


def _cell_part(cell: Cell, share: HostShare, reserved_mb: int) -> Cell:
    shared, dedicated = cell.shared, cell.dedicated
    if share.cpu_shared_set is not None or share.cpu_dedicated_set is not None:
        shared = cell.cpus & (share.cpu_shared_set or frozenset())
        dedicated = cell.cpus & (share.cpu_dedicated_set or frozenset())
    kept = {
        size_kb: pages for at, size_kb, pages in share.reserved_pages if at == cell.id
    }
    return replace(
        cell,
        shared=shared,
        dedicated=dedicated,
        memory_mb=max(0, cell.memory_mb - reserved_mb),
        pages=tuple(
            PagePool(
                size_kb=pool.size_kb,
                total=max(0, pool.total - kept.get(pool.size_kb, 0)),
            )
            for pool in cell.pages
        ),
    )
