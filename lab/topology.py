"""What the lab host is made of: cells, and the PCI functions on each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Model(Enum):
    """A device model of QEMU's, and what it stands for here."""

    CARD = "edu"
    SRIOV_CARD = "nvme"
    NIC = "igb"
    PLAIN = "pci-testdev"


# How Linux names each model: vendor and product.
IDS: Final = {
    Model.CARD: ("1234", "11e8"),
    Model.SRIOV_CARD: ("1b36", "0010"),
    Model.NIC: ("8086", "10c9"),
    Model.PLAIN: ("1b36", "0005"),
}
# The VFs that a function can have, and their product.
VFS: Final = {Model.SRIOV_CARD: (4, "0010"), Model.NIC: (7, "10ca")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A NUMA node; its PCI functions each sit alone on a bus, in this order."""

    id: int
    socket: int
    cpus: tuple[int, ...]
    memory_mb: int
    huge_pages: int
    functions: tuple[Model, ...]

    @property
    def bus(self) -> int:
        """Return the number of the expander bus that the functions are behind."""
        return 0x20 * (self.id + 1)


LAB: Final = (
    Cell(
        id=0,
        socket=0,
        cpus=(0, 1),
        memory_mb=1280,
        huge_pages=96,
        functions=(Model.CARD, Model.NIC, Model.PLAIN),
    ),
    Cell(
        id=1,
        socket=0,
        cpus=(2, 3),
        memory_mb=1024,
        huge_pages=96,
        functions=(Model.CARD, Model.PLAIN),
    ),
    Cell(
        id=2,
        socket=1,
        cpus=(4, 5),
        memory_mb=1024,
        huge_pages=96,
        functions=(Model.CARD, Model.NIC),
    ),
    Cell(
        id=3,
        socket=1,
        cpus=(6, 7),
        memory_mb=1024,
        huge_pages=96,
        functions=(Model.SRIOV_CARD,),
    ),
)
# The card that takes one type at a time is this cell's.
ONE_TYPE_CELL: Final = 1

_HERE: Final = 10
_SAME_SOCKET: Final = 12
_OTHER_SOCKET: Final = 21


def distance(one: Cell, other: Cell) -> int:
    """Return how far two cells are apart, as ACPI's SLIT says it."""
    if one is other:
        return _HERE
    return _SAME_SOCKET if one.socket == other.socket else _OTHER_SOCKET
