"""What the libvirt edge needs of a host: its readings and its device writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sundog.core.devices.pci_address import PciAddress


class HostKernel(Protocol):
    """A host's kernel, as libvirt prints it and as sysfs writes change it.

    Readings are libvirt's XML, and sysfs where libvirt knows nothing of it; writes
    raise OSError as the sysfs files do. All raise UnavailableError while libvirt's
    daemon is away.
    """

    def capabilities(self) -> str:
        """Return libvirt's capabilities XML."""
        ...

    def node_devices(self) -> Sequence[str]:
        """Return the node-device XML of PCI functions, net devices and mdevs."""
        ...

    def node_device(self, name: str) -> str | None:
        """Return one device's XML by libvirt's name, None when it is not there."""
        ...

    def type_description(self, parent: PciAddress, type_id: str) -> str:
        """Return ``mdev_supported_types/<type>/description``, empty when none."""
        ...

    def boot_id(self) -> str:
        """Return the id of the kernel's boot."""
        ...

    def booted(self) -> datetime | None:
        """Return when the kernel booted, to the second; None where nothing tells."""
        ...

    def create_mdev(self, parent: PciAddress, type_id: str, uuid: UUID) -> None:
        """Write ``uuid`` to the type's ``create``; raises OSError."""
        ...

    def remove_mdev(self, uuid: UUID) -> None:
        """Write 1 to the mdev's ``remove``; raises OSError."""
        ...

    def set_vfs(self, function: PciAddress, count: int) -> None:
        """Write ``sriov_numvfs``; raises OSError."""
        ...

    def vgpu_files(self, function: PciAddress) -> tuple[str, str] | None:
        """Read ``nvidia/current_vgpu_type`` and ``nvidia/creatable_vgpu_types``.

        None for a function without the folder; raises OSError for an unreadable one.
        """
        ...

    def set_vgpu_type(self, function: PciAddress, type_id: str) -> None:
        """Write ``nvidia/current_vgpu_type``, 0 for no type; raises OSError."""
        ...
