"""Access of projects to private flavors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET, UnsetType

from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask

# Before 2.7 a public flavor takes access that changes nothing, in Nova too.
_STRICT_SINCE: Final = 7


class Tenant(msgspec.Struct, forbid_unknown_fields=True):
    """A project by its id."""

    tenant: str


class AccessChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``POST /flavors/{id}/action``: one of the two."""

    add: Tenant | UnsetType = msgspec.field(default=UNSET, name="addTenantAccess")
    remove: Tenant | UnsetType = msgspec.field(default=UNSET, name="removeTenantAccess")


def index(ask: Ask, flavor_id: str) -> Answer:
    """``GET /flavors/{id}/os-flavor-access``."""
    if ask.books.flavors.get(flavor_id).is_public:
        raise Fault(404, "Access list not available for public flavors.")
    return _listed(ask, flavor_id)


def act(ask: Ask, flavor_id: str) -> Answer:
    """``POST /flavors/{id}/action``: let a project in, or shut it out."""
    change = ask.read(AccessChange)
    flavor = ask.books.flavors.get(flavor_id)
    if isinstance(change.add, Tenant) and change.remove is UNSET:
        if flavor.is_public and ask.since(_STRICT_SINCE):
            raise Fault(409, "Can not add access to a public flavor.")
        project = checks.name("tenant", change.add.tenant)
        ask.books.access.add(flavor_id, project)
    elif isinstance(change.remove, Tenant) and change.add is UNSET:
        project = checks.name("tenant", change.remove.tenant)
        ask.books.access.remove(flavor_id, project)
    else:
        raise Fault(400, "One of addTenantAccess and removeTenantAccess is needed.")
    return _listed(ask, flavor_id)


def _listed(ask: Ask, flavor_id: str) -> Answer:
    shown = [
        {"flavor_id": one.flavor_id, "tenant_id": one.project_id}
        for one in ask.books.access.list(flavor_id)
    ]
    return Answer(body={"flavor_access": shown})
