"""The port ``DeviceBench`` over a host's kernel."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sundog.edges.libvirt.kinds.table import kind_of
from sundog.edges.libvirt.node_devices import read_node_devices

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.pci_address import PciAddress
    from sundog.edges.libvirt.kinds.kind import Site


class LibvirtDeviceBench:
    """Makes devices of one host ready, and takes them back."""

    def __init__(self, site: Site) -> None:
        """Work on the devices of ``site``."""
        self._site = site

    def make_ready(self, consumer: UUID, share: DeviceShare) -> None:
        """Make one device ready; raises HostRefusedError and leaves nothing."""
        kind_of(share.kind).make_ready(self._site, consumer, share)

    def free(self, consumer: UUID, share: DeviceShare) -> None:
        """Give one device back; not there is fine."""
        kind_of(share.kind).free(self._site, consumer, share)

    def enable_vfs(self, wanted: Mapping[PciAddress, int]) -> Mapping[PciAddress, str]:
        """Enable VFs of PFs that have none, each read back.

        Every PF is tried; returns why not, by each PF that refused.
        """
        refusals = {
            address: self._set_vfs(address, count) for address, count in wanted.items()
        }
        came = self._vfs_by_parent()
        return {
            address: refusals[address] or f"{came[address]} of {count} came"
            for address, count in wanted.items()
            if refusals[address] or came[address] != count
        }

    def _set_vfs(self, address: PciAddress, count: int) -> str:
        """Order VFs; returns the refusal, empty when there was none."""
        try:
            self._site.kernel.set_vfs(address, count)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def _vfs_by_parent(self) -> Counter[PciAddress]:
        functions = read_node_devices(self._site.kernel.node_devices()).functions
        return Counter(each.parent for each in functions if each.parent is not None)
