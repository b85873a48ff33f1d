"""A scan tells what is there, and why the rest cannot be read."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from tests.edges.libvirt.simulated import ALICE, open_world

from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import UnavailableError
from sundog.edges.libvirt.host_reader import HostIdentity, LibvirtHostReader
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.host_model import Fault, FaultKind
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host, shipped_hosts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CARD = PciAddress.parse("0000:17:00.0")


@pytest.mark.parametrize("name", shipped_hosts())
def test_what_the_kernel_prints_reads_back_to_what_it_holds(
    name: str, tmp_path: Path
) -> None:
    """Every function, mdev and cell of a shipped host survives XML and reader."""
    world = open_world(name, tmp_path)
    held = world.kernel.functions()
    maker = next(each for each in held if each.available)
    world.kernel.create_mdev(maker.address, maker.available[0][0], ALICE)
    held = tuple(sorted(world.kernel.functions(), key=lambda each: each.address))
    facts = world.reader.scan()
    assert facts.problems == ()
    assert [
        (
            each.address,
            each.iommu_group,
            each.driver,
            "".join(each.netdevs),
            tuple((kind.id, kind.available) for kind in each.mdev_types),
            each.numa_nodes,
        )
        for each in facts.functions
    ] == [
        (
            each.address,
            each.group,
            each.driver,
            each.netdev,
            each.available,
            frozenset() if each.card.node is None else frozenset({each.card.node}),
        )
        for each in held
    ]
    assert [each.uuid for each in facts.mdevs] == [ALICE]
    for cell, model in zip(facts.cells, world.kernel.host.cells, strict=True):
        assert (cell.id, cell.socket) == (model.id, model.socket)
        assert cell.cpus == model.cpus
        assert set(cell.siblings) == set(model.cores)
        pages = tuple((pool.size_kb, pool.total) for pool in cell.pages)
        assert pages == model.pages


def test_a_second_scan_sees_changes(tmp_path: Path) -> None:
    """What was read once is not what is told when the device has changed."""
    world = open_world("small", tmp_path)
    before = world.reader.scan()
    assert world.reader.scan() == before
    world.kernel.create_mdev(CARD, "nvidia-230", ALICE)
    after = world.reader.scan()
    assert after.functions != before.functions
    world.kernel.remove_mdev(ALICE)
    assert world.reader.scan() == before


def test_a_garbage_reading_stops_nobody_else(tmp_path: Path) -> None:
    """The card is unavailable with a reason, the others are as they were."""
    world = open_world("small", tmp_path)
    world.kernel.ask_fault(Fault(kind=FaultKind.GARBAGE, card=CARD))
    facts = world.reader.scan()
    bad, good = facts.functions
    assert bad.address == CARD
    assert bad.unavailable
    assert not good.unavailable
    assert [each.where for each in facts.problems] == [str(CARD)]


class _Deaf(SimulatedKernel):
    """A host whose libvirt goes away while it is asked."""

    to_what = ""

    def capabilities(self) -> str:
        if self.to_what == "cells":
            raise OSError(errno.ECONNREFUSED, "Connection refused")
        return super().capabilities()

    def node_devices(self) -> Sequence[str]:
        if self.to_what == "devices":
            raise OSError(errno.ECONNREFUSED, "Connection refused")
        return super().node_devices()


@pytest.mark.parametrize("what", ["cells", "devices"])
def test_a_host_that_cannot_be_read_is_not_taken_for_an_empty_one(what: str) -> None:
    """Its inventory would be taken away; the reason is told instead."""
    kernel = _Deaf(read_host_file(shipped_host("small")))
    kernel.to_what = what
    identity = HostIdentity(name="a", uuid=UUID(int=1))
    told = f"the {what} of host a cannot be read: .*Connection refused"
    with pytest.raises(UnavailableError, match=told):
        LibvirtHostReader(identity, kernel).scan()
