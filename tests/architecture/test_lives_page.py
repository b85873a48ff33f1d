"""The docs' diagrams are the code's tables."""

from __future__ import annotations

from pathlib import Path

from scripts.life_diagrams import lives_page

PAGE = Path(__file__).parents[2] / "docs" / "lives.md"


def test_the_page_of_lives_is_drawn_from_the_tables() -> None:
    """``make docs`` writes what stands in docs/lives.md."""
    assert PAGE.read_text(encoding="utf-8") == lives_page()
