"""Roles are enforced in one place, by one table."""

from __future__ import annotations

import pytest
from tests.edges.rest.access.locked import BETA, locked_world, token_of
from tests.edges.rest.world import IMAGE, World, body_of
from werkzeug import Request, Response
from werkzeug.test import Client

from sundog.core.access.people import Role
from sundog.edges.rest.app import build_app
from sundog.edges.rest.policy import ADMIN_ACTIONS, POLICY, needed
from sundog.edges.rest.routes import ROUTES

FLAVOR = {"name": "m1", "ram": 512, "vcpus": 1, "disk": 1, "id": "m1"}


@pytest.fixture
def world() -> World:
    return locked_world()


def flavor(world: World) -> None:
    """Let the admin make a flavor."""
    root = token_of(world, "root")
    body = {"flavor": FLAVOR}
    assert world.call("POST", "/flavors", body, headers=root).status_code == 200


def create(world: World, who: dict[str, str], **more: str) -> str:
    """Create a server; returns its id."""
    server = {"name": "web", "flavorRef": "m1", "imageRef": IMAGE.id, **more}
    body = {"server": server | {"networks": "none"}}
    answer = world.call("POST", "/servers", body, headers=who)
    assert answer.status_code == 202, answer.text
    return str(body_of(answer)["server"]["id"])


def test_every_line_of_the_table_is_a_route() -> None:
    paths = {(route.api.value, route.path) for route in ROUTES}
    for api, table in POLICY.items():
        for line in table:
            assert (
                any(
                    name == api and (path == line or path.startswith(f"{line}/"))
                    for name, path in paths
                )
                or line == "/"
            ), (api, line)


def test_what_hosts_are_is_the_admins() -> None:
    for route in ROUTES:
        if route.path.startswith(("/os-hypervisors", "/os-services", "/hosts")):
            assert needed(route) is Role.ADMIN


def test_without_a_token_there_is_a_401_of_keystones(world: World) -> None:
    for headers in ({}, {"X-Auth-Token": "admin"}, {"X-Auth-Token": ""}):
        answer = world.call("GET", "/servers", headers=headers)
        assert answer.status_code == 401
        assert body_of(answer)["error"]["title"] == "Unauthorized"
        assert "Keystone uri=" in answer.headers["WWW-Authenticate"]


def test_clients_discover_before_they_sign_in(world: World) -> None:
    for path in ("/", "/compute", "/compute/v2.1/", "/image", "/identity", "/v3"):
        assert world.client.get(path).status_code == 200


def test_a_reader_reads_and_does_not_write(world: World) -> None:
    flavor(world)
    server = create(world, token_of(world, "alice"))
    rita = token_of(world, "rita")
    for path in ("/servers", f"/servers/{server}", "/flavors/detail", "/limits"):
        assert world.call("GET", path, headers=rita).status_code == 200
    for method, path in (
        ("POST", "/servers"),
        ("DELETE", f"/servers/{server}"),
        ("PUT", f"/servers/{server}"),
        ("POST", f"/servers/{server}/action"),
        ("PUT", f"/servers/{server}/metadata"),
    ):
        answer = world.call(method, path, {}, headers=rita)
        assert answer.status_code == 403
        assert "Policy doesn't allow" in body_of(answer)["forbidden"]["message"]


def test_a_member_sees_only_what_is_the_projects(world: World) -> None:
    flavor(world)
    alice, bob = token_of(world, "alice"), token_of(world, "bob", "beta")
    theirs = create(world, bob)
    mine = create(world, alice)
    shown = body_of(world.call("GET", "/servers", headers=alice))["servers"]
    assert [one["id"] for one in shown] == [mine]
    for method in ("GET", "DELETE"):
        answer = world.call(method, f"/servers/{theirs}", headers=alice)
        assert answer.status_code == 404
    everyone = "/servers?all_tenants=1"
    assert world.call("GET", everyone, headers=alice).status_code == 403
    limits = f"/limits?tenant_id={BETA.id}"
    assert world.call("GET", limits, headers=alice).status_code == 403
    root = token_of(world, "root")
    shown = body_of(world.call("GET", everyone, headers=root))["servers"]
    assert {one["id"] for one in shown} == {mine, theirs}
    assert world.call("GET", f"/servers/{theirs}", headers=root).status_code == 200


def test_only_the_admin_is_shown_hosts_of_servers(world: World) -> None:
    flavor(world)
    server = create(world, token_of(world, "alice"))

    def shown(who: str) -> set[str]:
        headers = token_of(world, who)
        answer = world.call("GET", f"/servers/{server}", headers=headers)
        return set(body_of(answer)["server"])

    only_admin = {"OS-EXT-SRV-ATTR:host", "host_status"}
    assert only_admin <= shown("root")
    assert not only_admin & shown("alice")
    assert "OS-EXT-SRV-ATTR:hostname" in shown("alice")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/flavors"),
        ("DELETE", "/flavors/m1"),
        ("POST", "/flavors/m1/os-extra_specs"),
        ("GET", "/os-hypervisors"),
        ("GET", "/os-services"),
        ("GET", "/os-availability-zone/detail"),
        ("GET", "/servers?status=DELETED"),
    ],
)
def test_a_member_may_not_do_what_is_the_admins(
    world: World, method: str, path: str
) -> None:
    answer = world.call(method, path, {}, headers=token_of(world, "alice"))
    assert answer.status_code == 403


@pytest.mark.parametrize("action", sorted(ADMIN_ACTIONS))
def test_some_actions_are_the_admins(world: World, action: str) -> None:
    flavor(world)
    alice = token_of(world, "alice")
    path = f"/servers/{create(world, alice)}/action"
    assert world.call("POST", path, {action: None}, headers=alice).status_code == 403


def test_what_is_mounted_is_for_the_admin(world: World) -> None:
    seen = []

    def mounted(environ, start_response):  # type: ignore[no-untyped-def] # a WSGI application
        seen.append(Request(environ).headers.get("X-Auth-Token"))
        return Response("{}")(environ, start_response)

    client = Client(build_app(world.books, {"/placement": mounted}))

    def status(headers: dict[str, str]) -> int:
        return client.get("/placement/traits", headers=headers).status_code

    assert status({}) == 401
    assert status(token_of(world, "alice")) == 403
    assert seen == []
    assert status(token_of(world, "root")) == 200
    assert client.get("/placement/").status_code == 200
    assert seen == ["admin", None]


def test_a_members_private_flavors_stay_hidden(world: World) -> None:
    root = token_of(world, "root")
    body = {"flavor": FLAVOR | {"os-flavor-access:is_public": False}}
    assert world.call("POST", "/flavors", body, headers=root).status_code == 200
    path = "/flavors?is_public=None"
    alice = token_of(world, "alice")
    assert body_of(world.call("GET", path, headers=alice))["flavors"] == []
    assert len(body_of(world.call("GET", path, headers=root))["flavors"]) == 1
