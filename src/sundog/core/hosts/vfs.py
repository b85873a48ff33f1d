"""Which VFs the whitelist wants enabled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.core.devices.device import DeviceKind
from sundog.core.devices.device_spec import first_match

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sundog.core.devices.device import PciFunction
    from sundog.core.devices.device_spec import DeviceSpec
    from sundog.core.devices.pci_address import PciAddress

# The driver of a function that a guest has, or is about to have.
_LENT: Final = "vfio-pci"


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


def vfs_missing(
    functions: Collection[PciFunction],
    specs: Sequence[DeviceSpec],
    held: Collection[PciAddress],
) -> dict[PciAddress, int]:
    """Map each PF that has no VFs, but is to have some, to how many.

    One that is ``held``, or that a guest of others may have, is left alone.
    """
    parents = {function.parent for function in functions}
    lent = {each.address for each in functions if each.driver == _LENT}
    return {
        address: count
        for address, count in vfs_wanted(functions, specs).items()
        if count > 0 and address not in parents and address not in lent | {*held}
    }
