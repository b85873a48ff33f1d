"""Faults on demand, and when they strike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sundog.core.devices.pci_address import PciAddress
    from sundog.edges.simulation.host_model import Fault, FaultKind


class FaultBook:
    """The faults that are asked for, and how often each still strikes.

    It holds no lock: the kernel that owns it does.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Begin with ``faults`` and no scan."""
        self._faults = list(faults)
        self._scans = 0

    def ask(self, fault: Fault) -> None:
        """Add a fault; its ``after_scans`` counts from now."""
        if fault.after_scans:
            fault = replace(fault, after_scans=fault.after_scans + self._scans)
        self._faults.append(fault)

    def clear(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def count_scan(self) -> None:
        """Note that the whole host was read once."""
        self._scans += 1

    def is_on(self, kind: FaultKind, card: PciAddress) -> bool:
        """Whether a fault holds now; asking does not use it up."""
        return self._find(kind, card) is not None

    def strike(self, kind: FaultKind, card: PciAddress) -> bool:
        """Whether a fault holds now; if it does, it has struck once more."""
        at = self._find(kind, card)
        if at is None:
            return False
        fault = self._faults[at]
        if fault.times is not None:
            if fault.times <= 1:
                del self._faults[at]
            else:
                self._faults[at] = replace(fault, times=fault.times - 1)
        return True

    def _find(self, kind: FaultKind, card: PciAddress) -> int | None:
        for at, fault in enumerate(self._faults):
            if (fault.kind, fault.card) == (kind, card) and (
                fault.after_scans < self._scans or not fault.after_scans
            ):
                return at
        return None
