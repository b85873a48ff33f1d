"""Mediated devices: made from a parent's type when claimed, removed when freed."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from sundog.core.choosing.assignment import mdev_uuid
from sundog.core.devices.device import Mdev
from sundog.core.errors import HostRefusedError
from sundog.edges.libvirt.kinds.kind import RELEASE_WAITS, Hostdev, Site
from sundog.edges.libvirt.node_devices import read_node_device

if TYPE_CHECKING:
    from uuid import UUID

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.guest_config import ConfigDevice

# Libvirt hears of a new device from udev, a moment after the kernel made it.
READ_BACK_WAITS: Final = (0.0, 0.02, 0.1, 0.4, 1.0)


class MediatedDevice:
    """An mdev under the name that its holder's slot gives it."""

    def hostdev(self, device: ConfigDevice) -> Hostdev:
        """Name the mdev; libvirt has no driver to change."""
        if device.mdev is None:
            raise HostRefusedError(f"{device.slot} of {device.address} has no mdev")
        return Hostdev(type="mdev", source=device.mdev, managed=False)

    def make_ready(self, site: Site, consumer: UUID, share: DeviceShare) -> None:
        """Make the mdev and read it back; one that is there already will do."""
        uuid = mdev_uuid(consumer, share.slot)
        function = site.function(share.address)
        existing = find_mdev(site, share.address, uuid)
        if existing is not None:
            _check_type(existing, share)
            return
        offered = {each.id: each.available for each in function.mdev_types}
        if offered.get(share.type_id, 0) < 1:
            raise HostRefusedError(
                f"{share.address} makes no more mdev of {share.type_id} now"
                if share.type_id in offered
                else f"{share.address} does not offer the mdev type {share.type_id}"
            )
        try:
            site.kernel.create_mdev(share.address, share.type_id, uuid)
        except OSError as error:
            raise HostRefusedError(
                f"{share.address} refused to make an mdev of {share.type_id}: "
                f"{error.strerror}"
            ) from error
        self._read_back(site, share, uuid)

    def free(self, site: Site, consumer: UUID, share: DeviceShare) -> None:
        """Remove the mdev and read back that it is gone; wait for a slow driver."""
        uuid = mdev_uuid(consumer, share.slot)
        if find_mdev(site, share.address, uuid) is None:
            return
        remove_mdev(site, uuid)
        for pause in READ_BACK_WAITS:
            site.wait(pause)
            if find_mdev(site, share.address, uuid) is None:
                return
        raise HostRefusedError(f"the mdev {uuid} is still there after its removal")

    def _read_back(self, site: Site, share: DeviceShare, uuid: UUID) -> None:
        for pause in READ_BACK_WAITS:
            site.wait(pause)
            made = find_mdev(site, share.address, uuid)
            if made is not None and made.type_id == share.type_id:
                return
        remove_mdev(site, uuid)
        raise HostRefusedError(
            f"{share.address} took the order for an mdev of {share.type_id} but "
            "none is there"
        )


def find_mdev(site: Site, parent: PciAddress, uuid: UUID) -> Mdev | None:
    """Return an mdev of a parent if it exists now."""
    base = f"mdev_{uuid}".replace("-", "_")
    # Libvirt 7.8 added the parent to the name.
    for name in (f"{base}_{parent.node_device.removeprefix('pci_')}", base):
        document = site.kernel.node_device(name)
        found = read_node_device(document) if document else None
        if isinstance(found, Mdev) and found.uuid == uuid:
            return found
    return None


def remove_mdev(site: Site, uuid: UUID) -> None:
    """Remove an mdev of ours; gone already is fine, busy is waited for."""
    refusal = ""
    for pause in (*RELEASE_WAITS, 0.0):
        try:
            site.kernel.remove_mdev(uuid)
        except FileNotFoundError:
            return
        except OSError as error:
            refusal = error.strerror or str(error)
            if error.errno not in {errno.EBUSY, errno.EAGAIN}:
                break
            site.wait(pause)
        else:
            return
    raise HostRefusedError(f"the mdev {uuid} cannot be removed: {refusal}")


def _check_type(existing: Mdev, share: DeviceShare) -> None:
    if (existing.type_id, existing.parent) != (share.type_id, share.address):
        raise HostRefusedError(
            f"the mdev {existing.uuid} is there already, of {existing.type_id} on "
            f"{existing.parent} and not of {share.type_id} on {share.address}"
        )
