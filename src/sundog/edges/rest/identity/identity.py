"""What clients ask Keystone for, answered without one: one project, one user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask

_DOMAIN: Final = "default"


def versions(ask: Ask) -> Answer:
    """``GET /identity``."""
    return Answer(body={"versions": {"values": [_version(ask)]}})


def version(ask: Ask) -> Answer:
    """``GET /identity/v3``: what clients discover by."""
    return Answer(body={"version": _version(ask)})


def projects(ask: Ask) -> Answer:
    """``GET /identity/v3/projects``, filtered by ``name``."""
    return _list(ask, "projects", _project(ask))


def project(ask: Ask, key: str) -> Answer:
    """``GET /identity/v3/projects/{id}``."""
    return _one("project", key, _project(ask))


def users(ask: Ask) -> Answer:
    """``GET /identity/v3/users``, filtered by ``name``."""
    return _list(ask, "users", _user(ask))


def user(ask: Ask, key: str) -> Answer:
    """``GET /identity/v3/users/{id}``."""
    return _one("user", key, _user(ask))


def domains(ask: Ask) -> Answer:
    """``GET /identity/v3/domains``, filtered by ``name``."""
    return _list(ask, "domains", _domain())


def domain(_: Ask, key: str) -> Answer:
    """``GET /identity/v3/domains/{id}``."""
    return _one("domain", key, _domain())


def _list(ask: Ask, kind: str, thing: dict[str, object]) -> Answer:
    name = ask.query.text("name")
    found = [thing] if name in (None, thing["name"]) else []
    links = {"self": ask.link(f"/{kind}"), "next": None, "previous": None}
    return Answer(body={kind: found, "links": links})


def _one(kind: str, key: str, thing: dict[str, object]) -> Answer:
    if key != thing["id"]:
        raise Fault(404, f"Could not find {kind}: {key}.")
    return Answer(body={kind: thing})


def _project(ask: Ask) -> dict[str, object]:
    identity = ask.books.identity
    return {
        "id": identity.project_id,
        "name": identity.project_name,
        "domain_id": _DOMAIN,
        "enabled": True,
        "is_domain": False,
    }


def _user(ask: Ask) -> dict[str, object]:
    identity = ask.books.identity
    return {
        "id": identity.user_id,
        "name": identity.user_name,
        "domain_id": _DOMAIN,
        "enabled": True,
    }


def _domain() -> dict[str, object]:
    return {"id": _DOMAIN, "name": "Default", "enabled": True}


def _version(ask: Ask) -> dict[str, object]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{ask.host_url}/identity/v3/"}],
        "media-types": [
            {
                "base": "application/json",
                "type": "application/vnd.openstack.identity-v3+json",
            }
        ],
    }
