"""Tokens as Keystone tells them."""

from __future__ import annotations

import pytest
from tests.edges.rest.access.locked import (
    ALPHA,
    ask_token,
    locked_world,
    password_of,
    token_of,
)
from tests.edges.rest.world import World, body_of

V3 = "/identity/v3"


@pytest.fixture
def world() -> World:
    return locked_world()


def test_a_token_comes_with_a_catalog(world: World) -> None:
    answer = ask_token(world, password_of("alice", "alpha"))
    token = body_of(answer)["token"]
    assert answer.status_code == 201
    assert token["project"]["id"] == ALPHA.id
    assert [role["name"] for role in token["roles"]] == ["member", "reader"]
    assert {one["type"] for one in token["catalog"]} == {
        "compute",
        "placement",
        "image",
        "identity",
    }
    (compute,) = [one for one in token["catalog"] if one["type"] == "compute"]
    assert {end["interface"] for end in compute["endpoints"]} == {
        "public",
        "internal",
        "admin",
    }
    assert compute["endpoints"][0]["url"] == "http://localhost/compute/v2.1"
    assert compute["endpoints"][0]["region_id"] == "RegionOne"
    assert token["expires_at"] > token["issued_at"]


def test_an_unscoped_token_has_no_catalog_and_gets_a_scope(world: World) -> None:
    headers = token_of(world, "alice", None)
    proof = {"methods": ["token"], "token": {"id": headers["X-Auth-Token"]}}
    scope = {"project": {"id": ALPHA.id}}
    answer = ask_token(world, {"identity": proof, "scope": scope})
    assert body_of(answer)["token"]["methods"] == ["password", "token"]
    assert world.call("GET", "/servers", headers=headers).status_code == 403
    mine = world.call("GET", "/auth/projects", headers=headers, base=V3)
    assert [one["name"] for one in body_of(mine)["projects"]] == ["alpha", "beta"]


def test_a_token_may_be_looked_at_and_ended_by_its_owner(world: World) -> None:
    headers = token_of(world, "alice")
    subject = {**headers, "X-Subject-Token": headers["X-Auth-Token"]}
    shown = world.call("GET", "/auth/tokens", headers=subject, base=V3)
    assert body_of(shown)["token"]["user"]["name"] == "alice"
    catalog = world.call("GET", "/auth/catalog", headers=headers, base="/v3")
    assert body_of(catalog)["catalog"] == body_of(shown)["token"]["catalog"]
    bare = {"X-Subject-Token": headers["X-Auth-Token"]}
    for sent, status in ((bare, 401), (subject, 204), (subject, 401)):
        answer = world.call("DELETE", "/auth/tokens", headers=sent, base=V3)
        assert answer.status_code == status


def test_only_an_admin_looks_at_tokens_of_others(world: World) -> None:
    subject = {"X-Subject-Token": token_of(world, "alice")["X-Auth-Token"]}

    def look(name: str) -> int:
        headers = subject | token_of(world, name)
        answer = world.call("GET", "/auth/tokens", headers=headers, base=V3)
        return answer.status_code

    assert look("root") == 200
    assert look("rita") == 403
    subject["X-Subject-Token"] = "nobody's"
    assert look("root") == 404
    del subject["X-Subject-Token"]
    assert look("root") == 400


@pytest.mark.parametrize(
    ("auth", "status"),
    [
        ({"identity": {"methods": ["password"]}}, 400),
        ({"identity": {"methods": ["totp"]}}, 400),
        ({"identity": {"methods": ["token"], "token": {"id": "nobody's"}}}, 401),
        (password_of("alice", "gamma"), 401),
        (password_of("alice") | {"scope": {"system": {"all": True}}}, 401),
        (password_of("alice") | {"scope": {"project": {"name": 5}}}, 400),
        ({}, 400),
    ],
)
def test_a_bad_request_for_a_token_is_refused_in_keystones_shape(
    world: World, auth: object, status: int
) -> None:
    answer = ask_token(world, auth)
    assert answer.status_code == status
    assert body_of(answer)["error"]["code"] == status


def test_another_domain_is_refused(world: World) -> None:
    auth = password_of("alice", "alpha")
    auth["scope"]["project"]["domain"] = {"name": "other"}
    assert ask_token(world, auth).status_code == 401


def test_people_see_themselves_and_the_admin_sees_all(world: World) -> None:
    def names(kind: str, who: str, project: str = "alpha") -> list[str]:
        headers = token_of(world, who, project)
        answer = world.call("GET", f"/{kind}", headers=headers, base=V3)
        return [one["name"] for one in body_of(answer)[kind]]

    assert names("users", "bob", "beta") == ["bob"]
    assert names("projects", "bob", "beta") == ["beta"]
    assert names("users", "root") == ["root", "alice", "bob", "rita"]
    assert names("projects", "root") == ["alpha", "beta"]
    headers = token_of(world, "rita")
    for path in ("/users/u-alice", "/users/u-alice/projects"):
        answer = world.call("GET", path, headers=headers, base=V3)
        assert answer.status_code == 404
