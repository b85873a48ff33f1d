"""Projects, users and roles, as the admin adds them with Keystone's calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import NAMESPACE_DNS, uuid5

import msgspec

from sundog.core.access.enrolment import Grant
from sundog.core.access.people import Role
from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.identity.identity import project_body, user_body
from sundog.edges.rest.identity.tokens import DOMAIN

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask
    from sundog.workflows.access.register import Register

_ROLES: Final = {uuid5(NAMESPACE_DNS, f"role {role.word}").hex: role for role in Role}


class NewProject(msgspec.Struct):
    """``project`` of ``POST /projects``; what else Keystone knows is not kept."""

    name: str
    domain_id: str = DOMAIN["id"]
    enabled: bool = True


class NewProjectBody(msgspec.Struct):
    """``POST /projects``."""

    project: NewProject


class NewUser(msgspec.Struct):
    """``user`` of ``POST /users``; what else Keystone knows is not kept."""

    name: str
    password: str
    domain_id: str = DOMAIN["id"]
    enabled: bool = True


class NewUserBody(msgspec.Struct):
    """``POST /users``."""

    user: NewUser


class NewRole(msgspec.Struct):
    """``role`` of ``POST /roles``."""

    name: str


class NewRoleBody(msgspec.Struct):
    """``POST /roles``."""

    role: NewRole


def create_project(ask: Ask) -> Answer:
    """``POST /identity/v3/projects``."""
    new = ask.read(NewProjectBody).project
    _check(new)
    made = _register(ask).add_project(checks.name("name", new.name))
    return Answer(body={"project": project_body(made)}, status=201)


def delete_project(ask: Ask, key: str) -> Answer:
    """``DELETE /identity/v3/projects/{id}``; its servers stay."""
    _register(ask).remove_project(key)
    return Answer(status=204)


def create_user(ask: Ask) -> Answer:
    """``POST /identity/v3/users``."""
    new = ask.read(NewUserBody).user
    _check(new)
    if not new.password:
        raise Fault(400, "A user needs a password.")
    made = _register(ask).add_user(checks.name("name", new.name), new.password)
    return Answer(body={"user": user_body(made)}, status=201)


def delete_user(ask: Ask, key: str) -> Answer:
    """``DELETE /identity/v3/users/{id}``."""
    _register(ask).remove_user(key)
    return Answer(status=204)


def roles(ask: Ask) -> Answer:
    """``GET /identity/v3/roles``, by ``name``."""
    name = ask.query.text("name")
    shown = [_role(key) for key, role in _ROLES.items() if name in (None, role.word)]
    links = {"self": ask.link("/roles"), "next": None, "previous": None}
    return Answer(body={"roles": shown, "links": links})


def role(_: Ask, key: str) -> Answer:
    """``GET /identity/v3/roles/{id}``."""
    if key not in _ROLES:
        raise Fault(404, f"Could not find role: {key}.")
    return Answer(body={"role": _role(key)})


def create_role(ask: Ask) -> Answer:
    """``POST /identity/v3/roles``: there are three, and no others."""
    name = ask.read(NewRoleBody).role.name
    words = [role.word for role in Role]
    if name in words:
        raise Fault(409, f"Duplicate entry found with name {name}.")
    raise Fault(403, f"There are the roles {', '.join(words)}, and no others.")


def granted(ask: Ask, project_id: str, user_id: str) -> Answer:
    """``GET /identity/v3/projects/{id}/users/{id}/roles``: the highest."""
    people = ask.books.door.people
    user = next((one for one in people.users if one.id == user_id), None)
    if user is None or project_id not in {one.id for one in people.projects}:
        raise Fault(404, "Could not find the user or the project.")
    had = user.roles.get(project_id)
    shown = [_role(key) for key, role in _ROLES.items() if role is had]
    return Answer(body={"roles": shown, "links": {"self": None}})


def grant(ask: Ask, project_id: str, user_id: str, role_id: str) -> Answer:
    """``PUT /identity/v3/projects/{id}/users/{id}/roles/{id}``."""
    _register(ask).grant(_grant(project_id, user_id, role_id))
    return Answer(status=204)


def revoke(ask: Ask, project_id: str, user_id: str, role_id: str) -> Answer:
    """``DELETE /identity/v3/projects/{id}/users/{id}/roles/{id}``."""
    _register(ask).revoke(_grant(project_id, user_id, role_id))
    return Answer(status=204)


def _register(ask: Ask) -> Register:
    register = ask.books.door.register
    if register is None:
        raise Fault(
            403, "Nobody signs in here: name a users file, [identity] users_file."
        )
    return register


def _check(new: NewProject | NewUser) -> None:
    if new.domain_id != DOMAIN["id"]:
        raise Fault(404, f"Could not find domain: {new.domain_id[:80]}.")
    if not new.enabled:
        raise Fault(400, "Sundog keeps nobody disabled; leave enabled out.")


def _grant(project_id: str, user_id: str, role_id: str) -> Grant:
    if role_id not in _ROLES:
        raise Fault(404, f"Could not find role: {role_id}.")
    return Grant(user_id=user_id, project_id=project_id, role=_ROLES[role_id].word)


def _role(key: str) -> dict[str, object]:
    word = _ROLES[key].word
    return {"id": key, "name": word, "domain_id": None, "description": None}
