"""A private flavor is for the projects that were let in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.edges.rest.access.locked import ALPHA, locked_world, token_of
from tests.edges.rest.world import IMAGE, World, body_of

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

FLAVOR = {"name": "m1", "ram": 512, "vcpus": 1, "disk": 1, "id": "m1"}
SMALL = FLAVOR | {"name": "s1", "id": "s1"}
ADD = {"addTenantAccess": {"tenant": ALPHA.id}}
REMOVE = {"removeTenantAccess": {"tenant": ALPHA.id}}


@pytest.fixture
def world() -> World:
    world = locked_world()
    body = {"flavor": FLAVOR | {"os-flavor-access:is_public": False}}
    root = token_of(world, "root")
    assert world.call("POST", "/flavors", body, headers=root).status_code == 200
    return world


def act(world: World, body: Any, who: str = "root") -> TestResponse:
    """Change who is let in."""
    headers = token_of(world, who)
    return world.call("POST", "/flavors/m1/action", body, headers=headers)


def seen(world: World) -> tuple[list[str], int, int]:
    """Return the flavors that alice is shown, and what show and create answer."""
    alice = token_of(world, "alice")
    listed = body_of(world.call("GET", "/flavors", headers=alice))["flavors"]
    shown = world.call("GET", "/flavors/m1", headers=alice).status_code
    server = {"name": "w", "flavorRef": "m1", "imageRef": IMAGE.id, "networks": "none"}
    made = world.call("POST", "/servers", {"server": server}, headers=alice)
    return [one["id"] for one in listed], shown, made.status_code


def test_a_project_is_let_in_and_shut_out(world: World) -> None:
    assert seen(world) == ([], 404, 400)
    entry = {"flavor_id": "m1", "tenant_id": ALPHA.id}
    assert body_of(act(world, ADD)) == {"flavor_access": [entry]}
    assert seen(world) == (["m1"], 200, 202)
    assert act(world, ADD).status_code == 409
    assert body_of(act(world, REMOVE)) == {"flavor_access": []}
    assert act(world, REMOVE).status_code == 404
    assert seen(world) == ([], 404, 400)


def test_a_private_flavor_is_no_way_out_of_a_small_one(world: World) -> None:
    """Nor are its extra specs told."""
    root, alice = token_of(world, "root"), token_of(world, "alice")
    world.call("POST", "/flavors", {"flavor": SMALL}, headers=root)
    server = {"name": "w", "flavorRef": "s1", "imageRef": IMAGE.id, "networks": "none"}
    made = world.call("POST", "/servers", {"server": server}, headers=alice)
    path = f"/servers/{body_of(made)['server']['id']}/action"
    specs = "/flavors/m1/os-extra_specs"

    def answers() -> tuple[int, int]:
        resized = world.call(
            "POST", path, {"resize": {"flavorRef": "m1"}}, headers=alice
        )
        told = world.call("GET", specs, headers=alice)
        return resized.status_code, told.status_code

    assert answers() == (400, 404)
    assert world.call("GET", f"{specs}/a", headers=alice).status_code == 404
    act(world, ADD)
    assert answers() == (202, 200)


def test_who_is_let_in_is_forgotten_with_the_flavor(world: World) -> None:
    act(world, ADD)
    root = token_of(world, "root")
    path = "/flavors/m1"
    assert world.call("DELETE", path, headers=root).status_code == 202
    body = {"flavor": FLAVOR | {"os-flavor-access:is_public": False}}
    world.call("POST", "/flavors", body, headers=root)
    listed = world.call("GET", f"{path}/os-flavor-access", headers=root)
    assert body_of(listed) == {"flavor_access": []}


def test_only_the_admin_lets_projects_in(world: World) -> None:
    assert act(world, ADD, "alice").status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {**ADD, **REMOVE}, {"addTenantAccess": {}}, {"more": 1}]
)
def test_a_bad_change_is_refused(world: World, body: Any) -> None:
    assert act(world, body).status_code == 400


def test_a_public_flavor_lets_nobody_in() -> None:
    world = World()
    world.flavor("m1")
    for version, status in (("2.6", 200), ("2.7", 409)):
        answer = world.call("POST", "/flavors/m1/action", ADD, version=version)
        assert answer.status_code == status
    assert world.call("GET", "/flavors/m1/os-flavor-access").status_code == 404
