"""A world where people sign in."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from tests.edges.rest.world import Ticker, World, body_of
from tests.fakes.shelf import FakeShelf

from sundog.core.access.people import People, Project, Role, User
from sundog.workflows.access.register import Register
from sundog.workflows.access.sign_in import LockedDoor

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

ALPHA, BETA = Project(id="a" * 32, name="alpha"), Project(id="b" * 32, name="beta")
PEOPLE = People(
    users=tuple(
        User(id=f"u-{name}", name=name, password=f"pw-{name}", roles=dict(roles))
        for name, roles in (
            ("root", [(ALPHA.id, Role.ADMIN)]),
            ("alice", [(ALPHA.id, Role.MEMBER), (BETA.id, Role.READER)]),
            ("bob", [(BETA.id, Role.MEMBER)]),
            ("rita", [(ALPHA.id, Role.READER)]),
        )
    ),
    projects=(ALPHA, BETA),
)


def locked_world() -> World:
    """Return a world whose door is locked."""
    numbers = count()
    register = Register(PEOPLE, FakeShelf(), lambda: f"salt-{next(numbers):030}")
    door = LockedDoor(register, Ticker(), lambda: f"token-{next(numbers):030}")
    return World(door=door)


def ask_token(world: World, auth: object) -> TestResponse:
    """Ask for a token."""
    return world.call("POST", "/auth/tokens", {"auth": auth}, base="/identity/v3")


def password_of(name: str, project: str | None = None) -> dict[str, Any]:
    """Write the ``auth`` part of a request for a token."""
    domain = {"id": "default"}
    user = {"name": name, "password": f"pw-{name}", "domain": domain}
    auth: dict[str, Any] = {
        "identity": {"methods": ["password"], "password": {"user": user}}
    }
    if project:
        auth["scope"] = {"project": {"name": project, "domain": {"name": "Default"}}}
    return auth


def token_of(world: World, name: str, project: str | None = "alpha") -> dict[str, str]:
    """Sign in; return the header to send."""
    answer = ask_token(world, password_of(name, project))
    assert answer.status_code == 201, answer.text
    assert body_of(answer)["token"]["user"]["name"] == name
    return {"X-Auth-Token": answer.headers["X-Subject-Token"]}
