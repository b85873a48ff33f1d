"""A real host's kernel: what may not be written goes by libvirt, what fails is told."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from lxml import etree
from tests.edges.sysfs.tree import Tree

from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import UnavailableError
from sundog.edges.libvirt.live.device_watch import DeviceWatch
from sundog.edges.libvirt.live.kernel import LibvirtKernel
from sundog.edges.libvirt.live.lasting_connection import LastingConnection
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host
from sundog.edges.sysfs.device_files import DeviceFiles

if TYPE_CHECKING:
    from pathlib import Path

GPU = PciAddress.parse("0000:17:00.0")
ONE = UUID(int=1)


class _Closed(DeviceFiles):
    """Files that this process may not write."""

    number = errno.EACCES

    def create_mdev(self, parent: PciAddress, type_id: str, uuid: UUID) -> None:
        raise OSError(self.number, f"{parent} {type_id} {uuid}")

    def remove_mdev(self, uuid: UUID) -> None:
        raise OSError(self.number, str(uuid))


class _Orders(LastingConnection):
    """A connection that keeps orders which libvirt's test driver would refuse."""

    orders: tuple[str, ...] = ()

    def nodeDeviceCreateXML(self, text: str) -> None:  # noqa: N802  libvirt's name
        self.orders = (*self.orders, text)


@pytest.fixture
def files(tmp_path: Path) -> _Closed:
    """Close the files of a host with one card."""
    tree = Tree(tmp_path / "root")
    tree.function(GPU)
    return _Closed(tree.root)


@pytest.fixture
def connection(tmp_path: Path) -> _Orders:
    """Open libvirt's test driver with that card's devices."""
    kernel = SimulatedKernel(read_host_file(shipped_host("small")))
    return _Orders(write_test_host(kernel, tmp_path))


def kernel(connection: LastingConnection, files: DeviceFiles) -> LibvirtKernel:
    return LibvirtKernel(connection, files, DeviceWatch(0.0))


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_libvirt_makes_the_mdevs_where_we_may_not_write(
    connection: _Orders, files: _Closed, number: int
) -> None:
    """Under the same name, of the same type, on the same parent."""
    files.number = number
    kernel(connection, files).create_mdev(GPU, "nvidia-230", ONE)
    (order,) = connection.orders
    root = etree.fromstring(order)
    assert root.findtext("parent") == "pci_0000_17_00_0"
    assert root.find("capability/type").get("id") == "nvidia-230"
    assert root.findtext("capability/uuid") == str(ONE)


def test_libvirt_removes_them_there_too(connection: _Orders, files: _Closed) -> None:
    """One that it does not know is not there."""
    with pytest.raises(OSError, check=lambda error: error.errno == errno.ENOENT):
        kernel(connection, files).remove_mdev(ONE)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EBUSY])
def test_the_kernels_own_refusal_is_not_gone_round(
    connection: _Orders, files: _Closed, number: int
) -> None:
    """Libvirt would be refused in the same way, and told less clearly."""
    files.number = number
    found = kernel(connection, files)
    with pytest.raises(OSError, check=lambda error: error.errno == number):
        found.create_mdev(GPU, "nvidia-230", ONE)
    with pytest.raises(OSError, check=lambda error: error.errno == number):
        found.remove_mdev(ONE)
    assert connection.orders == ()


def test_a_daemon_that_is_away_refuses_nothing(files: _Closed) -> None:
    """Libvirt's word is told; what the kernel's files tell is told without it."""
    away = LastingConnection("qemu+unix:///system?socket=/nonexistent/libvirt-sock")
    found = kernel(away, files)
    for call in (
        found.capabilities,
        found.node_devices,
        lambda: found.node_device(GPU.node_device),
        lambda: found.create_mdev(GPU, "nvidia-230", ONE),
    ):
        with pytest.raises(UnavailableError, match=r"libvirt at .*nonexistent"):
            call()
    assert found.boot_id()
    assert found.node_device("pci_0000_01_00_0") is None


def test_what_libvirt_does_not_know_yet_is_not_gone(tmp_path: Path) -> None:
    """The kernel has it: neither its claim nor its mdev may be given up for that."""
    tree = Tree(tmp_path / "root")
    late = PciAddress.parse("0000:99:00.0")
    tree.function(late)
    small = SimulatedKernel(read_host_file(shipped_host("small")))
    found = kernel(_Orders(write_test_host(small, tmp_path)), DeviceFiles(tree.root))
    with pytest.raises(UnavailableError, match="know of pci_0000_99_00_0 yet"):
        found.node_device(late.node_device)
