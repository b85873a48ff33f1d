"""Guests may use what the operator leaves them."""

import uuid

from sundog.core.hosts.guest_part import HostShare, guest_part
from sundog.core.hosts.host_snapshot import Cell, HostFacts
from sundog.core.hosts.pages import PagePool


def facts(*cells: Cell) -> HostFacts:
    return HostFacts(
        name="h", uuid=uuid.UUID(int=1), cells=cells, functions=(), disk_gb=10
    )


def cell(number: int) -> Cell:
    cpus = frozenset(range(number * 4, number * 4 + 4))
    return Cell(
        id=number,
        socket=0,
        cpus=cpus,
        shared=cpus,
        dedicated=frozenset(),
        siblings=(),
        memory_mb=100,
        pages=(PagePool(size_kb=2048, total=8),),
    )


def test_silent_operator_leaves_the_scan_as_it_is() -> None:
    """Without any setting everything stands."""
    assert guest_part(facts(cell(0), cell(1)), HostShare()) == facts(cell(0), cell(1))


def test_one_cpu_set_leaves_none_of_the_other_kind() -> None:
    """With cpu_dedicated_set alone there are no shared CPUs."""
    share = HostShare(cpu_dedicated_set=frozenset({1, 5, 99}))
    parts = guest_part(facts(cell(0), cell(1)), share).cells
    assert [part.dedicated for part in parts] == [frozenset({1}), frozenset({5})]
    assert [part.shared for part in parts] == [frozenset(), frozenset()]


def test_shared_set_is_cut_to_each_cell() -> None:
    """cpu_shared_set names CPUs of the whole host."""
    share = HostShare(cpu_shared_set=frozenset({0, 4, 5}))
    parts = guest_part(facts(cell(0), cell(1)), share).cells
    assert [part.shared for part in parts] == [frozenset({0}), frozenset({4, 5})]


def test_reserved_memory_is_spread_to_the_last_mib() -> None:
    """What is kept back adds up to what was asked for."""
    share = HostShare(reserved_memory_mb=51)
    parts = guest_part(facts(cell(0), cell(1)), share).cells
    assert [part.memory_mb for part in parts] == [74, 75]


def test_nothing_falls_below_zero() -> None:
    """A host that keeps more than it has offers nothing, not less."""
    share = HostShare(
        reserved_memory_mb=1000, reserved_disk_gb=50, reserved_pages=((0, 2048, 9),)
    )
    part = guest_part(facts(cell(0)), share)
    assert (part.disk_gb, part.cells[0].memory_mb) == (0, 0)
    assert part.cells[0].pages == (PagePool(size_kb=2048, total=0),)


def test_reserved_pages_count_on_their_cell_only() -> None:
    """reserved_huge_pages names a cell and a size."""
    share = HostShare(reserved_pages=((1, 2048, 3), (1, 1048576, 1)))
    parts = guest_part(facts(cell(0), cell(1)), share).cells
    assert [part.pages[0].total for part in parts] == [8, 5]


def test_host_without_cells_is_left_alone() -> None:
    """Memory cannot be kept back where no cell is known."""
    assert guest_part(facts(), HostShare(reserved_memory_mb=5)).cells == ()
