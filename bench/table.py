"""What the benchmarks measured, as rows of one table, and how it is measured."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from os import cpu_count
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Say = Callable[[str], None]

WIDTH: Final = 132
NOTHING: Final = "\N{EN DASH}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"
_MILLI: Final = 1e-3


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: what was measured of how much, ours and the peers', and the ratio."""

    work: str
    size: str = ""
    ours: str = NOTHING
    nova: str = NOTHING
    placement: str = NOTHING
    ratio: str = NOTHING


def show(rows: Iterable[Row], title: str = "Sundog beside its peers") -> None:
    """Print the table; equal names of work are printed once."""
    table = Table(title=title, caption=machine())
    table.add_column("work", max_width=34)
    table.add_column("size", max_width=28)
    for name in ("Sundog", "Nova 34", "Placement 16", "ratio"):
        table.add_column(name, justify="right", max_width=30)
    before = ""
    for row in rows:
        if before and row.work != before:
            table.add_section()
        work = "" if row.work == before else row.work
        table.add_row(work, row.size, row.ours, row.nova, row.placement, row.ratio)
        before = row.work
    Console(width=WIDTH).print(table)


def machine() -> str:
    """Say what the figures were measured on."""
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    return f"{cpu_count()} CPUs, {system}, Python {platform.python_version()}"


def progress() -> Say:
    """Return a way to say what is being measured: one line in a terminal."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        return lambda text: console.print(f"  {text}")
    return lambda text: console.print(f"\r\033[K  {text}", end="")


def p99(seconds: Sequence[float]) -> float:
    """Return the 99th percentile of at least two measurements."""
    return quantiles(seconds, n=100, method="inclusive")[98]


def spread(seconds: Sequence[float]) -> str:
    """Show the median and the 99th percentile."""
    return f"{shown(median(seconds))}, p99 {shown(p99(seconds))}"


def shown(seconds: float | None) -> str:
    """Show seconds in the unit that suits them."""
    if seconds is None:
        return NOTHING
    if seconds < _MILLI:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.2f} s"


def times(peer: float, ours: float) -> str:
    """Show how many times longer a peer takes."""
    ratio = peer / ours
    return f"{ratio:,.0f} {TIMES}" if peer > ours * 10 else f"{ratio:.2g} {TIMES}"
