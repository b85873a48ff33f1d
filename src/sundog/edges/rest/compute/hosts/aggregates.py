"""``/os-aggregates``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.server_fields import METADATA_KEY
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sundog.core.projects.aggregates import Aggregate
    from sundog.edges.rest.ask import Ask

_ID: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_HOST: Final = re.compile(r"[a-zA-Z0-9\-._]{1,255}", re.ASCII)


class NewFields(msgspec.Struct, forbid_unknown_fields=True):
    """``aggregate`` of ``POST /os-aggregates``."""

    name: str
    availability_zone: str | None = None


class NewBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /os-aggregates``."""

    aggregate: NewFields


class ChangedFields(msgspec.Struct, forbid_unknown_fields=True):
    """``aggregate`` of ``PUT /os-aggregates/{id}``."""

    name: str | UnsetType = UNSET
    availability_zone: str | UnsetType | None = UNSET


class ChangedBody(msgspec.Struct, forbid_unknown_fields=True):
    """``PUT /os-aggregates/{id}``."""

    aggregate: ChangedFields


class HostName(msgspec.Struct, forbid_unknown_fields=True):
    """``add_host`` and ``remove_host``."""

    host: str


class Metadata(msgspec.Struct, forbid_unknown_fields=True):
    """``set_metadata``; null takes a key away."""

    metadata: dict[str, str | None]


class WantedImage(msgspec.Struct, forbid_unknown_fields=True):
    """An image of ``POST /os-aggregates/{id}/images``."""

    id: str


class WantedImages(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /os-aggregates/{id}/images``."""

    cache: list[WantedImage]


def index(ask: Ask) -> Answer:
    """``GET /os-aggregates``."""
    every = ask.books.aggregates.all().every
    return Answer(body={"aggregates": [_body(ask, one) for one in every]})


def show(ask: Ask, aggregate_id: str) -> Answer:
    """``GET /os-aggregates/{id}``."""
    one = ask.books.aggregates.all().get(_number(aggregate_id))
    return Answer(body={"aggregate": _body(ask, one)})


def create(ask: Ask) -> Answer:
    """``POST /os-aggregates``; as in Nova the answer tells no hosts and metadata."""
    new = ask.read(NewBody).aggregate
    name = checks.name("name", new.name)
    made = ask.books.aggregates.create(name, _zone(new.availability_zone))
    body = _body(ask, made)
    del body["hosts"], body["metadata"]
    return Answer(body={"aggregate": body})


def update(ask: Ask, aggregate_id: str) -> Answer:
    """``PUT /os-aggregates/{id}``."""
    changed = ask.read(ChangedBody).aggregate
    number = _number(aggregate_id)
    changes: dict[str, str | None] = {}
    if changed.name is not UNSET:
        changes["name"] = checks.name("name", changed.name.strip())
    if changed.availability_zone is not UNSET:
        changes["availability_zone"] = _zone(changed.availability_zone)
    if not changes:
        raise Fault(400, "An aggregate's name or availability_zone is needed.")
    one = ask.books.aggregates.update(number, changes)
    return Answer(body={"aggregate": _body(ask, one)})


def delete(ask: Ask, aggregate_id: str) -> Answer:
    """``DELETE /os-aggregates/{id}``."""
    ask.books.aggregates.delete(_number(aggregate_id))
    return Answer(status=200)


def act(ask: Ask, aggregate_id: str) -> Answer:
    """``POST /os-aggregates/{id}/action``: a body with exactly one action."""
    body = ask.read(dict[str, object])
    if len(body) != 1:
        raise Fault(400, "A body with exactly one action is needed.")
    [(name, value)] = body.items()
    if name not in _ACTIONS:
        raise Fault(400, f"There is no such action: {name[:80]!r}")
    shape, deed = _ACTIONS[name]
    try:
        read = msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise Fault(400, f"Invalid input for {name}: {error}") from None
    one = deed(ask, _number(aggregate_id), read)
    return Answer(body={"aggregate": _body(ask, one)})


def images(ask: Ask, aggregate_id: str) -> Answer:
    """``POST /os-aggregates/{id}/images``, from 2.81 on.

    Hosts read images where the image service keeps them, so that none has to be
    fetched before it is used.
    """
    wanted = [one.id for one in ask.read(WantedImages).cache]
    number = _number(aggregate_id)
    if not wanted:
        raise Fault(400, "Invalid input for field/attribute cache: [] is too short")
    for one in wanted:
        try:
            UUID(one)
        except ValueError:
            raise Fault(
                400,
                f"Invalid input for field/attribute id. Value: {one[:80]!r} is not a "
                "'uuid'",
            ) from None
    if len(set(wanted)) < len(wanted):
        raise Fault(400, "Duplicate images in request")
    ask.books.aggregates.all().get(number)
    return Answer(status=202)


def _add_host(ask: Ask, number: int, body: HostName) -> Aggregate:
    return ask.books.aggregates.add_host(number, _host(body))


def _remove_host(ask: Ask, number: int, body: HostName) -> Aggregate:
    return ask.books.aggregates.remove_host(number, _host(body))


def _set_metadata(ask: Ask, number: int, body: Metadata) -> Aggregate:
    checks.pairs(
        "metadata",
        {key: text or "" for key, text in body.metadata.items()},
        METADATA_KEY,
    )
    return ask.books.aggregates.set_metadata(number, body.metadata)


_ACTIONS: Final[dict[str, tuple[Any, Callable[[Ask, int, Any], Aggregate]]]] = {
    "add_host": (HostName, _add_host),
    "remove_host": (HostName, _remove_host),
    "set_metadata": (Metadata, _set_metadata),
}


def _number(text: str) -> int:
    if not _ID.fullmatch(text):
        raise Fault(400, "Invalid input received: id must be an integer")
    return int(text)


def _host(body: HostName) -> str:
    if not _HOST.fullmatch(body.host):
        raise Fault(
            400,
            f"Invalid input for field/attribute host. Value: {body.host[:80]!r} is not "
            "a host's name.",
        )
    return body.host


def _zone(name: str | None) -> str | None:
    if name is None:
        return None
    checks.name("availability_zone", name)
    if ":" in name:
        raise Fault(
            400,
            f"Invalid input for field/attribute availability_zone. Value: "
            f"{name[:80]!r}. It has no ':'.",
        )
    return name


def _body(ask: Ask, one: Aggregate) -> dict[str, object]:
    body: dict[str, object] = {
        "id": one.id,
        "name": one.name,
        "availability_zone": one.zone,
        "hosts": list(one.hosts),
        "metadata": dict(one.metadata),
        "created_at": _time(one.created),
        "updated_at": _time(one.updated) if one.updated else None,
        "deleted": False,
        "deleted_at": None,
    }
    if ask.since(41):
        body["uuid"] = str(one.uuid)
    return body


def _time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f")
