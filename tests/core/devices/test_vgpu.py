"""What a card's VFs can be is known, however few of its types they list now."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement

from hypothesis import given
from hypothesis import strategies as st

from sundog.core.devices.capacity import card_budget, type_uses
from sundog.core.devices.device import DeviceKind, MdevType, PciFunction, VgpuPart
from sundog.core.devices.pci_address import PciAddress
from sundog.core.devices.vgpu import (
    learnt,
    set_vgpus,
    types_of_cards,
    vgpu_uuid,
    with_known_types,
)

CARD = PciAddress(0, 0x17, 0, 0)
EIGHT = MdevType(id="1152", name="L40S-8Q", available=1, size_mb=8)
WHOLE = MdevType(id="1156", name="L40S-48Q", available=1, size_mb=48)
ODD = MdevType(id="9", name="odd", available=1)


def vf(number: int, *types: MdevType, current: str = "") -> PciFunction:
    """Return a VF of the card that lists types."""
    return PciFunction(
        address=PciAddress(0, 0x17, 0, 4 + number),
        vendor_id="10de",
        product_id="26b9",
        kind=DeviceKind.VF,
        parent=CARD,
        vgpu=VgpuPart(current=current, types=types),
    )


PF = PciFunction(
    address=CARD, vendor_id="10de", product_id="26b9", kind=DeviceKind.PF, total_vfs=2
)


def test_a_vf_tells_every_type_of_its_card() -> None:
    """What its siblings list and it does not is none now; totals are by size."""
    pf, one, two = with_known_types([PF, vf(0, EIGHT, WHOLE), vf(1)])
    assert pf == PF
    assert [(t.id, t.available, t.total, t.card_mb) for t in one.types] == [
        ("1152", 1, 6, 48),
        ("1156", 1, 1, 48),
    ]
    assert [(t.id, t.available, t.total) for t in two.types] == [
        ("1152", 0, 6),
        ("1156", 0, 1),
    ]


def test_what_a_card_told_before_is_not_forgotten() -> None:
    """An 8 is set, so that no VF lists 48 any more; the set one has no name."""
    before = types_of_cards([vf(0, EIGHT, WHOLE), vf(1, EIGHT, WHOLE)])
    used = [vf(0, MdevType(id="1152"), current="1152"), vf(1, EIGHT)]
    for function in with_known_types(used, before):
        assert [(t.id, t.name, t.total) for t in function.types] == [
            ("1152", "L40S-8Q", 6),
            ("1156", "L40S-48Q", 1),
        ]
    # Without that the card is as large as what is set and what is listed.
    assert [t.card_mb for t in with_known_types(used)[1].types] == [16]


def test_what_is_learnt_stays_until_an_empty_card_lists_something_else() -> None:
    """A used card adds; so does one with a VF that cannot be read."""
    unread = replace(vf(1), vgpu=None, unavailable="no")
    for functions in ([vf(0, EIGHT, current="7")], [vf(0, EIGHT), unread]):
        (types,) = learnt(functions, {CARD: [WHOLE]}).values()
        assert [(t.id, t.available, t.total) for t in types] == [
            ("1152", 0, None),
            ("1156", 0, None),
        ]
    (types,) = learnt([vf(0, EIGHT)], {CARD: [WHOLE]}).values()
    assert [kind.id for kind in types] == ["1152"]
    nameless = vf(0, MdevType(id="7"), current="7")
    assert learnt([nameless], {}) == {CARD: ()}


def test_a_type_without_a_size_is_bounded_by_the_kernel_alone() -> None:
    """Nothing is made up."""
    (function,) = with_known_types([vf(0, ODD, EIGHT)])
    assert [(t.id, t.total, t.card_mb) for t in function.types] == [
        ("9", None, None),
        ("1152", 1, 8),
    ]
    assert with_known_types([vf(0)])[0].types == ()


def test_a_set_vgpu_is_known_by_its_vf_and_type() -> None:
    """Whoever set it; a VF that is handed out whole is left out."""
    functions = [vf(0, current="1152"), vf(1), PF, vf(2, current="1156")]
    first, second = set_vgpus(functions)
    assert (first.uuid, first.type_id, first.kind) == (
        vgpu_uuid(functions[0].address, "1152"),
        "1152",
        DeviceKind.VGPU,
    )
    assert first.uuid != vgpu_uuid(functions[0].address, "1156")
    assert set_vgpus(functions, {functions[0].address}) == (second,)


@given(
    card=st.integers(1, 96),
    sizes=st.sets(st.integers(1, 96), min_size=1, max_size=4),
    vfs=st.integers(1, 6),
)
def test_the_budget_is_the_framebuffer_to_the_last_mb(
    card: int, sizes: set[int], vfs: int
) -> None:
    """Any mixture passes the budget if, and only if, the framebuffer holds it."""
    sizes = {size for size in sizes if size <= card} | {card}
    types = [
        MdevType(id=str(n), name=f"t-{n}", available=1, size_mb=size)
        for n, size in enumerate(sorted(sizes))
    ]
    functions = with_known_types([vf(number, *types) for number in range(vfs)])
    shared = card_budget(type_uses(functions, []), 0)
    assert shared.budget == card
    by_id = {kind.id: kind.size_mb or 0 for kind in types}
    for some in combinations_with_replacement(by_id, vfs):
        fits = sum(shared.type_costs[one] for one in some) <= shared.budget
        assert fits == (sum(by_id[one] for one in some) <= card)


def test_costs_stay_what_they_are_when_a_type_joins() -> None:
    """One type alone is shared by size, too."""
    functions = with_known_types([vf(0, EIGHT, WHOLE), vf(1, EIGHT, WHOLE)])
    both = type_uses(functions, [])
    alone = card_budget(both[:1], 0)
    assert (alone.budget, dict(alone.type_costs)) == (48, {"1152": 8})
    assert card_budget(both, 0).type_costs["1152"] == 8
    # A card that is known to be larger now than when another type was listed.
    grown = [both[0], replace(both[1], card_mb=96)]
    assert card_budget(grown, 0).budget == 96
