"""The contract of a host's kernel, held by the simulated one and by a real one.

The real one reads libvirt's own test driver, which was given the simulated host's
devices, and a folder with the files that such a kernel would show.
"""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from tests.edges.sysfs.tree import tree_of

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.libvirt.host_reader import HostIdentity, LibvirtHostReader
from sundog.edges.libvirt.live.device_watch import DeviceWatch
from sundog.edges.libvirt.live.kernel import LibvirtKernel
from sundog.edges.libvirt.live.lasting_connection import LastingConnection
from sundog.edges.libvirt.node_devices import read_node_device
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host, shipped_hosts
from sundog.edges.simulation.test_driver import write_test_host
from sundog.edges.sysfs.device_files import DeviceFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sundog.edges.libvirt.host_kernel import HostKernel

CARD = PciAddress.parse("0000:17:00.0")
MISSING = PciAddress.parse("0000:01:00.0")
ONE, TWO = UUID(int=1), UUID(int=2)


def simulated(name: str) -> SimulatedKernel:
    """Boot a shipped host with an mdev on its first card that makes some."""
    kernel = SimulatedKernel(read_host_file(shipped_host(name)))
    maker = next(each for each in kernel.functions() if each.available)
    kernel.create_mdev(maker.address, maker.available[0][0], ONE)
    return kernel


class _WithCells(LibvirtKernel):
    """A kernel over the test driver, which tells no cells when it is given devices."""

    told = ""

    def capabilities(self) -> str:
        return self.told


def real(kernel: SimulatedKernel, folder: Path) -> LibvirtKernel:
    """Read the same host as a real one is read."""
    tree = tree_of(kernel, folder / "root")
    connection = LastingConnection(write_test_host(kernel, folder))
    found = _WithCells(connection, DeviceFiles(tree.root), DeviceWatch(0.0))
    found.told = kernel.capabilities()
    return found


@pytest.fixture(params=["simulated", "real"])
def kernel(request: pytest.FixtureRequest, tmp_path: Path) -> HostKernel:
    """Boot a small host."""
    model = simulated("small")
    return model if request.param == "simulated" else real(model, tmp_path)


@pytest.mark.parametrize("name", shipped_hosts())
def test_a_scan_of_both_tells_the_same(name: str, tmp_path: Path) -> None:
    """Functions, their types, groups, nodes and interfaces, and mdevs."""
    model = simulated(name)
    identity = HostIdentity(name=name, uuid=UUID(int=1))
    told = LibvirtHostReader(identity, model).scan()
    read = LibvirtHostReader(identity, real(model, tmp_path)).scan()
    # The test driver does not read which driver a function is bound to.
    assert read.functions == tuple(replace(f, driver="") for f in told.functions)
    assert read.mdevs == told.mdevs
    assert len(told.mdevs) == 1


def test_one_device_is_found_by_its_name(kernel: HostKernel) -> None:
    """A function, and an mdev with or without its parent in the name."""
    found = read_node_device(kernel.node_device(CARD.node_device) or "")
    assert getattr(found, "address", None) == CARD
    assert kernel.node_device(MISSING.node_device) is None
    assert kernel.node_device(f"mdev_{TWO}".replace("-", "_")) is None
    assert kernel.node_device("computer") is None
    listed = [read_node_device(text) for text in kernel.node_devices()]
    (mdev,) = [each for each in listed if getattr(each, "uuid", None) == ONE]
    name = f"mdev_{ONE}_0000:17:00.0"
    for sign in "-:.":
        name = name.replace(sign, "_")
    assert read_node_device(kernel.node_device(name) or "") == mdev


def test_a_type_is_described(kernel: HostKernel) -> None:
    """One that is not there has no words."""
    kernel.node_devices()
    for _ in range(2):
        assert "max_instance=16" in kernel.type_description(CARD, "nvidia-230")
        assert kernel.type_description(CARD, "nvidia-999") == ""
        assert kernel.type_description(MISSING, "nvidia-230") == ""


def test_a_boot_has_an_id(kernel: HostKernel) -> None:
    """It is a UUID and stays the same during a boot."""
    assert kernel.boot_id() == str(UUID(kernel.boot_id()))


def test_a_boot_has_a_time(kernel: HostKernel) -> None:
    """It is to the second and stays the same during a boot."""
    booted = kernel.booted()
    assert booted is not None
    assert booted == kernel.booted()
    assert booted.microsecond == 0
    assert datetime(2020, 1, 1, tzinfo=UTC) < booted <= datetime.now(UTC)


@pytest.mark.parametrize("kind", ["simulated", "real"])
def test_a_vfs_type_is_set_and_read(kind: str, tmp_path: Path) -> None:
    """A PF has no folder; what was written is what is read."""
    model = simulated("vgpu-17")
    kernel: HostKernel = model if kind == "simulated" else real(model, tmp_path)
    vf = replace(CARD, function=4)
    found = kernel.vgpu_files(vf)
    assert found is not None
    assert found[0].strip() == "0"
    assert "1152  : NVIDIA L40S-8Q" in found[1]
    kernel.set_vgpu_type(vf, "1152")
    after = kernel.vgpu_files(vf)
    assert after is not None
    assert after[0].strip() == "1152"
    assert kernel.vgpu_files(CARD) is None
    with pytest.raises(OSError, check=lambda error: error.errno == errno.ENOENT):
        kernel.set_vgpu_type(CARD, "1152")


def test_writes_to_what_is_not_there_are_enoent(kernel: HostKernel) -> None:
    """An unknown type, an unknown card, an unknown mdev, a card without VFs."""
    calls: list[Callable[[], None]] = [
        lambda: kernel.create_mdev(CARD, "nvidia-999", TWO),
        lambda: kernel.create_mdev(MISSING, "nvidia-230", TWO),
        lambda: kernel.remove_mdev(TWO),
        lambda: kernel.set_vfs(CARD, 1),
        lambda: kernel.set_vfs(MISSING, 1),
    ]
    for call in calls:
        with pytest.raises(OSError, check=lambda error: error.errno == errno.ENOENT):
            call()
