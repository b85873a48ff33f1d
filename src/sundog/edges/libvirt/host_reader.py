"""The port ``HostReader`` over a host's kernel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sundog.core.errors import UnavailableError
from sundog.core.hosts.host_snapshot import HostFacts
from sundog.edges.libvirt.capabilities_xml import CpuSets, read_cells
from sundog.edges.libvirt.node_devices import NodeDevices, read_node_devices
from sundog.edges.libvirt.vgpu_folder import with_vgpu

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sundog.core.hosts.host_snapshot import Cell
    from sundog.edges.libvirt.host_kernel import HostKernel


@dataclass(frozen=True, slots=True, kw_only=True)
class HostIdentity:
    """What the operator and libvirt say of a host, beside its topology.

    ``disk_gb`` is what guests may use; the versions count as libvirt does, and are
    those of a host that cannot tell others while it runs.
    """

    name: str
    uuid: UUID
    disk_gb: int = 0
    libvirt_version: int = 0
    qemu_version: int = 0
    cpu_sets: CpuSets = field(default_factory=CpuSets)


class LibvirtHostReader:
    """Reads a host; a device that cannot be read becomes a problem.

    A host that cannot be read at all raises UnavailableError: what it has is unknown,
    and an empty answer would take its inventory away.
    """

    def __init__(
        self,
        identity: HostIdentity,
        kernel: HostKernel,
        versions: Callable[[], tuple[int, int]] | None = None,
    ) -> None:
        """Read ``kernel``, and report it under ``identity``.

        ``versions`` asks for libvirt's and QEMU's, and raises UnavailableError: they
        are asked for at each scan, because both may be upgraded meanwhile.
        """
        self._identity = identity
        self._kernel = kernel
        self._versions = versions or (
            lambda: (identity.libvirt_version, identity.qemu_version)
        )
        self._cells_of: tuple[str, tuple[Cell, ...]] | None = None

    def scan(self) -> HostFacts:
        """Return what is there now."""
        libvirt_version, qemu_version = self._versions()
        cells, devices = self._cells(), self._devices()
        return HostFacts(
            name=self._identity.name,
            uuid=self._identity.uuid,
            cells=cells,
            functions=devices.functions,
            mdevs=devices.mdevs,
            disk_gb=self._identity.disk_gb,
            libvirt_version=libvirt_version,
            qemu_version=qemu_version,
            boot_id=self._kernel.boot_id(),
            booted=self._kernel.booted(),
            problems=devices.problems,
        )

    def _cells(self) -> tuple[Cell, ...]:
        try:
            document = self._kernel.capabilities()
            if self._cells_of is None or self._cells_of[0] != document:
                cells = read_cells(document, self._identity.cpu_sets)
                self._cells_of = (document, cells)
            return self._cells_of[1]
        except (ValueError, OSError, SyntaxError) as error:
            raise self._unreadable("cells", error) from error

    def _devices(self) -> NodeDevices:
        try:
            found = read_node_devices(
                self._kernel.node_devices(), self._kernel.type_description
            )
        except OSError as error:
            raise self._unreadable("devices", error) from error
        functions = tuple(with_vgpu(self._kernel, each) for each in found.functions)
        return replace(found, functions=functions)

    def _unreadable(self, what: str, error: Exception) -> UnavailableError:
        reason = " ".join(str(error).split())
        return UnavailableError(
            f"the {what} of host {self._identity.name} cannot be read: {reason}"
        )
