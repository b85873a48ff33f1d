"""vGPUs of the vendor-VFIO kind: a type is set on a VF when claimed, and taken off.

The VF stays with the vendor's driver, so libvirt may not change it.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sundog.core.devices.device import DeviceKind
from sundog.core.errors import HostRefusedError
from sundog.edges.libvirt.kinds.kind import RELEASE_WAITS, Hostdev, Site
from sundog.edges.libvirt.kinds.virtual_function import VirtualFunction
from sundog.edges.libvirt.vgpu_folder import (
    NONE_SET,
    creatable,
    current,
    vgpu_files,
)

if TYPE_CHECKING:
    from uuid import UUID

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.guest_config import ConfigDevice
    from sundog.edges.libvirt.vgpu_folder import VgpuFiles

_BUSY: Final = frozenset({errno.EBUSY, errno.EAGAIN})


class VendorVgpu(VirtualFunction):
    """A VF with the type that its holder's share names."""

    found_as = DeviceKind.VF

    def hostdev(self, device: ConfigDevice) -> Hostdev:
        """Name the VF by its address; libvirt leaves its driver alone."""
        return Hostdev(type="pci", source=device.address, managed=False)

    def make_ready(self, site: Site, consumer: UUID, share: DeviceShare) -> None:
        """Set the type and read it back; a VF that has it already will do."""
        super().make_ready(site, consumer, share)
        files = _files(site, share.address)
        set_now = _current(share.address, files)
        if set_now == share.type_id:
            return
        if set_now:
            raise HostRefusedError(
                f"{share.address} is set to the vGPU type {set_now} by others"
            )
        if share.type_id not in _creatable(share.address, files):
            raise HostRefusedError(
                f"{share.address} cannot be the vGPU type {share.type_id} now, beside "
                f"what is set on {share.card}"
            )
        _set(site, share)

    def free(self, site: Site, consumer: UUID, share: DeviceShare) -> None:  # noqa: ARG002 - the kind's signature
        """Take the type off and read that back; one that others set is left alone."""
        files = _read(site, share.address)
        if files is None or _current(share.address, files) != share.type_id:
            return
        _take_off(site, share)
        files = _read(site, share.address)
        if files is not None and _current(share.address, files):
            raise HostRefusedError(
                f"{share.address} still is the vGPU type {share.type_id} after 0 was "
                "written"
            )


def _set(site: Site, share: DeviceShare) -> None:
    """Set the type where none was: whatever is there afterwards is our doing."""
    try:
        site.kernel.set_vgpu_type(share.address, share.type_id)
        is_now = _current(share.address, _files(site, share.address))
    except OSError as error:
        raise HostRefusedError(
            f"{share.address} refused the vGPU type {share.type_id}: {error.strerror}"
        ) from error
    if is_now == share.type_id:
        return
    if is_now:
        _take_off(site, share)
    raise HostRefusedError(
        f"{share.address} took the order for the vGPU type {share.type_id} but reads "
        f"{is_now or NONE_SET}"
    )


def _read(site: Site, function: PciAddress) -> VgpuFiles | None:
    try:
        return vgpu_files(site.kernel, function)
    except OSError as error:
        raise HostRefusedError(
            f"the vGPU types of {function} cannot be read: {error.strerror}"
        ) from error


def _files(site: Site, function: PciAddress) -> VgpuFiles:
    files = _read(site, function)
    if files is None:
        raise HostRefusedError(
            f"{function} has no vGPU types: the vendor's driver does not have it"
        )
    return files


def _current(function: PciAddress, files: VgpuFiles) -> str:
    try:
        return current(files)
    except ValueError as error:
        raise HostRefusedError(f"{function}: {error}") from error


def _creatable(function: PciAddress, files: VgpuFiles) -> frozenset[str]:
    try:
        return frozenset(creatable(files))
    except ValueError as error:
        raise HostRefusedError(f"{function}: {error}") from error


def _take_off(site: Site, share: DeviceShare) -> None:
    """Write 0; gone already is fine, busy is waited for."""
    refusal = ""
    for pause in (*RELEASE_WAITS, 0.0):
        try:
            site.kernel.set_vgpu_type(share.address, NONE_SET)
        except FileNotFoundError:
            return
        except OSError as error:
            refusal = error.strerror or str(error)
            if error.errno not in _BUSY:
                break
            site.wait(pause)
        else:
            return
    raise HostRefusedError(
        f"the vGPU type {share.type_id} cannot be taken off {share.address}: {refusal}"
    )
