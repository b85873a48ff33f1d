"""The admin adds projects, users and roles with Keystone's calls."""

from __future__ import annotations

from typing import Any

import pytest
from tests.edges.rest.access.locked import ALPHA, ask_token, locked_world, token_of
from tests.edges.rest.world import World, body_of

IDENTITY = "/identity/v3"
GOOD = "a good password"


@pytest.fixture
def world() -> World:
    return locked_world()


@pytest.fixture
def root(world: World) -> dict[str, str]:
    return token_of(world, "root")


def call(
    world: World, who: dict[str, str], method: str, path: str, body: object = None
) -> Any:
    """Send a request; returns the status and what came back."""
    answer = world.call(method, path, body, headers=who, base=IDENTITY)
    return answer.status_code, answer.json


def add(world: World, who: dict[str, str], kind: str, **fields: object) -> str:
    """Add a project or a user; returns its id."""
    status, told = call(world, who, "POST", f"/{kind}s", {kind: fields})
    assert status == 201, told
    return str(told[kind]["id"])


def role_of(world: World, who: dict[str, str], word: str) -> str:
    """Find a role's id by its name."""
    (role,) = call(world, who, "GET", f"/roles?name={word}")[1]["roles"]
    assert call(world, who, "GET", f"/roles/{role['id']}") == (200, {"role": role})
    return str(role["id"])


def sign_in(world: World, password: str = GOOD) -> Any:
    """Sign in as carl in gamma."""
    user = {"name": "carl", "password": password, "domain": {"id": "default"}}
    return ask_token(
        world,
        {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "gamma", "domain": {"id": "default"}}},
        },
    )


def test_who_was_added_signs_in_until_gone(world: World, root: dict[str, str]) -> None:
    project = add(world, root, "project", name="gamma", description="not kept")
    user = add(world, root, "user", name="carl", password=GOOD, email="c@x")
    assert sign_in(world).status_code == 401
    member = role_of(world, root, "member")
    grants = f"/projects/{project}/users/{user}/roles"
    assert call(world, root, "PUT", f"{grants}/{member}")[0] == 204
    (told,) = call(world, root, "GET", grants)[1]["roles"]
    assert told["name"] == "member"
    assert sign_in(world, "another").status_code == 401
    answer = sign_in(world)
    assert answer.status_code == 201
    carl = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    assert world.call("GET", "/servers", headers=carl).status_code == 200
    assert call(world, root, "DELETE", f"{grants}/{member}")[0] == 204
    assert world.call("GET", "/servers", headers=carl).status_code == 401
    assert call(world, root, "DELETE", f"{grants}/{member}")[0] == 404
    call(world, root, "PUT", f"{grants}/{member}")
    assert call(world, root, "DELETE", f"/users/{user}")[0] == 204
    assert sign_in(world).status_code == 401
    assert call(world, root, "DELETE", f"/projects/{project}")[0] == 204
    assert call(world, root, "GET", f"/projects/{project}")[0] == 404


def test_passwords_are_kept_as_hashes(world: World, root: dict[str, str]) -> None:
    add(world, root, "user", name="carl", password=GOOD)
    (carl,) = [one for one in world.books.door.people.users if one.name == "carl"]
    assert carl.is_hashed
    assert GOOD not in carl.password


def test_what_stands_in_the_file_is_changed_there(
    world: World, root: dict[str, str]
) -> None:
    for path in (f"/projects/{ALPHA.id}", "/users/u-alice"):
        status, told = call(world, root, "DELETE", path)
        assert status == 403
        assert "stands in the users file" in told["error"]["message"]
    reader = role_of(world, root, "reader")
    path = f"/projects/{ALPHA.id}/users/u-alice/roles/{reader}"
    assert call(world, root, "DELETE", path)[0] == 404
    (told,) = call(world, root, "GET", path.rpartition("/")[0])[1]["roles"]
    assert told["name"] == "member"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/projects", {"project": {"name": "alpha"}}, 409),
        ("POST", "/projects", {"project": {"name": ""}}, 400),
        ("POST", "/projects", {"project": {"name": "x", "enabled": False}}, 400),
        ("POST", "/projects", {"project": {"name": "x", "domain_id": "y"}}, 404),
        ("POST", "/users", {"user": {"name": "alice", "password": "x"}}, 409),
        ("POST", "/users", {"user": {"name": "x", "password": ""}}, 400),
        ("POST", "/users", {"user": {"name": "x"}}, 400),
        ("POST", "/roles", {"role": {"name": "member"}}, 409),
        ("POST", "/roles", {"role": {"name": "owner"}}, 403),
        ("GET", "/roles/nobody", None, 404),
        ("GET", "/projects/nobody/users/u-alice/roles", None, 404),
        ("PUT", f"/projects/{ALPHA.id}/users/u-alice/roles/nobody", None, 404),
        ("DELETE", "/users/nobody", None, 404),
        ("DELETE", "/projects/nobody", None, 404),
    ],
)
def test_what_cannot_be_is_refused(
    world: World,
    root: dict[str, str],
    method: str,
    path: str,
    body: object,
    status: int,
) -> None:
    told = call(world, root, method, path, body)
    assert told[0] == status
    assert told[1]["error"]["code"] == status


def test_only_the_admin_adds_people(world: World) -> None:
    alice = token_of(world, "alice")
    body = {"project": {"name": "x"}}
    assert call(world, alice, "POST", "/projects", body)[0] == 403


def test_where_nobody_signs_in_nobody_is_added() -> None:
    status, told = call(World(), {}, "POST", "/projects", {"project": {"name": "x"}})
    assert status == 403
    assert "users_file" in told["error"]["message"]
    assert body_of(World().call("GET", "/roles", base=IDENTITY))["roles"]
