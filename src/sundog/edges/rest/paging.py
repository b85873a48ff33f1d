"""Pages of a list: ``limit``, ``marker``, and the link to the next page."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from sundog.edges.rest.errors import Fault
from sundog.edges.rest.query import MOST_ITEMS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sundog.edges.rest.ask import Ask

T = TypeVar("T")


def page(
    ask: Ask, items: Sequence[T], id_of: Callable[[T], str], path: str
) -> tuple[Sequence[T], list[dict[str, str]]]:
    """Return a page of ``items`` and the links to the next one (none at the end).

    Raises Fault 400 for a marker that is not there or a bad limit.
    """
    limit = ask.query.number("limit")
    most = MOST_ITEMS if limit is None else min(limit, MOST_ITEMS)
    start = 0
    marker = ask.query.text("marker")
    if marker is not None:
        ids = [id_of(item) for item in items]
        if marker not in ids:
            raise Fault(400, f"marker [{marker[:80]}] not found")
        start = ids.index(marker) + 1
    part = items[start : start + most]
    if not part or start + most >= len(items):
        return part, []
    pairs = [*ask.query.without("marker"), ("marker", id_of(part[-1]))]
    return part, [{"rel": "next", "href": f"{ask.link(path)}?{urlencode(pairs)}"}]
