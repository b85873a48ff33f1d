"""Parts of a server: metadata, tags, addresses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.server_fields import metadata, tags
from sundog.edges.rest.compute.servers import find
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sundog.core.lives.server import Server
    from sundog.edges.rest.ask import Ask


class MetadataBody(msgspec.Struct, forbid_unknown_fields=True):
    """``{"metadata": {KEY: TEXT}}``."""

    metadata: dict[str, str]


class MetaBody(msgspec.Struct, forbid_unknown_fields=True):
    """``{"meta": {KEY: TEXT}}``, one key."""

    meta: dict[str, str]


class TagsBody(msgspec.Struct, forbid_unknown_fields=True):
    """``{"tags": [TEXT]}``."""

    tags: list[str]


def metadata_index(ask: Ask, server_id: str) -> Answer:
    """``GET /servers/{id}/metadata``."""
    return Answer(body={"metadata": dict(find(ask, server_id).metadata)})


def metadata_add(ask: Ask, server_id: str) -> Answer:
    """``POST /servers/{id}/metadata``: add or change some."""
    given = ask.read(MetadataBody).metadata
    server = find(ask, server_id)
    return Answer(
        body={"metadata": _keep_metadata(ask, server, {**server.metadata, **given})}
    )


def metadata_replace(ask: Ask, server_id: str) -> Answer:
    """``PUT /servers/{id}/metadata``: these and no others."""
    given = ask.read(MetadataBody).metadata
    return Answer(body={"metadata": _keep_metadata(ask, find(ask, server_id), given)})


def meta_show(ask: Ask, server_id: str, key: str) -> Answer:
    """``GET /servers/{id}/metadata/{key}``."""
    return Answer(body={"meta": {key: _meta(find(ask, server_id), key)}})


def meta_set(ask: Ask, server_id: str, key: str) -> Answer:
    """``PUT /servers/{id}/metadata/{key}``."""
    given = ask.read(MetaBody).meta
    if set(given) != {key}:
        raise Fault(400, "Request body and URI mismatch")
    server = find(ask, server_id)
    _keep_metadata(ask, server, {**server.metadata, **given})
    return Answer(body={"meta": given})


def meta_delete(ask: Ask, server_id: str, key: str) -> Answer:
    """``DELETE /servers/{id}/metadata/{key}``."""
    server = find(ask, server_id)
    _meta(server, key)
    left = {name: text for name, text in server.metadata.items() if name != key}
    _keep_metadata(ask, server, left)
    return Answer(status=204)


def tags_index(ask: Ask, server_id: str) -> Answer:
    """``GET /servers/{id}/tags``."""
    return Answer(body={"tags": sorted(find(ask, server_id).tags)})


def tags_replace(ask: Ask, server_id: str) -> Answer:
    """``PUT /servers/{id}/tags``: these and no others."""
    given = ask.read(TagsBody).tags
    changed = _keep_tags(ask, find(ask, server_id), given)
    return Answer(body={"tags": sorted(changed.tags)})


def tags_clear(ask: Ask, server_id: str) -> Answer:
    """``DELETE /servers/{id}/tags``."""
    _keep_tags(ask, find(ask, server_id), ())
    return Answer(status=204)


def tag_show(ask: Ask, server_id: str, tag: str) -> Answer:
    """``GET /servers/{id}/tags/{tag}``: 204 if it is there."""
    _check_tagged(find(ask, server_id), tag)
    return Answer(status=204)


def tag_add(ask: Ask, server_id: str, tag: str) -> Answer:
    """``PUT /servers/{id}/tags/{tag}``: 201, or 204 if it was there."""
    server = find(ask, server_id)
    if tag in server.tags:
        return Answer(status=204)
    _keep_tags(ask, server, {*server.tags, tag})
    return Answer(
        status=201, headers={"Location": ask.link(f"/servers/{server.id}/tags/{tag}")}
    )


def tag_delete(ask: Ask, server_id: str, tag: str) -> Answer:
    """``DELETE /servers/{id}/tags/{tag}``."""
    server = find(ask, server_id)
    _check_tagged(server, tag)
    _keep_tags(ask, server, server.tags - {tag})
    return Answer(status=204)


def addresses(ask: Ask, server_id: str) -> Answer:
    """``GET /servers/{id}/ips``: there are none."""
    find(ask, server_id)
    return Answer(body={"addresses": {}})


def _keep_metadata(ask: Ask, server: Server, values: dict[str, str]) -> dict[str, str]:
    checked = metadata(ask, values)
    ask.books.servers.change(server.id, lambda old: replace(old, metadata=checked))
    return checked


def _meta(server: Server, key: str) -> str:
    if key not in server.metadata:
        raise Fault(404, "Metadata item was not found")
    return server.metadata[key]


def _keep_tags(ask: Ask, server: Server, values: Iterable[str]) -> Server:
    checked = tags(tuple(values))
    return ask.books.servers.change(server.id, lambda old: replace(old, tags=checked))


def _check_tagged(server: Server, tag: str) -> None:
    if tag not in server.tags:
        raise Fault(404, f"Instance {server.id} has no tag {tag!r}")
