"""``make docs``: writes the pages that are drawn from code."""

from __future__ import annotations

from pathlib import Path

from scripts.life_diagrams import lives_page
from scripts.picture import picture

DOCS = Path(__file__).parents[1] / "docs"

if __name__ == "__main__":
    (DOCS / "lives.md").write_text(lives_page(), encoding="utf-8")
    (DOCS / "picture.svg").write_text(picture(), encoding="utf-8")
