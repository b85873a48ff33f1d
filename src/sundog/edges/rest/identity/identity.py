"""What clients ask Keystone for beside tokens: who is who."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.identity.tokens import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sundog.core.access.people import Project, User
    from sundog.edges.rest.ask import Ask

_DOMAIN: Final = {**DOMAIN, "enabled": True}


def versions(ask: Ask) -> Answer:
    """``GET /identity``."""
    return Answer(body={"versions": {"values": [_version(ask)]}})


def version(ask: Ask) -> Answer:
    """``GET /identity/v3``: what clients discover by."""
    return Answer(body={"version": _version(ask)})


def projects(ask: Ask) -> Answer:
    """``GET /identity/v3/projects``, by ``name``; one's own, or all for the admin."""
    return _list(ask, "projects", [project_body(one) for one in _projects(ask)])


def own_projects(ask: Ask) -> Answer:
    """``GET /identity/v3/auth/projects``: where the caller may go."""
    return projects_of(ask, ask.caller.user_id)


def projects_of(ask: Ask, key: str) -> Answer:
    """``GET /identity/v3/users/{id}/projects``."""
    found = next((one for one in _users(ask) if one.id == key), None)
    if found is None:
        raise Fault(404, f"Could not find user: {key}.")
    people = ask.books.door.people
    theirs = [project_body(one) for one in people.projects if one.id in found.roles]
    return _list(ask, "projects", theirs)


def project(ask: Ask, key: str) -> Answer:
    """``GET /identity/v3/projects/{id}``."""
    return _one("project", key, [project_body(one) for one in _projects(ask)])


def users(ask: Ask) -> Answer:
    """``GET /identity/v3/users``, filtered by ``name``; oneself, or the admin's all."""
    return _list(ask, "users", [user_body(one) for one in _users(ask)])


def user(ask: Ask, key: str) -> Answer:
    """``GET /identity/v3/users/{id}``."""
    return _one("user", key, [user_body(one) for one in _users(ask)])


def domains(ask: Ask) -> Answer:
    """``GET /identity/v3/domains``, filtered by ``name``."""
    return _list(ask, "domains", [_DOMAIN])


def domain(_: Ask, key: str) -> Answer:
    """``GET /identity/v3/domains/{id}``."""
    return _one("domain", key, [_DOMAIN])


def _list(ask: Ask, kind: str, things: Sequence[Mapping[str, object]]) -> Answer:
    name = ask.query.text("name")
    found = [thing for thing in things if name in (None, thing["name"])]
    links = {"self": ask.link(f"/{kind}"), "next": None, "previous": None}
    return Answer(body={kind: found, "links": links})


def _one(kind: str, key: str, things: Sequence[Mapping[str, object]]) -> Answer:
    for thing in things:
        if thing["id"] == key:
            return Answer(body={kind: thing})
    raise Fault(404, f"Could not find {kind}: {key}.")


def _projects(ask: Ask) -> list[Project]:
    """Return the projects that the caller may know of."""
    caller, people = ask.caller, ask.books.door.people
    own = {one for user in _users(ask) for one in user.roles}
    return [one for one in people.projects if caller.is_admin or one.id in own]


def _users(ask: Ask) -> list[User]:
    caller, people = ask.caller, ask.books.door.people
    return [one for one in people.users if caller.is_admin or one.id == caller.user_id]


def project_body(project: Project) -> dict[str, object]:
    """Return a project as Keystone shows it."""
    return {
        "id": project.id,
        "name": project.name,
        "domain_id": DOMAIN["id"],
        "enabled": True,
        "is_domain": False,
    }


def user_body(user: User) -> dict[str, object]:
    """Return a user as Keystone shows it."""
    return {
        "id": user.id,
        "name": user.name,
        "domain_id": DOMAIN["id"],
        "enabled": True,
    }


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
