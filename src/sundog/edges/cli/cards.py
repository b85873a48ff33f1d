"""A card as a box: its slices, its VFs, and who holds them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rich.panel import Panel
from rich.text import Text

from sundog.edges.cli.slices import slice_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.edges.cli.answers import Card, Device
    from sundog.edges.cli.ink import Ink

_NARROW: Final = 24  # columns between a box's sides; halves, thirds, quarters fit
_WIDE: Final = 64
_MANY_VFS: Final = 96
_MOST_BLOCKS: Final = 256
_MADE: Final = ("type-MDEV", "type-VGPU")


def card_box(card: Card, ink: Ink, widest: int) -> Panel:
    """Draw a card, at most ``widest`` columns wide."""
    width = min(_inner_width(card), widest - 2)
    lines = [Text(ink.fitted(_product(card, width), width).rstrip(), "bold")]
    whole = [d for d in card["devices"] if d["kind"] in {"type-PCI", "type-PF"}]
    virtual = [d for d in card["devices"] if d["kind"] == "type-VF"]
    made = [d for d in card["devices"] if d["kind"] in _MADE]
    lines += [_whole(device, ink, width) for device in whole]
    if virtual:
        lines += _vf_rows(virtual, ink, width)
    if made:
        lines += slice_rows(card, made, ink, width)
    title = Text(card["address"], "default")
    return Panel(
        Text("\n").join(lines),
        title=title,
        title_align="left",
        width=width + 2,
        padding=0,
    )


def _product(card: Card, width: int) -> str:
    """Return the product's name: ``GV100GL [Tesla V100]`` may be cut to the latter."""
    name = card["product"] or "card"
    short = re.search(r"\[(.+)\]", name)
    return short[1] if short and len(name) > width else name


def _inner_width(card: Card) -> int:
    """Return a width at which every block of the card gets as many columns."""
    most = max((device["total"] for device in card["devices"]), default=1)
    vfs = sum(device["kind"] == "type-VF" for device in card["devices"])
    if vfs > _MANY_VFS:
        return _WIDE
    return max(1, -(-_NARROW // most)) * most


def _whole(device: Device, ink: Ink, width: int) -> Text:
    """Draw a function handed out as a whole: one block."""
    label = "PF " if device["kind"] == "type-PF" else ""
    room = width - len(label)
    if device["holders"]:
        holder = device["holders"][0]
        name = holder["server_name"] or "not recorded"
        block = ink.signs.edge + ink.fitted(name, room - 1)
        return Text.assemble(label, (block, f"{ink.colour(device['kind'])} reverse"))
    if device["state"] == "unavailable":
        why = ink.fitted(f"{ink.signs.shut} {device['reason']}", room)
        return Text.assemble(label, (why.rstrip(), "red"))
    if device["free"]:
        return Text.assemble(label, (ink.signs.free * 2 + " free", "dim"))
    why = "its VFs are in use" if label else "not free"
    return Text.assemble(label, (f"{ink.signs.shut} {why}", "dim"))


def _vf_rows(devices: Sequence[Device], ink: Ink, width: int) -> list[Text]:
    """Draw VFs in rows, one block each."""
    row = Text()
    for device in devices[:_MOST_BLOCKS]:
        if device["holders"]:
            style = f"{ink.colour(device['kind'])} reverse"
            row.append(ink.key(device["holders"][0]), style)
        elif device["free"]:
            row.append(ink.signs.free, "dim")
        else:
            row.append(ink.signs.shut, "red" if device["reason"] else "dim")
    held = sum(bool(device["holders"]) for device in devices)
    free = sum(device["free"] for device in devices)
    said = f" {held} held, {free} left"
    counts = Text(ink.fitted(f"{len(devices)} VFs", width - len(said)) + said)
    rows = [row[at : at + width] for at in range(0, len(row), width)]
    more = len(devices) - _MOST_BLOCKS
    return [*rows, *([Text(f"and {more} more")] if more > 0 else []), counts]
