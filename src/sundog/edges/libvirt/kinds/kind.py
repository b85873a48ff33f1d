"""What every device kind answers, and what it works with."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

from sundog.core.devices.device import PciFunction
from sundog.core.errors import HostRefusedError
from sundog.edges.libvirt.node_devices import read_node_device

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from sundog.core.choosing.assignment import DeviceShare
    from sundog.core.devices.device import Source
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.guest_config import ConfigDevice
    from sundog.edges.libvirt.host_kernel import HostKernel

# A driver may need ten seconds to let go of a device after its guest stopped.
RELEASE_WAITS: Final = (0.1, 0.4, 1.0, 2.0, 4.0, 8.0)


def no_holders() -> Mapping[Source, UUID]:
    """Nobody holds anything: for a host without guests."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostdev:
    """A guest's ``<hostdev>``: a function's address, or an mdev's name."""

    type: Literal["pci", "mdev"]
    source: Source
    managed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The host that a device is made ready on.

    ``holders`` tells which running guest has which function or mdev. ``wait``
    sleeps for some seconds.
    """

    kernel: HostKernel
    holders: Callable[[], Mapping[Source, UUID]] = no_holders
    wait: Callable[[float], None] = time.sleep

    def function(self, address: PciAddress) -> PciFunction:
        """Read one function as it is now; raises HostRefusedError without it."""
        document = self.kernel.node_device(address.node_device)
        if document is None:
            raise HostRefusedError(f"{address} is not on the host any more")
        found = read_node_device(document)
        if not isinstance(found, PciFunction):
            raise HostRefusedError(f"{address} is no device that can be handed out")
        if found.unavailable:
            raise HostRefusedError(f"{address} is unavailable: {found.unavailable}")
        return found


class Kind(Protocol):
    """One kind of device."""

    def hostdev(self, device: ConfigDevice) -> Hostdev:
        """Say how the device is written in the guest's definition."""
        ...

    def make_ready(self, site: Site, consumer: UUID, share: DeviceShare) -> None:
        """Make it ready, or raise HostRefusedError and leave nothing behind."""
        ...

    def free(self, site: Site, consumer: UUID, share: DeviceShare) -> None:
        """Give it back; not there is fine."""
        ...
