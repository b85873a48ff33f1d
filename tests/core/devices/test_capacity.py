"""No multiset of devices that passes a card's budget oversells the card."""

from fractions import Fraction
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sundog.core.devices.capacity import (
    LARGEST_BUDGET,
    TypeUse,
    card_budget,
    one_type_shown,
    total_on_card,
    type_uses,
)
from sundog.core.devices.device import DeviceKind, Mdev, MdevType, PciFunction
from sundog.core.devices.pci_address import PciAddress

GPU = PciAddress(0, 0x84, 0, 0)
VFS = tuple(PciAddress(0, 0x84, 0, number) for number in range(4, 8))
TOTALS = st.lists(st.integers(1, 2**31), min_size=1, max_size=6)


def gpu(*types: MdevType, at: PciAddress = GPU) -> PciFunction:
    """Return a GPU that makes types; a VF of it if it is not at its address."""
    return PciFunction(
        address=at,
        vendor_id="10de",
        product_id="1eb8",
        kind=DeviceKind.PCI if at == GPU else DeviceKind.VF,
        parent=None if at == GPU else GPU,
        mdev_types=types,
    )


def mdev(type_id: str, at: PciAddress = GPU, number: int = 0) -> Mdev:
    """Return an mdev that exists."""
    return Mdev(uuid=UUID(int=number), type_id=type_id, parent=at)


def test_one_type_costs_one_of_its_total() -> None:
    """With or without a size."""
    for size in (None, 1024):
        shared = card_budget([TypeUse(id="a", total=16, size_mb=size)], 0)
        assert (shared.budget, dict(shared.type_costs)) == (16, {"a": 1})


def test_vfs_share_their_pf() -> None:
    """The PF costs the budget, each VF one part of it."""
    assert card_budget([], 4).budget == 4
    assert card_budget([], 4).vf_cost == 1
    assert card_budget([], 0).budget == 1


def test_mixed_types_share_the_framebuffer_where_sizes_agree() -> None:
    """Sizes are finer than totals: 1 of 12 GiB leaves 2 of 2 GiB on 16 GiB."""
    uses = [
        TypeUse(id="a", total=1, size_mb=12288),
        TypeUse(id="b", total=8, size_mb=2048),
    ]
    shared = card_budget(uses, 0)
    assert shared.budget == 16384
    assert dict(shared.type_costs) == {"a": 12288, "b": 2048}


@pytest.mark.parametrize("sizes", [(None, 2048), (12288, 1024), (1, 2048)])
def test_mixed_types_share_by_totals_where_sizes_do_not_agree(
    sizes: tuple[int | None, int],
) -> None:
    """The budget is the least common multiple of the totals."""
    uses = [
        TypeUse(id="a", total=3, size_mb=sizes[0]),
        TypeUse(id="b", total=8, size_mb=sizes[1]),
    ]
    shared = card_budget(uses, 0)
    assert shared.budget == 24
    assert dict(shared.type_costs) == {"a": 8, "b": 3}


@given(TOTALS, st.integers(0, 300))
def test_budgets_stay_in_32_bits_and_shares_are_never_too_small(
    totals: list[int], vfs: int
) -> None:
    """A cost is at least 1/total of what mdevs may take, so that none is oversold."""
    uses = [TypeUse(id=str(n), total=total) for n, total in enumerate(totals)]
    shared = card_budget(uses, vfs)
    assert 1 <= shared.budget <= LARGEST_BUDGET
    unit = vfs + 1
    mdevs = shared.budget - vfs
    for use in uses:
        cost = shared.type_costs[use.id]
        assert cost % unit == 0
        assert Fraction(cost, mdevs) >= Fraction(1, use.total)
    # VFs and mdevs do not eat into each other, and VFs alone buy no mdev.
    assert vfs < unit


@given(
    framebuffer=st.integers(1, 64),
    sizes=st.lists(st.integers(1, 64), min_size=1, max_size=3, unique=True),
    told=st.booleans(),
)
def test_no_multiset_within_the_budget_oversells_the_framebuffer(
    framebuffer: int, sizes: list[int], *, told: bool
) -> None:
    """For every true size of a card, and every number of each of its types."""
    sizes = [size for size in sizes if size <= framebuffer]
    uses = [
        TypeUse(id=str(n), total=framebuffer // size, size_mb=size if told else None)
        for n, size in enumerate(sizes)
    ]
    shared = card_budget(uses, 0)
    counts = [range(min(use.total, 12) + 2) for use in uses]
    for some in product(*counts):
        cost = sum(
            n * shared.type_costs[use.id] for n, use in zip(some, uses, strict=True)
        )
        if cost <= shared.budget:
            assert sum(n * s for n, s in zip(some, sizes, strict=True)) <= framebuffer
    for use in uses:
        assert total_on_card(use, uses) == use.total


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 5))
def test_a_card_of_vfs_and_mdevs_can_be_filled_with_both(
    total: int, other: int, vfs: int
) -> None:
    """All VFs and a card full of either type fit; one mdev more does not."""
    uses = [TypeUse(id="a", total=total), TypeUse(id="b", total=other)]
    shared = card_budget(uses, vfs)
    for use in uses:
        cost = shared.type_costs[use.id]
        assert use.total * cost + vfs * shared.vf_cost <= shared.budget
        assert (use.total + 1) * cost > shared.budget


