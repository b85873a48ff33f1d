"""A folder that looks like a kernel's sysfs and procfs, made of values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from sundog.core.devices.pci_address import PciAddress
    from sundog.edges.simulation.kernel import SimulatedKernel

BOOT_ID = "5f1c7e2a-3f0f-4f43-9d0c-5f8f0e1b8a55"
BOOTED = 1767225600


class Tree:
    """The folders and files below ``root``; links name what they stand for only."""

    def __init__(self, root: Path) -> None:
        """Make the buses and the boot's id."""
        self.root = root
        self._pci = root / "sys/bus/pci/devices"
        self._mdevs = root / "sys/bus/mdev/devices"
        self._pci.mkdir(parents=True)
        self._mdevs.mkdir(parents=True)
        write(root / "proc/sys/kernel/random/boot_id", BOOT_ID)
        write(root / "proc/stat", f"cpu 1 2\nbtime {BOOTED}\nprocesses 7\n")

    def folder(self, function: PciAddress | str) -> Path:
        """Return a function's folder."""
        return self._pci / str(function)

    def function(self, function: PciAddress | str, driver: str = "") -> Path:
        """Make a function, or bind another driver to it."""
        folder = self.folder(function)
        folder.mkdir(exist_ok=True)
        (folder / "driver").unlink(missing_ok=True)
        if driver:
            (folder / "driver").symlink_to(f"../../../bus/pci/drivers/{driver}")
        return folder

    def type(
        self, function: PciAddress | str, type_id: str, available: int, text: str = ""
    ) -> Path:
        """Make a type that a function makes mdevs of."""
        folder = self.folder(function) / "mdev_supported_types" / type_id
        write(folder / "available_instances", str(available))
        write(folder / "create", "")
        if text:
            write(folder / "description", text)
        return folder

    def mdev(self, uuid: UUID) -> Path:
        """Make an mdev."""
        folder = self._mdevs / str(uuid)
        write(folder / "remove", "")
        return folder


def write(path: Path, text: str) -> None:
    """Write a file as the kernel would show it, with the folders on the way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n" if text else "")


def tree_of(kernel: SimulatedKernel, root: Path) -> Tree:
    """Lay a simulated host's devices out as files."""
    tree = Tree(root)
    for function in kernel.functions():
        tree.function(function.address, function.driver)
        for type_id, available in function.available:
            text = kernel.type_description(function.address, type_id)
            tree.type(function.address, type_id, available, text)
        vgpu = kernel.vgpu_files(function.address)
        if vgpu is not None:
            folder = tree.folder(function.address) / "nvidia"
            write(folder / "current_vgpu_type", vgpu[0].strip())
            write(folder / "creatable_vgpu_types", vgpu[1].strip())
        if function.card.vfs is not None and function.vf_number is None:
            folder = tree.folder(function.address)
            write(folder / "sriov_numvfs", str(len(function.vfs)))
            write(folder / "sriov_totalvfs", str(function.card.vfs.count))
    for made in kernel.mdevs():
        tree.mdev(made.uuid)
    return tree
