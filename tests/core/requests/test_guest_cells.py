"""A guest's cells cover it exactly, or the flavor is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.core.requests.asking import FLAVOR, ask, cells, refused

from sundog.core.errors import BadRequestError, ForbiddenError


def test_cells_share_evenly() -> None:
    """Consecutive vCPUs, and the same memory for each."""
    request = ask({"hw:numa_nodes": "2"})
    assert cells(request) == [({0, 1}, set(), 2048), ({2, 3}, set(), 2048)]
    assert ask({}, {"hw_numa_nodes": "2"}).cells == request.cells


def test_cells_may_be_told_one_by_one() -> None:
    """From the flavor or from the image."""
    flavor = {
        "hw:numa_nodes": "2",
        "hw:numa_cpus.0": "0-3,^2",
        "hw:numa_cpus.1": "2",
        "hw:numa_mem.0": "1024",
        "hw:numa_mem.1": "3072",
    }
    none: set[int] = set()
    told = [({0, 1, 3}, none, 1024), ({2}, none, 3072)]
    assert cells(ask(flavor)) == told
    image = {key.replace("hw:", "hw_"): value for key, value in flavor.items()}
    assert cells(ask({}, image)) == told


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"hw:numa_nodes": "3"}, "is set for the cells [0, 1]"),
        ({"hw:numa_nodes": "1"}, "is set for the cells [0, 1]"),
        ({"hw:numa_mem.2": "1"}, "is set for the cells [0, 1, 2]"),
        ({"hw:numa_cpus.1": "2-4"}, "has vCPU 4, but the flavor has the vCPUs 0 to 3"),
        ({"hw:numa_cpus.1": "1-3"}, "has vCPU 1, which another cell has too"),
        ({"hw:numa_cpus.1": "3"}, "leaves out vCPU 2"),
        ({"hw:numa_cpus.1": "3,^3"}, "is empty"),
        ({"hw:numa_mem.1": "2049"}, "adds up to 4097 MiB"),
    ],
)
def test_cells_must_cover_the_flavor_exactly(
    changed: dict[str, str], reason: str
) -> None:
    """Each vCPU in one cell, all memory, every cell told."""
    specs = {
        "hw:numa_nodes": "2",
        "hw:numa_cpus.0": "0-1",
        "hw:numa_cpus.1": "2-3",
        "hw:numa_mem.0": "2048",
        "hw:numa_mem.1": "2048",
    }
    assert ask(specs).cells
    assert reason in refused(specs | changed)


def test_cells_that_do_not_divide_evenly_are_refused() -> None:
    """The way out is to tell each cell."""
    assert "does not divide 4 vCPUs" in refused({"hw:numa_nodes": "3"})
    odd = replace(FLAVOR, memory_mb=4095)
    with pytest.raises(BadRequestError, match="4095 MiB evenly"):
        ask({"hw:numa_nodes": "2"}, flavor=odd)


def test_cells_told_need_their_number() -> None:
    """Unless something else makes a cell."""
    one = {"hw:numa_cpus.0": "0-3", "hw:numa_mem.0": "4096"}
    assert "need hw:numa_nodes" in refused(one)
    assert len(ask(one | {"hw:cpu_policy": "dedicated"}).cells) == 1


@pytest.mark.parametrize("name", ["numa_nodes", "numa_cpus.0", "numa_mem.0"])
def test_flavor_and_image_cannot_both_set_cells(name: str) -> None:
    """403, as in Nova, even if they agree."""
    with pytest.raises(ForbiddenError, match=f"hw_{name}"):
        ask({f"hw:{name}": "1"}, {f"hw_{name}": "1"})


def test_huge_guests_take_no_time_or_memory() -> None:
    """They are refused before anything is allocated."""
    huge = replace(FLAVOR, vcpus=2**31 - 1, memory_mb=2**31 - 1)
    for specs in (
        {"hw:numa_nodes": "1"},
        {"hw:cpu_policy": "dedicated"},
        {"hw:cpu_policy": "mixed", "hw:cpu_dedicated_mask": "^0"},
    ):
        with pytest.raises(BadRequestError, match="use at most 4096 vCPUs"):
            ask(specs, flavor=huge)
    assert ask({}, flavor=huge).vcpus == 2**31 - 1
