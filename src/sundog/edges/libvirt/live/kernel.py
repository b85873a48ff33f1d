"""A real host's kernel: libvirt's daemon to read, the kernel's files to write."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

import libvirt
from lxml import etree
from lxml.builder import E

from sundog.core.errors import UnavailableError
from sundog.edges.libvirt.connection import is_away, one_line
from sundog.edges.libvirt.live.device_watch import DeviceWatch, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sundog.core.devices.pci_address import PciAddress
    from sundog.edges.libvirt.live.lasting_connection import LastingConnection

# What a process that may not write to sysfs is told.
_NOT_ALLOWED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class KernelFiles(Protocol):
    """What a kernel tells and takes in files of its own; all raise OSError."""

    def boot_id(self) -> str:
        """Return the id of the kernel's boot."""
        ...

    def booted(self) -> datetime | None:
        """Return when the kernel booted, None where nothing tells."""
        ...

    def functions(self) -> Mapping[PciAddress, object]:
        """Return the PCI functions, each with what changes when its reading does."""
        ...

    def mdevs(self) -> frozenset[UUID]:
        """Return the mdevs that exist."""
        ...

    def is_there(self, place: PciAddress | UUID) -> bool:
        """Whether a PCI function or an mdev exists."""
        ...

    def type_description(self, parent: PciAddress, type_id: str) -> str:
        """Return an mdev type's ``description``, empty when there is none."""
        ...

    def create_mdev(self, parent: PciAddress, type_id: str, uuid: UUID) -> None:
        """Write to a type's ``create``."""
        ...

    def remove_mdev(self, uuid: UUID) -> None:
        """Write to an mdev's ``remove``."""
        ...

    def set_vfs(self, function: PciAddress, count: int) -> None:
        """Write ``sriov_numvfs`` and read it back."""
        ...

    def vgpu_files(self, function: PciAddress) -> tuple[str, str] | None:
        """Read a VF's current vGPU type and those that it may be set to."""
        ...

    def set_vgpu_type(self, function: PciAddress, type_id: str) -> None:
        """Write a VF's vGPU type."""
        ...


class LibvirtKernel:
    """``HostKernel`` of the host that libvirt's daemon and we run on."""

    def __init__(
        self,
        connection: LastingConnection,
        files: KernelFiles,
        watch: DeviceWatch | None = None,
    ) -> None:
        """Read through ``connection`` and follow its events."""
        self._connection = connection
        self._files = files
        self._watch = watch or DeviceWatch()
        self._functions: Mapping[PciAddress, object] = {}
        self._descriptions: dict[tuple[PciAddress, str], tuple[object, str]] = {}
        connection.follow(self._watch.follow)

    def capabilities(self) -> str:
        """Return libvirt's capabilities XML."""
        with _as_os_error():
            text: str = self._connection.getCapabilities()
            return text

    def node_devices(self) -> Sequence[str]:
        """Return the node-device XML of PCI functions, net devices and mdevs."""
        with _as_os_error():
            self._functions = functions = self._files.functions()
            return self._watch.documents(
                self._connection, functions, self._files.mdevs()
            )

    def node_device(self, name: str) -> str | None:
        """Return one device's XML by libvirt's name, None when it is not there.

        The kernel says whether it is there: libvirt learns that a moment later. Raises
        UnavailableError when libvirt does not tell of what is there: it must not be
        taken for gone.
        """
        place = place_of(name)
        if place is None or not self._files.is_there(place):
            return None
        try:
            document = self._watch.find(self._connection, name)
        except libvirt.libvirtError as error:
            why = f"libvirt does not tell of {name}: {one_line(error)}"
            raise UnavailableError(why) from error
        if document is None and self._files.is_there(place):
            raise UnavailableError(f"libvirt does not know of {name} yet")
        return document

    def type_description(self, parent: PciAddress, type_id: str) -> str:
        """Return ``mdev_supported_types/<type>/description``, empty when none."""
        stamp = self._functions.get(parent)
        known, text = self._descriptions.get((parent, type_id), (None, ""))
        if known is None or known != stamp:
            text = self._files.type_description(parent, type_id)
            self._descriptions[parent, type_id] = (stamp, text)
        return text

    def boot_id(self) -> str:
        """Return the id of the kernel's boot."""
        return self._files.boot_id()

    def booted(self) -> datetime | None:
        """Return when the kernel booted, None where nothing tells."""
        return self._files.booted()

    def create_mdev(self, parent: PciAddress, type_id: str, uuid: UUID) -> None:
        """Make an mdev by sysfs; by libvirt where we may not write; raises OSError."""
        try:
            self._files.create_mdev(parent, type_id, uuid)
        except OSError as error:
            if error.errno not in _NOT_ALLOWED:
                raise
            with _as_os_error():
                order = _mdev_order(parent, type_id, uuid)
                self._connection.nodeDeviceCreateXML(order)

    def remove_mdev(self, uuid: UUID) -> None:
        """Remove an mdev by sysfs; by libvirt where we may not; raises OSError."""
        try:
            self._files.remove_mdev(uuid)
        except OSError as error:
            if error.errno not in _NOT_ALLOWED:
                raise
            with _as_os_error():
                self._watch.destroy_mdev(self._connection, uuid)

    def set_vfs(self, function: PciAddress, count: int) -> None:
        """Write ``sriov_numvfs``; raises OSError."""
        self._files.set_vfs(function, count)

    def vgpu_files(self, function: PciAddress) -> tuple[str, str] | None:
        """Read a VF's vendor folder, None when it has none; raises OSError."""
        return self._files.vgpu_files(function)

    def set_vgpu_type(self, function: PciAddress, type_id: str) -> None:
        """Write ``nvidia/current_vgpu_type``, 0 for no type; raises OSError."""
        self._files.set_vgpu_type(function, type_id)


def _mdev_order(parent: PciAddress, type_id: str, uuid: UUID) -> str:
    device = E.device(
        E.parent(parent.node_device),
        E.capability(E.type(id=type_id), E.uuid(str(uuid)), type="mdev"),
    )
    text: str = etree.tostring(device, encoding="unicode")
    return text


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Turn libvirt's errors into OSError with its word, as the protocol has it.

    A daemon that was lost meanwhile refuses nothing: it is away.
    """
    try:
        yield
    except libvirt.libvirtError as error:
        if is_away(error):
            raise UnavailableError(f"libvirt: {one_line(error)}") from error
        raise OSError(errno.EIO, f"libvirt: {one_line(error)}") from error
