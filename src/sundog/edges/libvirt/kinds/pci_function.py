"""Whole PCI functions and PFs: found, not made; libvirt changes their driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.devices.device import DeviceKind, PciFunction
from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import HostRefusedError
from sundog.edges.libvirt.kinds.kind import Hostdev, Site
from sundog.edges.libvirt.node_devices import read_node_device

if TYPE_CHECKING:
    from uuid import UUID

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.guest_config import ConfigDevice


class WholeFunction:
    """A function that a guest gets as it is.

    ``found_as`` is the kind that a scan must find it as; None: the share's own.
    """

    found_as: DeviceKind | None = None

    def hostdev(self, device: ConfigDevice) -> Hostdev:
        """Name the function by its address."""
        return Hostdev(type="pci", source=device.address, managed=device.managed)

    def make_ready(self, site: Site, consumer: UUID, share: DeviceShare) -> None:
        """Check that it is there, of the kind that was chosen, and nobody's."""
        function = site.function(share.address)
        wanted = self.found_as or share.kind
        if function.kind is not wanted:
            raise HostRefusedError(
                f"{share.address} was chosen as {wanted.value} but is "
                f"{function.kind.value} now"
            )
        self._check_holders(site, consumer, function)

    def free(self, site: Site, consumer: UUID, share: DeviceShare) -> None:
        """Nothing was made: libvirt gave it back when the guest stopped."""

    def _check_holders(self, site: Site, consumer: UUID, function: PciFunction) -> None:
        for source, holder in site.holders().items():
            if holder != consumer and _excludes(site, source, function):
                raise HostRefusedError(
                    f"{function.address} cannot be used: guest {holder} has {source}"
                )


def _excludes(site: Site, held: PciAddress | UUID, wanted: PciFunction) -> bool:
    """Whether what a guest has rules out a function: itself, its PF, or its VF."""
    if not isinstance(held, PciAddress):
        return False
    if held in {wanted.address, wanted.parent}:
        return True
    if wanted.kind is not DeviceKind.PF:
        return False
    document = site.kernel.node_device(held.node_device)
    found = read_node_device(document) if document else None
    return isinstance(found, PciFunction) and found.parent == wanted.address
