"""The docs' drawings are what the code draws."""

from __future__ import annotations

from pathlib import Path

from scripts.life_diagrams import lives_page
from scripts.picture import picture

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_lives_is_drawn_from_the_tables() -> None:
    """``make docs`` writes what stands in docs/lives.md."""
    assert (DOCS / "lives.md").read_text(encoding="utf-8") == lives_page()


def test_the_picture_is_what_sundog_show_draws() -> None:
    """``make docs`` writes what stands in docs/picture.svg."""
    assert (DOCS / "picture.svg").read_text(encoding="utf-8") == picture()
