"""A flavor's extra specs. They are checked when written, at every microversion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.flavor_bodies import ExtraSpecsBody
from sundog.edges.rest.compute.flavors import find
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.edges.rest.ask import Ask

KEY: Final = re.compile(r"[a-zA-Z0-9\-_:. ]{1,255}", re.ASCII)


def index(ask: Ask, flavor_id: str) -> Answer:
    """``GET /flavors/{id}/os-extra_specs``."""
    specs = find(ask, flavor_id).extra_specs
    return Answer(body={"extra_specs": dict(specs)})


def create(ask: Ask, flavor_id: str) -> Answer:
    """``POST /flavors/{id}/os-extra_specs``: add or change some."""
    specs = _texts(ask.read(ExtraSpecsBody).extra_specs)
    ask.books.flavors.set_extra_specs(flavor_id, specs)
    return Answer(body={"extra_specs": specs})


def show(ask: Ask, flavor_id: str, key: str) -> Answer:
    """``GET /flavors/{id}/os-extra_specs/{key}``."""
    specs = find(ask, flavor_id).extra_specs
    if key not in specs:
        raise Fault(404, f"Flavor {flavor_id} has no extra specs with key {key}.")
    return Answer(body={key: specs[key]})


def update(ask: Ask, flavor_id: str, key: str) -> Answer:
    """``PUT /flavors/{id}/os-extra_specs/{key}``: the body has this one key."""
    specs = _texts(ask.read(dict[str, str | int | float]))
    if set(specs) != {key}:
        raise Fault(400, "Request body and URI mismatch")
    ask.books.flavors.set_extra_specs(flavor_id, specs)
    return Answer(body=specs)


def delete(ask: Ask, flavor_id: str, key: str) -> Answer:
    """``DELETE /flavors/{id}/os-extra_specs/{key}``."""
    ask.books.flavors.unset_extra_spec(flavor_id, key)
    return Answer(status=200)


def _texts(specs: Mapping[str, str | float]) -> dict[str, str]:
    texts = {key: str(value) for key, value in specs.items()}
    return checks.pairs("extra_specs", texts, KEY)
