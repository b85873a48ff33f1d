"""Functions that cannot be given away alone: the host uses another of their group.

The IOMMU isolates groups, not functions. VFIO gives a group away only when nothing of
it is bound to a driver of the host ("group not viable"; Documentation/driver-api/
vfio.rst of the kernel).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sundog.core.devices.device_spec import first_match

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.devices.device import PciFunction
    from sundog.core.devices.device_spec import DeviceSpec

# Drivers that leave a group viable: VFIO's own, none, and bridges' port driver.
_HARMLESS: Final = frozenset({"", "vfio-pci", "pci-stub", "pcieport"})


def isolated(
    functions: Sequence[PciFunction], specs: Sequence[DeviceSpec]
) -> tuple[PciFunction, ...]:
    """Return functions with the reason for those that the host keeps its hand on.

    Only whole functions that a rule offers are judged; others of the group that are
    offered whole, too, may go to the same guest.
    """
    by_address = {function.address: function for function in functions}
    whole = {
        function.address
        for function in functions
        if (
            spec := first_match(
                specs,
                function,
                by_address.get(function.parent) if function.parent else None,
            )
        )
        and not spec.offers_types
    }
    used: dict[int, list[PciFunction]] = defaultdict(list)
    for function in functions:
        if function.iommu_group is not None and function.driver not in _HARMLESS:
            used[function.iommu_group].append(function)

    def judged(function: PciFunction) -> PciFunction:
        if function.iommu_group is None or function.unavailable:
            return function
        mates = [
            mate
            for mate in used.get(function.iommu_group, ())
            if mate.address not in whole
        ]
        if function.address not in whole or not mates:
            return function
        mate = mates[0]
        reason = (
            f"IOMMU group {function.iommu_group} has {mate.address}, too, which the "
            f"host uses (driver {mate.driver}); unbind that, or offer it as well"
        )
        return replace(function, unavailable=reason)

    return tuple(judged(function) for function in functions)
