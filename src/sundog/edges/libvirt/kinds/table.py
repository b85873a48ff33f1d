"""Which file serves which kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.core.devices.device import DeviceKind
from sundog.edges.libvirt.kinds.mdev import MediatedDevice
from sundog.edges.libvirt.kinds.pci_function import WholeFunction
from sundog.edges.libvirt.kinds.vgpu import VendorVgpu
from sundog.edges.libvirt.kinds.virtual_function import VirtualFunction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.edges.libvirt.kinds.kind import Kind

KINDS: Final[Mapping[DeviceKind, Kind]] = {
    DeviceKind.PCI: WholeFunction(),
    DeviceKind.PF: WholeFunction(),
    DeviceKind.VF: VirtualFunction(),
    DeviceKind.MDEV: MediatedDevice(),
    DeviceKind.VGPU: VendorVgpu(),
}


def kind_of(kind: DeviceKind) -> Kind:
    """Return what serves a kind."""
    return KINDS[kind]
