"""Devices as a table, and an explanation as a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from sundog.edges.cli.answers import Device, DeviceRow, Explanation, Fit


def list_devices(rows: Iterable[DeviceRow], console: Console) -> None:
    """Print one line per device, with who holds it."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False)
    for name in ("host", "address", "kind", "type", "cell"):
        table.add_column(name, no_wrap=True)
    for name in ("held", "left"):
        table.add_column(name, justify="right")
    table.add_column("held by, or why not")
    for row in rows:
        device = row["device"]
        table.add_row(
            Text(row["host"]),
            device["address"],
            device["kind"].removeprefix("type-"),
            Text(device["type_name"] or device["type"] or row["product"]),
            ",".join(map(str, device["numa_nodes"])) or "?",
            f"{device['used']}/{device['total']}",
            str(device["free"]),
            Text(_holders(device)),
        )
    console.print(table)


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


def _holders(device: Device) -> str:
    names = [h["server_name"] or h["server_id"] for h in device["holders"]]
    return ", ".join(names) or device["reason"]


def _taken(fit: Fit) -> str:
    cells = ", ".join(map(str, fit["cells"]))
    parts = [f"cell{'s' if len(fit['cells']) > 1 else ''} {cells}"] if cells else []
    for device in fit["devices"]:
        what = device["type"] or device["kind"].removeprefix("type-")
        parts.append(f"{device['slot']} = {what} of {device['address']}")
    return "; ".join(parts) or "floats"
