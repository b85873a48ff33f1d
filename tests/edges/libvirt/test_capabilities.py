"""The host's cells are read from libvirt's capabilities."""

from __future__ import annotations

from pathlib import Path

import libvirt
import pytest

from sundog.core.hosts.host_snapshot import Cell
from sundog.core.hosts.pages import PagePool
from sundog.edges.libvirt.capabilities_xml import CpuSets, read_cells

TEXT = (Path(__file__).parent / "goldens" / "capabilities.xml").read_text()


def test_cells() -> None:
    """Offline CPUs, and cells without CPUs or pages, are what they are."""
    sets = CpuSets(
        shared=frozenset({0, 4, 2}),
        dedicated=frozenset({1, 5}),
        reserved_mb={0: 288},
    )
    assert read_cells(TEXT, sets) == (
        Cell(
            id=0,
            socket=0,
            cpus=frozenset({0, 1, 4, 5}),
            shared=frozenset({0, 4}),
            dedicated=frozenset({1, 5}),
            siblings=(frozenset({0, 4}), frozenset({1, 5})),
            memory_mb=12000,
            pages=(
                PagePool(size_kb=2048, total=2048),
                PagePool(size_kb=1048576, total=0),
            ),
            distances=((0, 10), (1, 21)),
        ),
        Cell(
            id=1,
            socket=1,
            cpus=frozenset({2, 3}),
            shared=frozenset({2}),
            dedicated=frozenset(),
            siblings=(frozenset({2, 3}),),
            memory_mb=8192,
        ),
        Cell(
            id=2,
            socket=None,
            cpus=frozenset(),
            shared=frozenset(),
            dedicated=frozenset(),
            siblings=(),
            memory_mb=4096,
        ),
    )


@pytest.mark.parametrize(
    ("shared", "dedicated", "expected"),
    [
        (None, None, ({0, 1, 4, 5}, set())),
        (None, {1}, (set(), {1})),
        ({0}, None, ({0}, set())),
        ({0, 1}, {1}, ({0}, {1})),
    ],
)
def test_cpu_sets_mean_what_nova_says(
    shared: set[int] | None,
    dedicated: set[int] | None,
    expected: tuple[set[int], set[int]],
) -> None:
    """Without a set every CPU is shared; a dedicated set alone shares none."""
    sets = CpuSets(
        shared=None if shared is None else frozenset(shared),
        dedicated=None if dedicated is None else frozenset(dedicated),
    )
    cell = read_cells(TEXT, sets)[0]
    assert (set(cell.shared), set(cell.dedicated)) == expected


def test_libvirts_own_capabilities_are_read() -> None:
    """What a real libvirt prints for its default test host reads as two cells."""
    text = libvirt.open("test:///default").getCapabilities()
    cells = read_cells(text, CpuSets())
    assert [(cell.id, cell.socket, len(cell.cpus)) for cell in cells] == [
        (0, 0, 8),
        (1, 1, 8),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "<capabilities><host/></capabilities>",
        "<capabilities/>",
        TEXT.replace("id='0'", "id='x'"),
    ],
)
def test_unusable_capabilities_are_a_value_error(text: str) -> None:
    """No cell is never read as an empty host."""
    with pytest.raises(ValueError, match=r"."):
        read_cells(text, CpuSets())
