"""Small bars: how much of something is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

if TYPE_CHECKING:
    from sundog.edges.cli.answers import Cell
    from sundog.edges.cli.ink import Signs

_WIDTH: Final = 12
_MIB_PER_GIB: Final = 1024
_NEARLY_FULL: Final = 0.9
_SHARED: Final = "shared"


def cell_bars(cell: Cell, signs: Signs) -> list[Text]:
    """Return a bar each for a cell's CPUs, its memory and its huge pages."""
    bars = []
    if cell["dedicated"]:
        pinned, ours = len(cell["pins"]), len(cell["dedicated"])
        bars.append(bar("pinned", pinned, ours, f"{pinned}/{ours} CPUs", signs))
    if cell["shared"]:
        vcpus, ours = cell["shared_used"], len(cell["shared"])
        bars.append(bar(_SHARED, vcpus, ours, f"{vcpus} on {ours} CPUs", signs))
    used, total = cell["memory_mb_used"], cell["memory_mb"]
    bars.append(bar("memory", used, total, _share(used, total), signs))
    for pages in cell["pages"]:
        used, total = (
            pages[count] * pages["size_kb"] // 1024 for count in ("used", "total")
        )
        label = f"{_page_size(pages['size_kb'])} pages"
        bars.append(bar(label, used, total, _share(used, total), signs))
    return bars


def bar(label: str, used: int, total: int, note: str, signs: Signs) -> Text:
    """Draw ``used`` of ``total``; whatever is used shows, were it ever so little."""
    share = min(1.0, used / total) if total > 0 else 0.0
    full = max(round(share * _WIDTH), 1 if used else 0)
    # vCPUs that float may well be more than the CPUs that they share.
    colour = "red" if share >= _NEARLY_FULL and label != _SHARED else "green"
    return Text.assemble(
        (f"{label} ", "bold"),
        (signs.full * full, colour),
        (signs.rest * (_WIDTH - full), "dim"),
        f" {note}",
    )


def _share(used_mb: int, total_mb: int) -> str:
    return f"{_gib(used_mb)}/{_gib(total_mb)} GiB"


def _gib(mib: int) -> str:
    return f"{mib / _MIB_PER_GIB:.1f}".removesuffix(".0")


def _page_size(size_kb: int) -> str:
    mib = size_kb // 1024
    return f"{mib // 1024}G" if mib >= _MIB_PER_GIB else f"{mib}M"
