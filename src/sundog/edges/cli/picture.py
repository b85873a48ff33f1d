"""The picture: hosts, sockets, cells, cards, slices, and who holds what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.columns import Columns
from rich.console import Group
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from sundog.edges.cli.bars import cell_bars
from sundog.edges.cli.cards import card_box
from sundog.edges.cli.ink import PLAIN_SIGNS, Signs, ink_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, RenderableType

    from sundog.edges.cli.answers import Card, Cell, Host, Socket
    from sundog.edges.cli.ink import Ink

_FRAME: Final = 5  # columns round a row of cards, less the gap after the last
_MOST_PROBLEMS: Final = 10


def draw_hosts(hosts: Iterable[Host], console: Console) -> None:
    """Print a picture of each host."""
    signs = PLAIN_SIGNS if console.options.ascii_only else Signs()
    widest = console.width - _FRAME
    for host in hosts:
        console.print(_host(host, ink_for(host, signs), widest))


def _host(host: Host, ink: Ink, widest: int) -> Panel:
    parts: list[RenderableType] = []
    for socket in host["sockets"]:
        parts.append(Rule(_socket_name(socket), align="left", style="dim"))
        parts += [_cell(cell, ink, widest) for cell in socket["cells"]]
    if host["loose_cards"]:
        parts.append(Rule("NUMA node unknown", align="left", style="dim"))
        parts.append(_cards(host["loose_cards"], ink, widest))
    parts += _servers(host, ink)
    for problem in host["problems"][:_MOST_PROBLEMS]:
        parts.append(Text(f"! {problem['where']}: {problem['reason']}", "red"))
    title = Text.assemble((host["name"], "bold"), f"  {_condition(host)}")
    disk = f"disk {host['disk_gb_used']}/{host['disk_gb']} GB"
    return Panel(Group(*parts), title=title, title_align="left", subtitle=disk)


def _condition(host: Host) -> str:
    if host["status"] == "enabled":
        return host["state"]
    return f"{host['state']}, disabled: {host['status_reason'] or 'no reason given'}"


def _socket_name(socket: Socket) -> str:
    return "socket unknown" if socket["id"] is None else f"socket {socket['id']}"


def _cell(cell: Cell, ink: Ink, widest: int) -> RenderableType:
    bars = Columns(cell_bars(cell, ink.signs), padding=(0, 3))
    parts: list[RenderableType] = [Text(f"cell {cell['id']}", "bold"), bars]
    if cell["cards"]:
        parts.append(_cards(cell["cards"], ink, widest))
    return Padding(Group(*parts), (0, 1))


def _cards(cards: list[Card], ink: Ink, widest: int) -> Group:
    """Set boxes side by side while they fit, row after row."""
    rows: list[list[Panel]] = [[]]
    left = widest
    for box in (card_box(card, ink, widest) for card in cards):
        width = (box.width or widest) + 1
        if width > left and rows[-1]:
            rows.append([])
            left = widest
        rows[-1].append(box)
        left -= width
    return Group(*(_side_by_side(row) for row in rows))


def _side_by_side(boxes: list[Panel]) -> Table:
    row = Table.grid(padding=(0, 1, 0, 0))
    row.add_row(*boxes)
    return row


def _servers(host: Host, ink: Ink) -> list[Text]:
    if not host["servers"]:
        return [Text("no servers", "dim")]
    names = Text("servers: ", "bold")
    for server in host["servers"]:
        key = ink.keys.get(server["id"], "")
        status = "" if server["status"] == "ACTIVE" else f" ({server['status']})"
        names.append(f"{key} ", "bold cyan").append(f"{server['name']}{status}   ")
    names.rstrip()
    return [Text(), names]
