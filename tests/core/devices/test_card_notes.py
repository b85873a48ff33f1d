"""What cards show of how they make types, card by card."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sundog.core.devices.card_notes import CardNotes, NotedType, modes_shown
from sundog.core.devices.device import DeviceKind, Mdev, MdevType, PciFunction
from sundog.core.devices.pci_address import PciAddress

T4 = PciFunction(
    address=PciAddress(0, 0x17, 0, 0),
    vendor_id="10de",
    product_id="1eb8",
    kind=DeviceKind.PCI,
    mdev_types=(
        MdevType(id="a", available=3, total=4),
        MdevType(id="b", available=0, total=2),
    ),
)


def on(function: PciFunction, type_id: str = "a") -> Mdev:
    return Mdev(uuid=UUID(int=1), type_id=type_id, parent=function.address)


def test_each_card_shows_for_itself() -> None:
    """A VF counts for its PF's card; an empty card, and one without types, do not."""
    other = replace(T4, address=PciAddress(0, 0x65, 0, 0))
    pf = PciAddress(0, 0xB1, 0, 0)
    vfs = [
        replace(
            T4,
            address=replace(pf, function=4 + number),
            kind=DeviceKind.VF,
            parent=pf,
            mdev_types=tuple(replace(kind, available=1) for kind in T4.mdev_types),
        )
        for number in range(2)
    ]
    plain = replace(T4, address=PciAddress(0, 0x3B, 0, 0), mdev_types=())
    functions = [T4, other, *vfs, plain]
    assert modes_shown(functions, [on(T4), on(vfs[0])]) == {
        T4.address: True,
        pf: False,
    }
    assert modes_shown(functions, []) == {}
    full = replace(T4, mdev_types=(MdevType(id="a", total=1),))
    assert modes_shown([full], [on(full)]) == {}


def test_noted_types_may_not_be_made_by_the_notes_alone() -> None:
    notes = CardNotes(
        host="h",
        address=str(T4.address),
        types=(NotedType(id="1", name="L4-1Q", size_mb=1024),),
    )
    assert notes.known == (MdevType(id="1", name="L4-1Q", size_mb=1024),)
