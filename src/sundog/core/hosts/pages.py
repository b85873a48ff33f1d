"""Memory pages: the small ones, and the pools of huge ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SMALL_PAGE_KB: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePool:
    """The huge pages of one size on one cell; ``total`` counts pages."""

    size_kb: int
    total: int
