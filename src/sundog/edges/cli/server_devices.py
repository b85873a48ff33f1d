"""The devices of one server: drawn, attached, detached."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sundog.core.errors import SundogError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from sundog.edges.cli.answers import Begun, ServerDevice, ServerDevices
    from sundog.edges.cli.rest_client import RestClient

_COLOURS: Final = {"attached": "green", "attaching": "cyan", "detaching": "yellow"}
_LOOK_SECONDS: Final = 0.2
_MOST_SECONDS: Final = 120.0


def draw_server_devices(found: ServerDevices, console: Console) -> None:
    """Print what a server has, where that is, and how it appears in the guest."""
    cells = ", ".join(map(str, found["cells"]))
    where = [f" on {found['host']}"] if found["host"] else []
    where += [f", cell{'s' * (len(found['cells']) > 1)} {cells}"] if cells else []
    condition = found["status"] + (f" ({found['task']})" if found["task"] else "")
    title = Text.assemble((found["server_name"], "bold"), f"  {condition}", *where)
    parts: list[RenderableType] = [Text("no devices", "dim")]
    if found["devices"]:
        parts = [_table(found["devices"])]
    console.print(
        Panel(
            Group(*parts),
            title=title,
            title_align="left",
            subtitle=Text(found["server_id"], "dim"),
            subtitle_align="right",
        )
    )


def _table(devices: list[ServerDevice]) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True
    )
    for name in ("slot", "address", "kind"):
        table.add_column(name, no_wrap=True, overflow="fold")
    table.add_column("type")
    for name in ("cell", "guest cell"):
        table.add_column(name, justify="right")
    for name in ("from", "state"):
        table.add_column(name, no_wrap=True)
    for device in devices:
        guest_cell = device["guest_cell"]
        table.add_row(
            Text(device["slot"]),
            device["address"],
            device["kind"].removeprefix("type-"),
            Text(device["type_name"] or device["type"] or device["product"]),
            ",".join(map(str, device["numa_nodes"])) or "?",
            "-" if guest_cell is None else str(guest_cell),
            device["origin"],
            Text(device["state"], _COLOURS.get(device["state"], "default")),
        )
    return table


def await_end(client: RestClient, begun: Begun) -> None:
    """Wait until what was begun has ended; raises SundogError with why it failed."""
    end = time.monotonic() + _MOST_SECONDS
    while time.monotonic() < end:
        events = client.events(begun["server_id"], begun["request_id"])
        if all(event["result"] for event in events):
            told = [e["details"] or "it failed" for e in events if e["result"] != _GOOD]
            if told:
                raise SundogError(told[0])
            return
        time.sleep(_LOOK_SECONDS)
    raise SundogError(
        f"{', '.join(begun['slots'])} is still under way; sundog devices --server "
        f"{begun['server_id']} tells how it stands"
    )


_GOOD: Final = "Success"