def test_a_total_that_is_told_is_taken() -> None:
    """What may be made now does not matter then."""
    (use,) = type_uses([gpu(MdevType(id="a", available=3, total=16))], [mdev("a")])
    assert use == TypeUse(id="a", total=16, in_use=1, available=3)


def test_a_total_that_is_not_told_is_what_may_be_made_and_what_exists() -> None:
    """It is firm as long as no other type is in use."""
    function = gpu(MdevType(id="a", available=3), MdevType(id="b", available=0))
    mine, other = type_uses([function], [mdev("a"), mdev("z", at=VFS[0])])
    assert mine == TypeUse(id="a", total=4, firm=True, in_use=1, available=3)
    # With a in use, nothing is known of b but that a card makes one at least.
    assert other == TypeUse(id="b", total=1, firm=False)


def test_a_lower_bound_is_raised_by_the_size() -> None:
    """A size tells more of a type than a card in use by others."""
    function = gpu(
        MdevType(id="a", available=12, total=16, size_mb=1024),
        MdevType(id="b", available=1, size_mb=4096),
    )
    uses = type_uses([function], [mdev("a")])
    assert [total_on_card(use, uses) for use in uses] == [16, 4]


def test_garbage_readings_stay_harmless() -> None:
    """Negative, zero and contradicting numbers."""
    functions = [
        gpu(MdevType(id="a", available=-5, total=0, size_mb=0), at=VFS[0]),
        gpu(MdevType(id="a", available=1, size_mb=7), at=VFS[1]),
    ]
    (use,) = type_uses(functions, [])
    assert use == TypeUse(id="a", total=1, available=1)


def test_vfs_that_make_types_share_what_the_card_is_told_to_make() -> None:
    """16 VFs each could make one, but the card makes 10."""
    functions = [gpu(MdevType(id="a", available=1, total=10), at=vf) for vf in VFS]
    (use,) = type_uses(functions, [])
    assert (use.total, use.available) == (10, 4)


def one_type(
    available: dict[str, int], *mdevs: Mdev, told: int | None = 4
) -> bool | None:
    """Tell whether a card with these types shows that it makes one at a time."""
    types = [MdevType(id=id_, available=n, total=told) for id_, n in available.items()]
    parents = [gpu(*types)]
    return one_type_shown(parents, mdevs, type_uses(parents, mdevs))


def test_a_card_that_makes_one_type_at_a_time_is_known_as_such() -> None:
    """One is in use, there is room, and no other may be made."""
    assert one_type({"a": 3, "b": 0}, mdev("a"))
    assert one_type({"a": 1, "b": 0, "c": 0}, mdev("a"), mdev("a"), mdev("a"))


def test_a_card_that_makes_several_types_is_known_as_such() -> None:
    """Two are in use, or another may be made beside one."""
    assert one_type({"a": 3, "b": 3}, mdev("a")) is False
    assert one_type({"a": 0, "b": 0, "c": 0}, mdev("a"), mdev("b")) is False


def test_nothing_is_said_of_a_card_that_does_not_show_it() -> None:
    """Empty, full, of one type, refusing everything, or with a strange mdev."""
    assert one_type({"a": 4, "b": 4}) is None
    assert one_type({"a": 0, "b": 0}, *[mdev("a")] * 4) is None
    assert one_type({"a": 3}, mdev("a")) is None
    assert one_type({"a": 0, "b": 0}, mdev("a")) is None
    assert one_type({"a": 3, "b": 0}, mdev("a"), mdev("strange")) is None
    # Totals that are not told leave open how large the other type is.
    assert one_type({"a": 3, "b": 0}, mdev("a"), told=None) is None


def test_vgpus_of_one_size_are_of_one_kin() -> None:
    """Beside one of 8 GiB another series of that size shows nothing of the others."""
    types = [
        MdevType(id="8Q", available=1, total=6, size_mb=8, card_mb=48),
        MdevType(id="8A", available=1, total=6, size_mb=8, card_mb=48),
        MdevType(id="1Q", available=0, total=48, size_mb=1, card_mb=48),
    ]
    parents = [gpu(*types, at=vf) for vf in VFS]
    mdevs = [mdev("8Q", at=VFS[0]), mdev("8A", at=VFS[1])]
    uses = type_uses(parents, mdevs)
    assert one_type_shown(parents, mdevs, uses) is True
    two = [*mdevs[:1], mdev("1Q", at=VFS[1])]
    assert one_type_shown(parents, two, type_uses(parents, two)) is False


def test_a_large_type_without_room_for_itself_still_shows_it() -> None:
    """8 of 12 GiB are in use; 4 GiB would be room for the small type."""
    parents = [
        gpu(
            MdevType(id="big", available=0, total=1, size_mb=8192),
            MdevType(id="small", available=0, total=3, size_mb=4096),
        )
    ]
    mdevs = [mdev("big")]
    assert one_type_shown(parents, mdevs, type_uses(parents, mdevs))


def test_vfs_show_it_only_if_one_is_unused() -> None:
    """A VF makes one mdev, of whichever type."""
    types = (MdevType(id="a", available=0, total=4), MdevType(id="b", total=4))
    both = [gpu(*types, at=vf) for vf in VFS[:2]]
    taken = [mdev("a", at=vf.address) for vf in both]
    assert one_type_shown(both, taken, type_uses(both, taken)) is None
    free = gpu(MdevType(id="a", available=1, total=4), types[1], at=VFS[1])
    half = [both[0], free]
    assert one_type_shown(half, taken[:1], type_uses(half, taken[:1]))
