"""``/v3/auth``: sign in, and what a token stands for, as Keystone tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

import msgspec

from sundog.core.errors import UnauthorizedError
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault
from sundog.workflows.access.sign_in import Scope

if TYPE_CHECKING:
    from datetime import datetime

    from sundog.core.access.people import Role
    from sundog.edges.rest.ask import Ask
    from sundog.workflows.access.sign_in import Session

DOMAIN: Final = {"id": "default", "name": "Default"}
_NAMESPACE: Final = UUID("5d000000-0000-4000-8000-0000000000d4")
_PATHS: Final = {
    "compute": ("nova", "/compute/v2.1"),
    "placement": ("placement", "/placement"),
    "image": ("glance", "/image"),
    "identity": ("keystone", "/identity"),
}


class DomainRef(msgspec.Struct):
    """A domain by id or name; there is one."""

    id: str | None = None
    name: str | None = None


class UserRef(msgspec.Struct):
    """A user by id, or by name."""

    password: str
    id: str | None = None
    name: str | None = None
    domain: DomainRef | None = None


class PasswordMethod(msgspec.Struct):
    """``identity.password``."""

    user: UserRef


class TokenMethod(msgspec.Struct):
    """``identity.token``."""

    id: str


class IdentityPart(msgspec.Struct):
    """``auth.identity``: how one proves who one is."""

    methods: list[str]
    password: PasswordMethod | None = None
    token: TokenMethod | None = None


class ProjectRef(msgspec.Struct):
    """A project by id, or by name."""

    id: str | None = None
    name: str | None = None
    domain: DomainRef | None = None


class ScopePart(msgspec.Struct):
    """``auth.scope``: only projects are served."""

    project: ProjectRef | None = None
    domain: dict[str, object] | None = None
    system: dict[str, object] | None = None


class AuthPart(msgspec.Struct):
    """``auth``; a scope of text is ``unscoped``."""

    identity: IdentityPart
    scope: ScopePart | str | None = None


class AuthBody(msgspec.Struct):
    """``POST /v3/auth/tokens``."""

    auth: AuthPart


def create(ask: Ask) -> Answer:
    """``POST /v3/auth/tokens``: methods password and token."""
    auth = ask.read(AuthBody).auth
    scope, door, proof = _scope(auth.scope), ask.books.door, auth.identity
    if proof.methods == ["password"] and proof.password:
        user = proof.password.user
        _check_domain(user.domain)
        token, session = door.sign_in(user.id or user.name or "", user.password, scope)
    elif proof.methods == ["token"] and proof.token:
        token, session = door.rescope(proof.token.id, scope)
    else:
        raise Fault(
            400,
            "auth.identity.methods: one of password and token is served, with a part "
            "of that name.",
        )
    return Answer(
        body={"token": _document(ask, session)},
        status=201,
        headers={"X-Subject-Token": token, "Vary": "X-Auth-Token"},
    )


def show(ask: Ask) -> Answer:
    """``GET /v3/auth/tokens``: what ``X-Subject-Token`` stands for."""
    subject = _subject(ask)
    session = ask.books.door.session(subject)
    return Answer(
        body={"token": _document(ask, session)}, headers={"X-Subject-Token": subject}
    )


def delete(ask: Ask) -> Answer:
    """``DELETE /v3/auth/tokens``: end a token."""
    ask.books.door.sign_out(_subject(ask))
    return Answer(status=204)


def catalog(ask: Ask) -> Answer:
    """``GET /v3/auth/catalog``."""
    links = {"self": ask.link("/auth/catalog"), "next": None, "previous": None}
    return Answer(body={"catalog": _catalog(ask), "links": links})


def roles_of(role: Role | None) -> list[dict[str, str]]:
    """Return a role and those that it implies, as documents."""
    return [
        {"id": uuid5(_NAMESPACE, one.word).hex, "name": one.word}
        for one in (role.implied if role else ())
    ]


def _subject(ask: Ask) -> str:
    """Return the token asked about; raises Fault 404 for one that is another's."""
    subject = ask.request.headers.get("X-Subject-Token", "")
    if not subject:
        raise Fault(400, "The header X-Subject-Token is missing.")
    try:
        owner = ask.books.door.session(subject).caller.user_id
    except UnauthorizedError:
        raise Fault(404, "Could not find the token.") from None
    if not ask.caller.is_admin and owner != ask.caller.user_id:
        raise Fault(403, "Only an admin may look at the tokens of others.")
    return subject


def _scope(said: ScopePart | str | None) -> Scope:
    if isinstance(said, ScopePart) and said.project:
        project = said.project
        _check_domain(project.domain)
        return Scope(project_id=project.id or "", project_name=project.name or "")
    if isinstance(said, ScopePart) and (said.domain or said.system):
        raise UnauthorizedError(
            "Sundog serves tokens of a project, none of a domain or the system."
        )
    return Scope()


def _check_domain(said: DomainRef | None) -> None:
    """Raise UnauthorizedError for a domain that there is not."""
    if said is None:
        return
    if said.id not in (None, DOMAIN["id"]) or said.name not in (None, DOMAIN["name"]):
        raise UnauthorizedError("The request you have made requires authentication.")


def _document(ask: Ask, session: Session) -> dict[str, object]:
    caller = session.caller
    document: dict[str, object] = {
        "methods": list(session.methods),
        "user": {
            "id": caller.user_id,
            "name": caller.user_name,
            "domain": DOMAIN,
            "password_expires_at": None,
        },
        "audit_ids": [session.audit_id],
        "issued_at": _time(session.issued),
        "expires_at": _time(session.expires),
    }
    if caller.project is None:
        return document
    return document | {
        "project": {
            "id": caller.project.id,
            "name": caller.project.name,
            "domain": DOMAIN,
        },
        "is_domain": False,
        "roles": roles_of(caller.role),
        "catalog": _catalog(ask),
    }


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _catalog(ask: Ask) -> list[dict[str, object]]:
    return [
        {
            "id": uuid5(_NAMESPACE, kind).hex,
            "type": kind,
            "name": name,
            "endpoints": _endpoints(ask, kind, path),
        }
        for kind, (name, path) in _PATHS.items()
    ]


def _endpoints(ask: Ask, kind: str, path: str) -> list[dict[str, str]]:
    url = f"{ask.host_url}{path}"
    if kind == "placement" and ask.books.placement:
        url = ask.books.placement
    region = ask.books.region
    return [
        {
            "id": uuid5(_NAMESPACE, f"{kind} {interface}").hex,
            "interface": interface,
            "region": region,
            "region_id": region,
            "url": url,
        }
        for interface in ("public", "internal", "admin")
    ]
