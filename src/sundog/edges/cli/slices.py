"""What is made of a card, as a strip: a block per instance, as wide as its share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.edges.cli.answers import Card, Device, Holder
    from sundog.edges.cli.ink import Ink

_MOST_TYPES: Final = 4
_NAMED: Final = 4  # columns that a block needs to show a name and not a letter


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCard:
    """What is alike on a card: a type over all functions that make it, or its VFs.

    ``cost`` is what one takes of the card's budget, ``total`` how many an empty card
    has, ``left`` how many more it has now.
    """

    type: str
    name: str
    cost: int
    total: int
    left: int
    holders: list[Holder]


def slice_rows(
    card: Card, devices: Sequence[Device], ink: Ink, width: int
) -> list[Text]:
    """Draw a card's mdevs or vGPUs: the strip, and a line per type."""
    names = dict.fromkeys(device["type"] for device in devices)
    made = [on_card(card, [d for d in devices if d["type"] == name]) for name in names]
    budget = max(1, card["budget"])
    strip = Text()
    for one in made:
        share = max(1, width * one.cost // budget)
        for holder in one.holders:
            strip.append(*_block(holder, one, ink, share))
    strip.truncate(width)
    taken = round(width * min(card["budget_used"], budget) / budget)
    # Taken, but by none of our servers: mdevs that others made.
    strip.append(ink.signs.shut * max(0, taken - len(strip)), "red")
    strip.append(ink.signs.free * (width - len(strip)), "dim")
    return [strip, *_type_lines(card, made, ink, width)]


def on_card(card: Card, devices: Sequence[Device]) -> OnCard:
    """Sum up devices of one kind and type on a card."""
    total = sum(device["total"] for device in devices)
    # Several functions of a card may make a type, and share what the card has.
    cost = max(1, card["budget"] // max(1, total))
    cost = max(1, devices[0].get("cost", cost))
    room = max(0, card["budget"] - card["budget_used"]) // cost
    free = sum(device["free"] for device in devices)
    return OnCard(
        type=devices[0]["type"],
        name=devices[0]["type_name"] or devices[0]["type"],
        cost=cost,
        total=min(total, card["budget"] // cost) if len(devices) > 1 else total,
        left=min(free, room) if len(devices) > 1 else free,
        holders=[holder for device in devices for holder in device["holders"]],
    )


def _block(holder: Holder, made: OnCard, ink: Ink, share: int) -> tuple[str, str]:
    style = f"{ink.colour(made.type)} reverse"
    if share == 1:
        return ink.key(holder), style
    named = holder["server_name"] and share > _NAMED
    name = holder["server_name"] if named else ink.key(holder)
    return ink.signs.edge + ink.fitted(name, share - 1), style


def _type_lines(card: Card, made: list[OnCard], ink: Ink, width: int) -> list[Text]:
    ranked = sorted(made, key=lambda one: -len(one.holders))
    lines = []
    for one in ranked[:_MOST_TYPES]:
        count = f" {len(one.holders)} held, {one.left} left"
        name = ink.fitted(_short(one.name), width - len(count))
        lines.append(Text(name, ink.colour(one.type)).append(count, "default"))
    more = len(ranked) - _MOST_TYPES
    if more > 0:
        lines.append(Text(f"and {more} more types"))
    if card["one_type"]:
        lines.append(Text("one type at a time", "dim"))
    return lines


def _short(name: str) -> str:
    """Leave the vendor's brand out of a type's name; the card's line has it."""
    return name.removeprefix("NVIDIA ").removeprefix("GRID ")
