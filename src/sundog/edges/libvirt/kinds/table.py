"""Which file serves which kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.core.devices.device import DeviceKind
from sundog.core.errors import HostRefusedError
from sundog.edges.libvirt.kinds.mdev import MediatedDevice
from sundog.edges.libvirt.kinds.pci_function import WholeFunction
from sundog.edges.libvirt.kinds.virtual_function import VirtualFunction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.edges.libvirt.kinds.kind import Kind

KINDS: Final[Mapping[DeviceKind, Kind]] = {
    DeviceKind.PCI: WholeFunction(),
    DeviceKind.PF: WholeFunction(),
    DeviceKind.VF: VirtualFunction(),
    DeviceKind.MDEV: MediatedDevice(),
}


def kind_of(kind: DeviceKind) -> Kind:
    """Return what serves a kind; raises HostRefusedError for one not served yet."""
    try:
        return KINDS[kind]
    except KeyError:
        raise HostRefusedError(
            f"devices of {kind.value} cannot be given to guests by this host"
        ) from None
