"""Glance's v2, read-only."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.query import MOST_ITEMS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sundog.edges.rest.ask import Ask
    from sundog.workflows.ports import Image

_NEWEST: Final = "v2.16"
# What every image of ours is; another value asked for matches none.
_CONSTANT: Final = {
    "status": "active",
    "visibility": "public",
    "container_format": "bare",
    "protected": "false",
    "os_hidden": "false",
}
_PAGE: Final = 25


def versions(ask: Ask) -> Answer:
    """``GET /image``: what clients discover by."""
    link = {"rel": "self", "href": f"{ask.host_url}/image/v2/"}
    version = {"id": _NEWEST, "status": "CURRENT", "links": [link]}
    return Answer(body={"versions": [version]})


def index(ask: Ask) -> Answer:
    """``GET /v2/images``, by name; filters ``name``, ``id`` and ``in:`` lists."""
    images = [image for image in ask.books.images.list() if _is_wanted(ask, image)]
    part, marker = _page(ask, images)
    body: dict[str, object] = {
        "images": [_body(image) for image in part],
        "first": "/v2/images",
        "schema": "/v2/schemas/images",
    }
    if marker:
        pairs = [*ask.query.without("marker"), ("marker", marker)]
        body["next"] = f"/v2/images?{urlencode(pairs)}"
    return Answer(body=body)


def show(ask: Ask, image_id: str) -> Answer:
    """``GET /v2/images/{id}``."""
    return Answer(body=_body(ask.books.images.get(image_id)))


def _page(ask: Ask, images: Sequence[Image]) -> tuple[Sequence[Image], str]:
    limit = ask.query.number("limit")
    most = min(_PAGE if limit is None else limit, MOST_ITEMS)
    start = 0
    marker = ask.query.text("marker")
    if marker is not None:
        ids = [image.id for image in images]
        if marker not in ids:
            raise Fault(400, f"Image {marker[:80]} could not be found for a marker.")
        start = ids.index(marker) + 1
    part = images[start : start + most]
    return part, part[-1].id if part and start + most < len(images) else ""


def _is_wanted(ask: Ask, image: Image) -> bool:
    query = ask.query
    if any(query.text(name) not in (None, word) for name, word in _CONSTANT.items()):
        return False
    return _is_among(query.text("name"), image.name) and _is_among(
        query.text("id"), image.id
    )


def _is_among(wanted: str | None, value: str) -> bool:
    if wanted is None:
        return True
    if wanted.startswith("in:"):
        return value in [one.strip('"') for one in wanted[3:].split(",")]
    return value == wanted


def _body(image: Image) -> dict[str, object]:
    path = f"/v2/images/{image.id}"
    return {
        **image.properties,
        "id": image.id,
        "name": image.name,
        "status": "active",
        "visibility": "public",
        "protected": False,
        "os_hidden": False,
        "owner": None,
        "tags": [],
        "size": image.size,
        "virtual_size": None,
        "disk_format": image.disk_format,
        "container_format": "bare",
        "checksum": image.checksum,
        "min_disk": image.min_disk_gb,
        "min_ram": image.min_ram_mb,
        "created_at": _moment(image.created),
        "updated_at": _moment(image.updated),
        "self": path,
        "file": f"{path}/file",
        "schema": "/v2/schemas/image",
    }


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
