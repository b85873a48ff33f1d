"""What the simulated kernel prints is libvirt's language."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import libvirt
import pytest
from lxml import etree

from sundog.edges.libvirt.node_devices import read_node_devices
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host, shipped_hosts
from sundog.edges.simulation.test_driver import write_test_host

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = Path("/usr/share/libvirt/schemas")


@pytest.fixture(params=shipped_hosts())
def kernel(request: pytest.FixtureRequest) -> SimulatedKernel:
    """Boot each shipped host and make an mdev on it."""
    kernel = SimulatedKernel(read_host_file(shipped_host(request.param)))
    maker = next(each for each in kernel.functions() if each.available)
    kernel.create_mdev(maker.address, maker.available[0][0], UUID(int=7))
    return kernel


def test_libvirts_schema_accepts_every_device(kernel: SimulatedKernel) -> None:
    """Functions, VFs, network devices and mdevs are valid by nodedev.rng."""
    schema = etree.RelaxNG(etree.parse(SCHEMAS / "nodedev.rng"))
    for text in kernel.node_devices():
        schema.assertValid(etree.fromstring(text))


def test_real_libvirt_reads_and_prints_the_same_devices(
    kernel: SimulatedKernel, tmp_path: Path
) -> None:
    """Printed by us or printed again by libvirt, the reader sees the same host."""
    connection = libvirt.open(write_test_host(kernel, tmp_path))
    devices = connection.listAllDevices(0)
    theirs = read_node_devices(each.XMLDesc() for each in devices)
    # The test driver does not print drivers, and keeps network devices.
    ours = read_node_devices(_without_drivers(kernel))
    assert theirs.functions == ours.functions
    assert set(theirs.mdevs) == set(ours.mdevs)
    assert theirs.problems == ()
    connection.close()


def _without_drivers(kernel: SimulatedKernel) -> Iterator[str]:
    for text in kernel.node_devices():
        root = etree.fromstring(text)
        for driver in root.iterfind("driver"):
            root.remove(driver)
        yield etree.tostring(root, encoding="unicode")


def test_each_device_is_found_by_its_name(kernel: SimulatedKernel) -> None:
    """A single reading gives what the listing gives."""
    for text in kernel.node_devices():
        name = etree.fromstring(text).findtext("name")
        if not name.startswith("net_"):
            assert kernel.node_device(name) == text
    assert kernel.node_device("pci_0000_00_00_0") is None


def test_type_descriptions_tell_sizes(kernel: SimulatedKernel) -> None:
    """A type is described as NVIDIA does; an unknown one is not."""
    maker = next(each for each in kernel.functions() if each.available)
    mdev = maker.card.mdev
    assert mdev is not None
    for kind in mdev.types:
        text = kernel.type_description(maker.address, kind.id)
        assert f"framebuffer={kind.size_mb}M" in text
        assert f"max_instance={kind.instances}" in text
    assert kernel.type_description(maker.address, "x") == ""
