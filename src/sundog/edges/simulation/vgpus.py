"""What the vGPUs of a card's VFs leave for each other, and how the driver prints it.

Source: NVIDIA's vGPU user guide on the vendor-specific VFIO framework, facts only.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sundog.core.devices.pci_address import PciAddress
    from sundog.edges.simulation.host_model import VgpuModel, VgpuTypeModel


class CardVgpus:
    """The vGPU types that are set on one card's VFs.

    ``mixed`` is the mode in which sizes may differ. The driver has it at run time
    only: it goes when VFs are enabled, and cannot be changed beside a vGPU.
    """

    def __init__(self, model: VgpuModel) -> None:
        """Begin as after a boot: no type is set."""
        self._model = model
        self.mixed = model.mixed_sizes
        self.types: dict[PciAddress, str] = {}

    def creatable(self, vf: PciAddress, *, mixed: bool) -> tuple[VgpuTypeModel, ...]:
        """Return what a VF may be set to now: nothing if it is set already."""
        if vf in self.types:
            return ()
        sizes = [self._size(each) for each in self.types.values()]
        left = self._model.memory_mb - sum(sizes)
        return tuple(
            kind
            for kind in self._model.types
            if kind.size_mb <= left and (mixed or not sizes or kind.size_mb in sizes)
        )

    def set_type(self, vf: PciAddress, type_id: str, *, mixed: bool) -> None:
        """Set a VF's type, 0 for none; raises OSError as the driver does."""
        if type_id == "0":
            self.types.pop(vf, None)
        elif type_id not in {kind.id for kind in self._model.types}:
            raise error(errno.EINVAL)
        elif vf in self.types:
            raise error(errno.EBUSY)
        elif type_id not in {kind.id for kind in self.creatable(vf, mixed=mixed)}:
            raise error(errno.EIO)
        else:
            self.types[vf] = type_id

    def _size(self, type_id: str) -> int:
        return next(each.size_mb for each in self._model.types if each.id == type_id)


def creatable_text(types: Sequence[VgpuTypeModel]) -> str:
    """Print ``creatable_vgpu_types``."""
    return "".join(_lines(types))


def _lines(types: Iterable[VgpuTypeModel]) -> Iterable[str]:
    yield "ID    : vGPU Name\n"
    for kind in types:
        yield f"{kind.id:<5} : {kind.name}\n"


def error(number: int) -> OSError:
    """Return the error of a number, in the system's words."""
    return OSError(number, os.strerror(number))
