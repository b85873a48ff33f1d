"""A host's devices in sysfs: read, and written as the kernel's files take it.

Sources: Documentation/ABI/testing/sysfs-bus-pci and
Documentation/driver-api/vfio-mediated-device.rst of the kernel.
"""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sundog.core.devices.pci_address import PciAddress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# What a function's reading depends on; two that are equal stand for the same reading.
Stamp = tuple[int, str, tuple[tuple[str, str], ...]]
_PAGE: Final = 4096


class DeviceFiles:
    """The files of a host's PCI functions and mdevs below a root.

    Paths are strings, because a scan of hundreds of functions makes thousands.
    """

    def __init__(self, root: Path) -> None:
        """Read and write below ``root``, ``/`` on a real host."""
        self._pci = str(root / "sys/bus/pci/devices")
        self._mdevs = str(root / "sys/bus/mdev/devices")
        self._stat = str(root / "proc/stat")
        self._boot_id = str(root / "proc/sys/kernel/random/boot_id")

    # ------------------------------------------------------------------- readings

    def boot_id(self) -> str:
        """Return the id of the kernel's boot; raises OSError."""
        return _read(self._boot_id)

    def booted(self) -> datetime | None:
        """Return when the kernel booted, None where it does not tell."""
        try:
            words = _read(self._stat).split()
            second = int(words[words.index("btime") + 1])
        except (OSError, ValueError, IndexError):
            return None
        return datetime.fromtimestamp(second, UTC)

    def functions(self) -> Mapping[PciAddress, Stamp]:
        """Return every PCI function with what its reading depends on.

        That is the identity of its folder, its driver, and how many mdevs of each
        type it makes now. Raises OSError when the bus cannot be read at all.
        """
        found: dict[PciAddress, Stamp] = {}
        for name in os.listdir(self._pci):  # noqa: PTH208  see the class
            path = f"{self._pci}/{name}"
            try:
                stamp = (os.stat(path).st_ino, _driver(path), _available(path))  # noqa: PTH116  same
                found[PciAddress.parse(name)] = stamp
            except (OSError, ValueError):
                continue  # it went meanwhile
        return found

    def mdevs(self) -> frozenset[UUID]:
        """Return the mdevs that exist; none where the kernel has no mdev bus."""
        try:
            names = os.listdir(self._mdevs)  # noqa: PTH208  see the class
        except FileNotFoundError:
            return frozenset()
        return frozenset(UUID(name) for name in names)

    def is_there(self, place: PciAddress | UUID) -> bool:
        """Whether a PCI function or an mdev exists."""
        bus = self._pci if isinstance(place, PciAddress) else self._mdevs
        return os.path.exists(f"{bus}/{place}")  # noqa: PTH110  see the class

    def type_description(self, parent: PciAddress, type_id: str) -> str:
        """Return a type's ``description``, empty when there is none."""
        try:
            return _read(f"{self._types(parent)}/{type_id}/description")
        except OSError:
            return ""

    def vgpu_files(self, function: PciAddress) -> tuple[str, str] | None:
        """Read ``nvidia/current_vgpu_type`` and ``nvidia/creatable_vgpu_types``.

        None for a function without the folder; raises OSError for an unreadable one.
        """
        folder = f"{self._pci}/{function}/nvidia"
        if not os.path.exists(folder):  # noqa: PTH110  see the class
            return None
        return (
            _read(f"{folder}/current_vgpu_type"),
            _read(f"{folder}/creatable_vgpu_types"),
        )

    # --------------------------------------------------------------------- writes

    def create_mdev(self, parent: PciAddress, type_id: str, uuid: UUID) -> None:
        """Make an mdev; raises OSError as the kernel does."""
        _write(f"{self._types(parent)}/{type_id}/create", str(uuid))

    def remove_mdev(self, uuid: UUID) -> None:
        """Remove an mdev; raises OSError, FileNotFoundError when it is not there."""
        _write(f"{self._mdevs}/{uuid}/remove", "1")

    def set_vfs(self, function: PciAddress, count: int) -> None:
        """Write ``sriov_numvfs``; raises OSError, also when fewer came."""
        path = f"{self._pci}/{function}/sriov_numvfs"
        _write(path, str(count))
        if _read(path) != str(count):
            raise OSError(errno.EIO, f"{_read(path)} VFs came, not {count}")

    def set_vgpu_type(self, function: PciAddress, type_id: str) -> None:
        """Write ``nvidia/current_vgpu_type``, 0 for no type; raises OSError."""
        _write(f"{self._pci}/{function}/nvidia/current_vgpu_type", type_id)

    def _types(self, parent: PciAddress) -> str:
        return f"{self._pci}/{parent}/mdev_supported_types"


def _driver(path: str) -> str:
    try:
        return os.readlink(f"{path}/driver").rpartition("/")[2]  # noqa: PTH115  see the class
    except OSError:
        return ""


def _available(path: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(_counts(f"{path}/mdev_supported_types")))


def _counts(folder: str) -> Iterator[tuple[str, str]]:
    try:
        types = os.listdir(folder)  # noqa: PTH208  see the class
    except OSError:
        return
    for type_id in types:
        try:
            yield type_id, _read(f"{folder}/{type_id}/available_instances")
        except OSError:
            # A driver that cannot tell now is asked again through libvirt.
            yield type_id, ""


def _read(path: str) -> str:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # A file of sysfs is a page at most, /proc/stat of a large host is many.
        parts = iter(lambda: os.read(file, _PAGE), b"")
        return b"".join(parts).decode("utf-8", "replace").strip()
    finally:
        os.close(file)


def _write(path: str, text: str) -> None:
    # One write(2): the kernel takes each write as an order of its own.
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)
