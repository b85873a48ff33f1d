"""A PCI address: parse it, print it, order it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

_ADDRESS: Final = re.compile(
    r"(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-9a-f]{1,2})", re.ASCII
)
_NODE_DEVICE: Final = re.compile(
    r"pci_([0-9a-f]{4,8})_([0-9a-f]{2})_([0-9a-f]{2})_([0-9a-f]{1,2})", re.ASCII
)
_LARGEST_SLOT: Final = 0x1F


@dataclass(frozen=True, slots=True, order=True)
class PciAddress:
    """``domain:bus:slot.function``; the domain may have 32 bits (VMD, Hyper-V).

    Functions above 7 are accepted as ARI names them (up to 0xff).
    """

    domain: int
    bus: int
    slot: int
    function: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``[domain:]bus:slot.function`` in hex, or libvirt's ``pci_…`` name.

        Raises ValueError, with the text in its message.
        """
        low = text.strip().lower()
        match = _ADDRESS.fullmatch(low) or _NODE_DEVICE.fullmatch(low)
        if match is None:
            raise ValueError(f"{text!r} is not a PCI address like 0000:84:00.0")
        domain, bus, slot, function = (int(part or "0", 16) for part in match.groups())
        if slot > _LARGEST_SLOT:
            raise ValueError(f"{text!r}: a PCI slot is at most 1f")
        return cls(domain, bus, slot, function)

    def __str__(self) -> str:
        """Print it as the kernel does: ``0000:84:00.0``."""
        return f"{self.domain:04x}:{self.bus:02x}:{self.slot:02x}.{self.function:x}"

    @property
    def node_device(self) -> str:
        """Libvirt's name of the function: ``pci_0000_84_00_0``."""
        return f"pci_{self.domain:04x}_{self.bus:02x}_{self.slot:02x}_{self.function:x}"
