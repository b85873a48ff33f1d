"""Server groups as Nova's API tells them, microversion by microversion."""

from __future__ import annotations

from typing import Any

import pytest
from tests.edges.rest.access.locked import locked_world, token_of
from tests.edges.rest.world import World, body_of

AFFINITY = {"name": "g", "policies": ["affinity"]}
NEWER = {"name": "g", "policy": "anti-affinity", "rules": {"max_server_per_host": 3}}


def make(
    world: World, fields: dict[str, Any], version: str, expect: int = 200
) -> dict[str, Any]:
    """Ask for a group."""
    body = {"server_group": fields}
    answer = world.call("POST", "/os-server-groups", body, version=version)
    assert answer.status_code == expect, answer.text
    found: dict[str, Any] = body_of(answer).get("server_group", {})
    return found


def test_a_group_is_shown_as_the_microversion_asks(world: World) -> None:
    old = make(world, AFFINITY, "2.1")
    assert old == {
        "id": old["id"],
        "name": "g",
        "policies": ["affinity"],
        "members": [],
        "metadata": {},
    }
    path = f"/os-server-groups/{old['id']}"
    assert {"project_id", "user_id"} <= world.get(path, "2.13")["server_group"].keys()
    new = world.get(path, "2.64")["server_group"]
    assert (new["policy"], new["rules"]) == ("affinity", {})
    assert not {"policies", "metadata"} & new.keys()
    assert make(world, NEWER, "2.64")["rules"] == {"max_server_per_host": 3}


def test_groups_are_listed_in_parts_and_forgotten(world: World) -> None:
    ids = sorted(make(world, AFFINITY, "2.1")["id"] for _ in range(3))
    listed = world.get("/os-server-groups?offset=1&limit=1")["server_groups"]
    assert [one["id"] for one in listed] == ids[1:2]
    path = f"/os-server-groups/{ids[0]}"
    assert world.call("DELETE", path).status_code == 204
    assert world.call("DELETE", path).status_code == 404
    assert world.call("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("2.1", {"name": "g"}),
        ("2.1", {"name": "g", "policies": []}),
        ("2.1", {"name": "g", "policies": ["affinity", "anti-affinity"]}),
        ("2.14", {"name": "g", "policies": ["soft-affinity"]}),
        ("2.63", {"name": "g", "policy": "affinity"}),
        ("2.63", {**AFFINITY, "rules": {"max_server_per_host": 3}}),
        ("2.64", AFFINITY),
        ("2.64", {"name": "g", "policy": "nearby"}),
        ("2.64", {**NEWER, "policy": "affinity"}),
        ("2.64", {**NEWER, "rules": {"max_server_per_host": 0}}),
        ("2.64", {**NEWER, "rules": {"max": 1}}),
        ("2.64", {"name": "", "policy": "affinity"}),
    ],
)
def test_a_bad_group_is_refused(
    world: World, version: str, fields: dict[str, Any]
) -> None:
    make(world, fields, version, expect=400)


def test_soft_policies_come_with_2_15(world: World) -> None:
    soft = {"name": "g", "policies": ["soft-anti-affinity"]}
    assert make(world, soft, "2.15")["policies"] == ["soft-anti-affinity"]


def test_a_project_has_at_most_ten(world: World) -> None:
    for _ in range(10):
        make(world, AFFINITY, "2.1")
    make(world, AFFINITY, "2.1", expect=403)


def test_groups_are_the_projects_own() -> None:
    world = locked_world()
    alice, bob = token_of(world, "alice"), token_of(world, "bob", "beta")
    body = {"server_group": AFFINITY}
    made = world.call("POST", "/os-server-groups", body, headers=alice, version="2.1")
    path = f"/os-server-groups/{body_of(made)['server_group']['id']}"
    assert world.call("GET", path, headers=alice).status_code == 200
    assert world.call("GET", path, headers=bob).status_code == 404
    root = token_of(world, "root")
    listed = world.call("GET", "/os-server-groups?all_projects", headers=root)
    assert len(body_of(listed)["server_groups"]) == 1
    rita = token_of(world, "rita")
    assert world.call("DELETE", path, headers=rita).status_code == 403
