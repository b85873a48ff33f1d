"""The lab host's parts are where the topology has them."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from lab.machine import arguments
from lab.places import Built, Place
from lab.topology import LAB, Cell, distance

WORDS = arguments(Built(Path("built")), Place(Path("own")), 4711)
DEVICES = [word for option, word in pairwise(WORDS) if option == "-device"]


@pytest.mark.parametrize("cell", LAB, ids=lambda cell: f"cell {cell.id}")
def test_each_function_is_alone_behind_a_port_of_its_cell(cell: Cell) -> None:
    """A port takes one function; the expander bus of the ports has the cell."""
    [expander] = [each for each in DEVICES if f"pxb-pcie,id=cell{cell.id}," in each]
    assert f"numa_node={cell.id}" in expander
    ports = [each for each in DEVICES if f"bus=cell{cell.id}," in each]
    assert len(ports) == len(cell.functions)
    for port, model in zip(ports, cell.functions, strict=True):
        found = re.search("id=(port[0-9]+)", port)
        assert found
        [behind] = [each for each in DEVICES if f"bus={found[1]}" in each.split(",")]
        assert behind.startswith(model.value)


def test_nothing_else_is_behind_an_expander_bus() -> None:
    """QEMU puts a device without a bus there."""
    bare = [each for each in DEVICES if "bus=" not in each]
    assert all(
        each.startswith(("intel-iommu", "nvme-subsys", "virtserialport", "virtconsole"))
        for each in bare
    ), bare


def test_every_cell_has_cpus_memory_and_a_distance_to_each_other() -> None:
    """The cells of a socket are nearer than those of the other."""
    numa = [word for option, word in pairwise(WORDS) if option == "-numa"]
    assert sum(word.startswith("node,") for word in numa) == len(LAB)
    assert sum(word.startswith("dist,") for word in numa) == len(LAB) ** 2
    first, same, other, _ = LAB
    assert distance(first, first) < distance(first, same) < distance(first, other)


def test_its_port_is_on_the_loopback_address_only() -> None:
    """Nothing outside this machine reaches the lab host."""
    [front] = [word for word in WORDS if "hostfwd" in word]
    assert "hostfwd=tcp:127.0.0.1:4711-" in front
