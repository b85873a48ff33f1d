"""``make docs``: writes the pages that are drawn from code."""

from __future__ import annotations

from pathlib import Path

from scripts.life_diagrams import lives_page

DOCS = Path(__file__).parents[1] / "docs"

if __name__ == "__main__":
    (DOCS / "lives.md").write_text(lives_page(), encoding="utf-8")
