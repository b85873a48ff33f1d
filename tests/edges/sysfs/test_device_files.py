"""Devices are read from the kernel's files, and written as the kernel takes it."""

from __future__ import annotations

import errno
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from tests.edges.sysfs.tree import BOOT_ID, BOOTED, Tree, write

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.sysfs.device_files import DeviceFiles

if TYPE_CHECKING:
    from pathlib import Path

GPU = PciAddress.parse("0000:17:00.0")
NIC = PciAddress.parse("10000:3b:00.1")
ONE = UUID(int=1)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Lay out a card that makes mdevs, and a NIC in a wide domain."""
    tree = Tree(tmp_path)
    tree.function(GPU, "nvidia")
    tree.type(GPU, "nvidia-230", 16, "framebuffer=1024M, max_instance=16")
    tree.type(GPU, "nvidia-231", 8)
    write(tree.function(NIC) / "sriov_numvfs", "0")
    tree.folder("not-an-address").mkdir()
    return tree


@pytest.fixture
def files(tree: Tree) -> DeviceFiles:
    """Read that host."""
    return DeviceFiles(tree.root)


def refused(number: int) -> pytest.RaisesExc[OSError]:
    return pytest.raises(OSError, check=lambda error: error.errno == number)


def test_functions_are_those_on_the_bus(files: DeviceFiles) -> None:
    """What has no address of a function is passed over."""
    assert files.functions().keys() == {GPU, NIC}
    assert files.is_there(GPU)
    assert not files.is_there(PciAddress.parse("0000:18:00.0"))


def test_a_stamp_changes_with_driver_counts_and_identity(
    tree: Tree, files: DeviceFiles
) -> None:
    """It stays while nothing does, so that a reading is kept as long as it holds."""
    stamps = [files.functions()[GPU]]
    assert files.functions()[GPU] == stamps[0]
    tree.function(GPU, "vfio-pci")
    stamps.append(files.functions()[GPU])
    tree.type(GPU, "nvidia-230", 15)
    stamps.append(files.functions()[GPU])
    (tree.folder(GPU) / "mdev_supported_types/nvidia-231/available_instances").unlink()
    stamps.append(files.functions()[GPU])
    # Another folder under the same name is another device.
    copy = tree.root / "copy"
    shutil.copytree(tree.folder(GPU), copy, symlinks=True)
    shutil.rmtree(tree.folder(GPU))
    copy.rename(tree.folder(GPU))
    stamps.append(files.functions()[GPU])
    assert len(set(stamps)) == len(stamps)


def test_a_host_without_a_pci_bus_is_an_error(tmp_path: Path) -> None:
    """Unknown is not none; without an mdev bus there are no mdevs."""
    files = DeviceFiles(tmp_path)
    assert files.mdevs() == frozenset()
    assert files.booted() is None
    for call in (files.functions, files.boot_id):
        with refused(errno.ENOENT):
            call()


def test_mdevs_and_the_boot_are_read(tree: Tree, files: DeviceFiles) -> None:
    tree.mdev(ONE)
    assert files.mdevs() == {ONE}
    assert files.is_there(ONE)
    assert files.boot_id() == BOOT_ID
    assert files.booted() == datetime.fromtimestamp(BOOTED, UTC)
    assert files.type_description(GPU, "nvidia-230").startswith("framebuffer=1024M")
    assert files.type_description(GPU, "nvidia-231") == ""


def test_the_boot_of_a_host_with_many_cpus_is_read(
    tree: Tree, files: DeviceFiles
) -> None:
    """Their lines stand before it, and are more than a page."""
    cpus = "".join(f"cpu{number} 10 20 30 40 0 0 0\n" for number in range(256))
    write(tree.root / "proc/stat", f"cpu 1 2\n{cpus}btime {BOOTED}\nprocesses 7")
    assert files.booted() == datetime.fromtimestamp(BOOTED, UTC)


def test_writes_go_where_the_kernel_takes_them(tree: Tree, files: DeviceFiles) -> None:
    """An mdev's name to its type, 1 to its removal, a number to the PF."""
    files.create_mdev(GPU, "nvidia-230", ONE)
    create = tree.folder(GPU) / "mdev_supported_types/nvidia-230/create"
    assert create.read_text() == str(ONE)
    remove = tree.mdev(ONE) / "remove"
    files.remove_mdev(ONE)
    assert remove.read_text() == "1"
    files.set_vfs(NIC, 4)
    assert (tree.folder(NIC) / "sriov_numvfs").read_text() == "4\n"


def test_what_is_not_there_is_enoent(files: DeviceFiles) -> None:
    """No file is made where the kernel has none."""
    with refused(errno.ENOENT):
        files.create_mdev(GPU, "nvidia-999", ONE)
    with refused(errno.ENOENT):
        files.remove_mdev(ONE)
    with refused(errno.ENOENT):
        files.set_vfs(GPU, 1)


def test_fewer_vfs_than_ordered_are_an_error(tree: Tree, files: DeviceFiles) -> None:
    """A write that the kernel takes and does not obey is found by reading back."""
    numvfs = tree.folder(NIC) / "sriov_numvfs"
    numvfs.unlink()
    numvfs.symlink_to("/dev/null")
    with pytest.raises(OSError, match="VFs came, not 4"):
        files.set_vfs(NIC, 4)


def test_a_vendors_vgpu_folder_is_read_and_written(
    tree: Tree, files: DeviceFiles
) -> None:
    """A function without one has none; one that is half there is an error."""
    assert files.vgpu_files(NIC) is None
    folder = tree.folder(NIC) / "nvidia"
    write(folder / "current_vgpu_type", "0")
    with refused(errno.ENOENT):
        files.vgpu_files(NIC)
    write(folder / "creatable_vgpu_types", "557 : NVIDIA L40-1Q")
    assert files.vgpu_files(NIC) == ("0", "557 : NVIDIA L40-1Q")
    files.set_vgpu_type(NIC, "557")
    assert files.vgpu_files(NIC) == ("557", "557 : NVIDIA L40-1Q")
