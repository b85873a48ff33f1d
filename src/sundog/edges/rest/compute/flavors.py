"""Flavors: list, show, create, describe, delete."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from sundog.core.requests.flavor import Flavor
from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.flavor_bodies import (
    FlavorChangeBody,
    NewFlavor,
    NewFlavorBody,
    brief,
    full,
)
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.paging import page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sundog.edges.rest.ask import Ask

_ID: Final = re.compile(r"(?! )[a-zA-Z0-9. _-]{1,255}(?<! )", re.ASCII)
_FACTOR: Final = re.compile(r"[0-9]{1,38}(\.[0-9]{1,38})?", re.ASCII)
_LARGEST_FACTOR: Final = 3.40282e38
_QUERY: Final = frozenset(
    {"limit", "marker", "is_public", "minRam", "minDisk", "sort_key", "sort_dir"}
)
_SORT: Final[dict[str, Callable[[Flavor], tuple[object, ...]]]] = {
    "created_at": lambda _: (),
    "updated_at": lambda _: (),
    "disabled": lambda _: (),
    "vcpu_weight": lambda _: (),
    "description": lambda flavor: (flavor.description or "",),
    "ephemeral_gb": lambda flavor: (flavor.ephemeral_gb,),
    "flavorid": lambda flavor: (flavor.id,),
    "id": lambda flavor: (flavor.id,),
    "is_public": lambda flavor: (flavor.is_public,),
    "memory_mb": lambda flavor: (flavor.memory_mb,),
    "name": lambda flavor: (flavor.name,),
    "root_gb": lambda flavor: (flavor.disk_gb,),
    "rxtx_factor": lambda flavor: (flavor.rxtx_factor,),
    "swap": lambda flavor: (flavor.swap_mb,),
    "vcpus": lambda flavor: (flavor.vcpus,),
}


def index(ask: Ask) -> Answer:
    """``GET /flavors``."""
    part, links = page(ask, _chosen(ask), _id_of, "/flavors")
    more = {"flavors_links": links} if links else {}
    return Answer(body={"flavors": [brief(ask, one) for one in part], **more})


def detail(ask: Ask) -> Answer:
    """``GET /flavors/detail``."""
    part, links = page(ask, _chosen(ask), _id_of, "/flavors/detail")
    more = {"flavors_links": links} if links else {}
    return Answer(body={"flavors": [full(ask, one) for one in part], **more})


def show(ask: Ask, flavor_id: str) -> Answer:
    """``GET /flavors/{id}``; a name is no id."""
    return Answer(body={"flavor": full(ask, find(ask, flavor_id))})


def create(ask: Ask) -> Answer:
    """``POST /flavors``."""
    new = ask.read(NewFlavorBody).flavor
    checks.refuse_early(new, {"description": 55}, ask.version)
    if ask.since(102) and new.rxtx_factor is not UNSET:
        raise Fault(
            400, "Additional properties are not allowed ('rxtx_factor' was unexpected)"
        )
    flavor = ask.books.flavors.create(
        Flavor(
            id=_flavor_id(ask, new),
            name=checks.name("name", new.name),
            memory_mb=checks.whole("ram", new.ram, least=1),
            vcpus=checks.whole("vcpus", new.vcpus, least=1),
            disk_gb=checks.whole("disk", new.disk, least=0),
            ephemeral_gb=checks.whole(
                "OS-FLV-EXT-DATA:ephemeral", new.ephemeral, least=0
            ),
            swap_mb=checks.whole("swap", new.swap, least=0),
            rxtx_factor=_factor(new),
            is_public=checks.flag("os-flavor-access:is_public", new.is_public),
            description=checks.description("description", new.description or None),
        )
    )
    return Answer(body={"flavor": full(ask, flavor)})


def update(ask: Ask, flavor_id: str) -> Answer:
    """``PUT /flavors/{id}``, from 2.55 on."""
    text = ask.read(FlavorChangeBody).flavor.description
    flavor = ask.books.flavors.describe(
        flavor_id, checks.description("description", text)
    )
    return Answer(body={"flavor": full(ask, flavor)})


def delete(ask: Ask, flavor_id: str) -> Answer:
    """``DELETE /flavors/{id}``."""
    ask.books.flavors.delete(flavor_id)
    ask.books.access.forget(flavor_id)
    return Answer(status=202)


def find(ask: Ask, flavor_id: str) -> Flavor:
    """Return a flavor; raises Fault 404 for a private one of others."""
    flavor = ask.books.flavors.get(flavor_id)
    if not ask.books.access.may_use(ask.caller, flavor):
        raise Fault(404, f"Flavor {flavor_id} could not be found.")
    return flavor


def _id_of(flavor: Flavor) -> str:
    return flavor.id


def _chosen(ask: Ask) -> Sequence[Flavor]:
    query = ask.query
    if ask.since(75):
        query.refuse_unknown(_QUERY | ({"name"} if ask.since(102) else set()))
    least_ram, least_disk = query.number("minRam") or 0, query.number("minDisk") or 0
    public = _wanted_access(ask)
    name = query.text("name") if ask.since(102) else None
    chosen = [
        flavor
        for flavor in ask.books.flavors.list()
        if flavor.memory_mb >= least_ram
        and flavor.disk_gb >= least_disk
        and (public in (None, flavor.is_public) or _is_let_in(ask, flavor, public))
        and name in (None, flavor.name)
    ]
    key = _SORT[query.choice("sort_key", _SORT.keys(), "flavorid")]
    down = query.choice("sort_dir", ("asc", "desc"), "asc") == "desc"
    return sorted(chosen, key=key, reverse=down)


def _is_let_in(ask: Ask, flavor: Flavor, public: bool | None) -> bool:  # noqa: FBT001 - the query's word
    """Whether a private flavor stands among the public ones: for those let in."""
    return public is True and ask.books.access.is_in(ask.caller.project_id, flavor)


def _wanted_access(ask: Ask) -> bool | None:
    """Read ``is_public``: public ones by default, all for the word None.

    Who is no admin is shown public ones, whatever is asked.
    """
    if not ask.caller.is_admin:
        return True
    text = ask.query.text("is_public")
    if text is not None and text.strip().lower() == "none":
        return None
    return ask.query.flag("is_public", default=True)


def _flavor_id(ask: Ask, new: NewFlavor) -> str:
    if new.id is None:
        return str(ask.books.servers.new_id())
    text = str(new.id)
    if not _ID.fullmatch(text):
        raise Fault(
            400,
            f"Invalid input for field/attribute id. Value: {text[:80]!r}. It must have "
            "1 to 255 of a-z A-Z 0-9 . _ - and spaces, none at its ends.",
        )
    return text


def _factor(new: NewFlavor) -> float:
    raw = 1.0 if new.rxtx_factor is UNSET else new.rxtx_factor
    if not isinstance(raw, str) or _FACTOR.fullmatch(raw):
        try:
            value = float(raw)
        except OverflowError:
            value = math.inf
        if 0 < value <= _LARGEST_FACTOR:
            return value
    raise Fault(
        400,
        "Invalid input for field/attribute rxtx_factor: it must be a number above 0 "
        "and at most 3.40282e+38.",
    )
