"""Which VFs the whitelist wants enabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.devices.device import DeviceKind
from sundog.core.devices.device_spec import first_match

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sundog.core.devices.device import PciFunction
    from sundog.core.devices.device_spec import DeviceSpec
    from sundog.core.devices.pci_address import PciAddress


def vfs_wanted(
    functions: Iterable[PciFunction], specs: Sequence[DeviceSpec]
) -> dict[PciAddress, int]:
    """Map each PF whose rule says ``sriov_numvfs`` to that number.

    No more than the PF can have (``sriov_totalvfs``).
    """
    wanted = {}
    for function in functions:
        if function.kind is DeviceKind.PF and not function.unavailable:
            spec = first_match(specs, function)
            if spec is not None and spec.sriov_numvfs is not None:
                wanted[function.address] = min(spec.sriov_numvfs, function.total_vfs)
    return wanted
