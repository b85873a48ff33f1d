"""What a card may still make: all its devices draw on one budget.

Each type, of mdevs or vGPUs, takes a share of the card: its part of the framebuffer
where that is known, else 1/total, where total is how many an empty card makes. Whatever
multiset of types passes the budget fits the real card: shares are exact, or rounded up
where exact ones would not fit in a signed 32-bit integer (Placement's bound), so that
an instance may then be lost but never oversold.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from math import lcm
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sundog.core.devices.device import Mdev, MdevType, PciFunction

LARGEST_BUDGET: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeUse:
    """One type over all the functions of a card that may make it.

    ``total`` is how many an empty card makes, as well as can be known, at least 1.
    ``firm`` says that it is known rather than a lower bound. ``card_mb`` is the
    card's framebuffer where that is known.
    """

    id: str
    total: int
    firm: bool = True
    size_mb: int | None = None
    card_mb: int | None = None
    in_use: int = 0
    available: int = 0

    @property
    def kin(self) -> str:
        """What a card that makes one type at a time lets stand together.

        The type itself; of vGPUs on VFs, all that are of one size.
        """
        return self.id if self.card_mb is None else f"{self.size_mb} MiB"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardBudget:
    """A card's budget and what its devices take of it.

    A PF or a function that stands alone costs the whole ``budget``, a VF ``vf_cost``,
    one mdev what ``type_costs`` says of its type.
    """

    budget: int
    vf_cost: int
    type_costs: Mapping[str, int]


def card_budget(uses: Sequence[TypeUse], vfs: int) -> CardBudget:
    """Share a card among mdev types and ``vfs`` whole VFs.

    One type alone: the budget is its total and each costs 1. VFs alone: the budget is
    their number. Both: they do not eat into each other, since a VF is either handed
    out whole or makes mdevs; only the PF excludes them all.
    """
    if not uses:
        return CardBudget(budget=max(vfs, 1), vf_cost=1, type_costs={})
    # The VFs' part is less than one unit of the types' part, so it buys no mdev.
    unit = vfs + 1
    shared, costs = _bounded(*_share(uses), (LARGEST_BUDGET - vfs) // unit)
    return CardBudget(
        budget=shared * unit + vfs,
        vf_cost=1,
        type_costs={id_: cost * unit for id_, cost in costs.items()},
    )


def type_uses(
    parents: Sequence[PciFunction], mdevs: Sequence[Mdev]
) -> tuple[TypeUse, ...]:
    """Sum up the types of a card's ``parents`` and the ``mdevs`` that exist on them.

    A type's total is what its description tells (of the card), else what may be made
    and what exists, if no other type is in use. With other types in use that sum is
    only a lower bound, which is safe: it makes the type cost more. VFs whose driver
    tells no totals are taken to stand each for itself.
    """
    addresses = {parent.address for parent in parents}
    in_use = Counter(mdev.type_id for mdev in mdevs if mdev.parent in addresses)
    offers: dict[str, list[MdevType]] = {}
    for offer in chain.from_iterable(parent.types for parent in parents):
        offers.setdefault(offer.id, []).append(offer)
    return tuple(
        _sum_up(id_, found, in_use[id_], alone=in_use.total() == in_use[id_])
        for id_, found in offers.items()
    )


def _sum_up(id_: str, found: list[MdevType], in_use: int, *, alone: bool) -> TypeUse:
    available = sum(max(offer.available, 0) for offer in found)
    told = [offer.total for offer in found if offer.total is not None]
    sizes = {offer.size_mb for offer in found}
    size = sizes.pop() if len(sizes) == 1 else None
    cards = [offer.card_mb for offer in found if offer.card_mb is not None]
    return TypeUse(
        id=id_,
        total=max(1, max(told) if told else available + in_use),
        firm=bool(told) or (alone and available + in_use > 0),
        size_mb=size if size is not None and size > 0 else None,
        card_mb=max(cards, default=None),
        in_use=in_use,
        available=available,
    )


def one_type_shown(
    parents: Sequence[PciFunction], mdevs: Sequence[Mdev], uses: Sequence[TypeUse]
) -> bool | None:
    """Whether the kernel shows that the card makes one type at a time; None: neither.

    It does if what is in use is of one kin and no other may be made, although the
    shared budget has room for another. It shows the contrary if two kins are in use,
    or another may be made beside one. An empty card shows nothing.
    """
    addresses = {parent.address for parent in parents}
    there = [mdev for mdev in mdevs if mdev.parent in addresses]
    kins = {use.kin for use in uses if use.in_use}
    others = [use for use in uses if use.kin not in kins]
    if len(kins) > 1 or (kins and any(use.available for use in others)):
        return False
    taken = {mdev.parent for mdev in there}
    is_unknown = (
        not kins
        or not others
        # Nobody knows what a strange type leaves room for.
        or bool({mdev.type_id for mdev in there} - {use.id for use in uses})
        # A VF makes one, so VFs in use show nothing.
        or all(each.parent is not None and each.address in taken for each in parents)
    )
    return None if is_unknown else _leaves_room(uses, kins)


def _leaves_room(uses: Sequence[TypeUse], kins: set[str]) -> bool | None:
    """Whether what one kin uses leaves room for another, that may not be made."""
    budget, costs = _share(uses)
    room = budget - sum(use.in_use * costs[use.id] for use in uses)
    same = [use for use in uses if use.kin in kins]
    if not any(use.available for use in same) and any(
        room >= costs[use.id] for use in same
    ):
        return None  # Something else is in the way of every type.
    others = (costs[use.id] for use in uses if use.kin not in kins)
    return True if room >= min(others) else None


def total_on_card(use: TypeUse, uses: Sequence[TypeUse], vfs: int = 0) -> int:
    """How many of one type an empty card makes within the budget of ``uses``."""
    shared = card_budget(uses, vfs)
    return max(1, shared.budget // shared.type_costs[use.id])


def _share(uses: Sequence[TypeUse]) -> tuple[int, dict[str, int]]:
    by_size = _share_by_size(uses)
    if by_size is not None:
        return by_size
    budget = lcm(*(use.total for use in uses))
    return budget, {use.id: budget // use.total for use in uses}


def _share_by_size(uses: Sequence[TypeUse]) -> tuple[int, dict[str, int]] | None:
    """Share the framebuffer, if every type tells its size and the totals agree.

    A card that does not tell its size is taken to be as small as the totals allow.
    One that does is shared by size even among vGPUs of one type, so that costs stay
    what they are when a rule offers another type beside those that are held.
    """
    sizes = {use.id: use.size_mb for use in uses if use.size_mb is not None}
    if len(sizes) < len(uses):
        return None
    told = [use.card_mb for use in uses if use.card_mb is not None]
    if told:
        return max(told), sizes
    framebuffer = max(use.total * sizes[use.id] for use in uses)
    if any(use.firm and framebuffer // sizes[use.id] != use.total for use in uses):
        return None
    if len(uses) == 1:
        return uses[0].total, {uses[0].id: 1}
    return framebuffer, sizes


def _bounded(
    budget: int, costs: dict[str, int], largest: int
) -> tuple[int, dict[str, int]]:
    """Round the costs up to a smaller budget, if it is larger than ``largest``."""
    if budget <= largest:
        return budget, costs
    return largest, {id_: -(-cost * largest // budget) for id_, cost in costs.items()}
