"""Devices as a table, and an explanation as a few lines.

The table has a row for each kind and type of a card, or for each device.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

from sundog.edges.cli.answers import cards_of
from sundog.edges.cli.slices import on_card

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from sundog.edges.cli.answers import Card, Device, Explanation, Fit, Host

_MOST_NAMES: Final = 6


def list_devices(
    hosts: Iterable[Host], console: Console, *, each: bool = False
) -> None:
    """Print what each card has, by kind and type; or, with ``each``, every device."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False)
    for name in ("host", "address", "kind", "type", "cell"):
        table.add_column(name, no_wrap=True)
    for name in ("held", "left"):
        table.add_column(name, justify="right")
    table.add_column("held by, or why not")
    for host in hosts:
        for card in cards_of(host):
            for devices in _parts(card, each=each):
                table.add_row(Text(host["name"]), *_row(card, devices))
    console.print(table)


def _parts(card: Card, *, each: bool) -> Iterator[Sequence[Device]]:
    """Give the devices of a row: one, or those that are of one kind and type."""
    parts: dict[tuple[str, ...], list[Device]] = {}
    for device in card["devices"]:
        where = (device["address"],) if each else ()
        key = (device["kind"], device["type"], *where)
        parts.setdefault(key, []).append(device)
    yield from parts.values()


def _row(card: Card, devices: Sequence[Device]) -> Iterator[str | Text]:
    first, part = devices[0], on_card(card, devices)
    yield first["address"] if len(devices) == 1 else card["address"]
    yield first["kind"].removeprefix("type-")
    yield Text(part.name or card["product"])
    cells = {cell for device in devices for cell in device["numa_nodes"]}
    yield ",".join(map(str, sorted(cells))) or "?"
    yield f"{len(part.holders)}/{part.total}"
    yield str(part.left)
    yield Text("; ".join(_said(devices)))


def _said(devices: Sequence[Device]) -> Iterator[str]:
    """Say who holds something of it, and why the rest is not offered."""
    holders = [holder for device in devices for holder in device["holders"]]
    names = Counter(one["server_name"] or one["server_id"] for one in holders)
    if names:
        told = [f"{name} ({n})" if n > 1 else name for name, n in names.items()]
        more = len(told) - _MOST_NAMES
        yield ", ".join(told[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    reasons = Counter(one["reason"] for one in devices if one["reason"])
    for reason, n in reasons.items():
        yield reason if len(devices) == 1 else f"{n} not offered: {reason}"


def tell_explanation(explanation: Explanation, console: Console) -> None:
    """Print where a flavor fits, best first, and why not elsewhere."""
    flavor, fits = explanation["flavor"], explanation["fits"]
    if fits:
        hosts = "1 host" if len(fits) == 1 else f"{len(fits)} hosts, best first"
        console.print(Text(f"{flavor} fits on {hosts}:", "bold"))
    else:
        console.print(Text(f"{flavor} fits nowhere: {explanation['summary']}", "bold"))
    for fit in fits:
        console.print(Text(f"  {fit['host']}: {_taken(fit)}"))
    if fits and explanation["refusals"]:
        console.print(Text("it does not fit on:", "bold"))
    for refusal in explanation["refusals"]:
        console.print(Text(f"  {refusal['host']}: {refusal['reason']}"))


def _taken(fit: Fit) -> str:
    cells = ", ".join(map(str, fit["cells"]))
    parts = [f"cell{'s' if len(fit['cells']) > 1 else ''} {cells}"] if cells else []
    for device in fit["devices"]:
        what = device["type"] or device["kind"].removeprefix("type-")
        parts.append(f"{device['slot']} = {what} of {device['address']}")
    return "; ".join(parts) or "floats"
