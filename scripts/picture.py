"""Draws what ``sundog show`` says as an SVG."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Final

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI

from sundog.edges.cli.picture import draw_hosts

RECORDED: Final = (
    Path(__file__).parents[1] / "tests" / "edges" / "cli" / "recorded" / "demo.json"
)
# The reader's own monospaced font will do; a page fetches nothing from elsewhere.
_FORMAT: Final = re.sub(
    r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL
)


def picture() -> str:
    """Return docs/picture.svg: two hosts as `make demo` had them, once."""
    console = Console(
        record=True, file=io.StringIO(), width=114, force_terminal=True, highlight=False
    )
    draw_hosts(json.loads(RECORDED.read_text(encoding="utf-8"))["hosts"], console)
    return console.export_svg(
        title="sundog show", theme=MONOKAI, code_format=_FORMAT, unique_id="sundog"
    )
