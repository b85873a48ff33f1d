"""Aggregates and availability zones over the compute API."""

from __future__ import annotations

from typing import Any

import pytest
from tests.edges.rest.access.locked import locked_world, token_of
from tests.edges.rest.world import IMAGE, World, body_of


def make(world: World, name: str, zone: str | None = None) -> int:
    """Make an aggregate; returns its id."""
    wanted = {"name": name, "availability_zone": zone}
    answer = world.call("POST", "/os-aggregates", {"aggregate": wanted})
    assert answer.status_code == 200, answer.text
    return int(body_of(answer)["aggregate"]["id"])


def act(world: World, number: int, action: str, value: object, status: int) -> Any:
    """Act on an aggregate; returns it, or the message of the refusal."""
    path = f"/os-aggregates/{number}/action"
    answer = world.call("POST", path, {action: value})
    assert answer.status_code == status, answer.text
    body = body_of(answer)
    return body["aggregate"] if status == 200 else next(iter(body.values()))["message"]


def test_an_aggregate_is_told_as_its_microversion_does(world: World) -> None:
    wanted = {"aggregate": {"name": "a", "availability_zone": "east"}}
    made = body_of(world.call("POST", "/os-aggregates", wanted))["aggregate"]
    assert "hosts" not in made
    assert "metadata" not in made
    path = f"/os-aggregates/{made['id']}"
    shown = world.get(path)["aggregate"]
    assert shown["uuid"] == made["uuid"]
    assert shown["metadata"] == {"availability_zone": "east"}
    assert shown["availability_zone"] == "east"
    assert shown["created_at"].startswith("2026-01-31T12:")
    assert shown["updated_at"] is None
    assert shown["hosts"] == []
    assert "uuid" not in world.get(path, "2.40")["aggregate"]
    assert [one["id"] for one in world.get("/os-aggregates")["aggregates"]] == [1]


def test_an_aggregate_is_changed_and_deleted(world: World) -> None:
    number = make(world, "a")
    path = f"/os-aggregates/{number}"
    change = {"aggregate": {"name": " b ", "availability_zone": "east"}}
    changed = body_of(world.call("PUT", path, change))["aggregate"]
    assert (changed["name"], changed["availability_zone"]) == ("b", "east")
    assert changed["updated_at"]
    told = act(world, number, "set_metadata", {"metadata": {"ssd": "y"}}, 200)
    assert told["metadata"] == {"availability_zone": "east", "ssd": "y"}
    told = act(world, number, "set_metadata", {"metadata": {"ssd": None}}, 200)
    assert told["metadata"] == {"availability_zone": "east"}
    assert world.call("DELETE", path).status_code == 200
    assert world.call("GET", path).status_code == 404


def test_hosts_come_and_go_and_placement_knows(world: World) -> None:
    number = make(world, "a")
    told = act(world, number, "add_host", {"host": "host-a"}, 200)
    assert told["hosts"] == ["host-a"]
    book = world.books.aggregates
    state = world.fleet.state("host-a")
    assert state is not None
    assert book.membership.memberships(state.snapshot.uuid) == {book.all().get(1).uuid}
    again = act(world, number, "add_host", {"host": "host-a"}, 409)
    assert again == "Aggregate 1 already has host host-a."
    assert world.call("DELETE", f"/os-aggregates/{number}").status_code == 400
    assert act(world, number, "remove_host", {"host": "host-a"}, 200)["hosts"] == []
    assert book.membership.memberships(state.snapshot.uuid) == frozenset()
    act(world, number, "remove_host", {"host": "host-a"}, 404)


@pytest.mark.parametrize("action", ["add_host", "remove_host"])
def test_a_host_that_is_not_there_is_refused(world: World, action: str) -> None:
    number = make(world, "a")
    told = act(world, number, action, {"host": "nobody"}, 404)
    assert told == "Compute host nobody could not be found."
    act(world, number, action, {"host": "a b"}, 400)
    act(world, 7, action, {"host": "host-a"}, 404)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"add_host": {"host": "host-a"}, "remove_host": {"host": "host-a"}},
        {"explode": {}},
        {"add_host": None},
        {"add_host": {"host": 3}},
        {"add_host": {"host": "host-a", "more": 1}},
        {"set_metadata": {"metadata": {"a": 1}}},
        {"set_metadata": {"metadata": {"": "x"}}},
        {"set_metadata": {"metadata": {"availability_zone": None}}},
        {"set_metadata": {"metadata": {"availability_zone": "a:b"}}},
    ],
)
def test_an_action_that_is_none_is_refused(world: World, body: object) -> None:
    make(world, "a")
    assert world.call("POST", "/os-aggregates/1/action", body).status_code == 400


@pytest.mark.parametrize("number", ["x", "1.0", "9" * 19])
def test_an_id_is_a_number(world: World, number: str) -> None:
    assert world.call("GET", f"/os-aggregates/{number}").status_code == 400
    assert world.call("GET", "/os-aggregates/-1").status_code == 404


def test_images_are_where_hosts_read_them(world: World) -> None:
    make(world, "a")
    path, image = "/os-aggregates/1/images", {"id": IMAGE.id}

    def ask(cache: list[Any], version: str = "2.81") -> int:
        body = {"cache": cache}
        return world.call("POST", path, body, version=version).status_code

    assert ask([image]) == 202
    assert ask([image], "2.80") == 404
    assert [ask([image, image]), ask([]), ask([{"id": "x"}])] == [400, 400, 400]


def test_zones_are_those_of_hosts(world: World) -> None:
    make(world, "empty", "north")
    act(world, make(world, "a", "east"), "add_host", {"host": "host-a"}, 200)
    zones = world.get("/os-availability-zone")["availabilityZoneInfo"]
    assert [(zone["zoneName"], zone["hosts"]) for zone in zones] == [
        ("east", None),
        ("nova", None),
    ]
    service = world.get("/os-services?host=host-a")["services"][0]
    assert service["zone"] == "east"
    world.call("PUT", f"/os-services/{service['id']}", {"status": "disabled"})
    zones = world.get("/os-availability-zone/detail")["availabilityZoneInfo"]
    assert [
        (
            zone["zoneName"],
            zone["zoneState"]["available"],
            zone["hosts"] and [*zone["hosts"]],
        )
        for zone in zones
    ] == [("nova", True, ["host-b"]), ("east", False, None)]


def test_a_server_goes_where_its_zone_is(world: World) -> None:
    world.flavor("m1")
    for name in ("a", "b"):
        number = make(world, name, f"zone-{name}")
        act(world, number, "add_host", {"host": f"host-{name}"}, 200)
    for name in ("a", "b"):
        server = world.server(availability_zone=f"zone-{name}")
        shown = world.get(f"/servers/{server}")["server"]
        assert shown["OS-EXT-SRV-ATTR:host"] == f"host-{name}"
        assert shown["OS-EXT-AZ:availability_zone"] == f"zone-{name}"
        assert shown["pinned_availability_zone"] == f"zone-{name}"
        listed = world.get(f"/servers?availability_zone=zone-{name}")["servers"]
        assert [one["id"] for one in listed] == [server]
    loose = world.get(f"/servers/{world.server()}")["server"]
    assert loose["OS-EXT-AZ:availability_zone"].startswith("zone-")
    assert loose["pinned_availability_zone"] is None


@pytest.mark.parametrize("zone", ["west", "a:b:c:d", "nova:nobody", "nova::nobody"])
def test_a_zone_or_host_that_is_not_there_is_refused(world: World, zone: str) -> None:
    world.flavor("m1")
    assert world.create(availability_zone=zone).status_code == 400


def test_a_zone_without_room_is_named(world: World) -> None:
    world.flavor("gpu", pci_passthrough__alias="vGPU:1")
    act(world, make(world, "b", "east"), "add_host", {"host": "host-b"}, 200)
    server = world.server(flavor="gpu", availability_zone="east")
    fault = world.get(f"/servers/{server}")["server"]["fault"]["message"]
    assert "1 host has no vGPU, 1 is not in availability zone east" in fault
    told = world.call("GET", "/explain?flavor=gpu&availability_zone=east", base="/v1")
    reasons = {one["host"]: one["reason"] for one in body_of(told)["refusals"]}
    assert "is in availability zone nova, not in east" in reasons["host-a"]


def test_a_forced_host_outside_the_zone_is_refused_by_name(world: World) -> None:
    world.flavor("m1")
    act(world, make(world, "b", "east"), "add_host", {"host": "host-b"}, 200)
    inside = world.server(availability_zone="east:host-b")
    assert world.get(f"/servers/{inside}")["server"]["status"] == "ACTIVE"
    outside = world.server(availability_zone="east:host-a")
    shown = world.get(f"/servers/{outside}")["server"]
    assert shown["status"] == "ERROR"
    assert "availability zone east" in shown["fault"]["message"]


def test_a_flavor_may_ask_for_an_aggregate(world: World) -> None:
    world.flavor("fast", aggregate_instance_extra_specs__ssd="true")
    lost = world.get(f"/servers/{world.server(flavor='fast')}")["server"]
    assert "2 hosts are in no aggregate with ssd=true" in lost["fault"]["message"]
    number = make(world, "a")
    act(world, number, "add_host", {"host": "host-b"}, 200)
    act(world, number, "set_metadata", {"metadata": {"ssd": "true"}}, 200)
    found = world.get(f"/servers/{world.server(flavor='fast')}")["server"]
    assert found["OS-EXT-SRV-ATTR:host"] == "host-b"


def test_a_zone_does_not_change_under_servers(world: World) -> None:
    world.flavor("m1")
    number = make(world, "b", "east")
    server = world.server(availability_zone="nova:host-b")
    told = act(world, number, "add_host", {"host": "host-b"}, 409)
    assert "1 instance(s) in availability zone 'nova'" in told
    world.call("DELETE", f"/servers/{server}")
    act(world, number, "add_host", {"host": "host-b"}, 200)
    world.server(availability_zone="east")
    act(world, number, "remove_host", {"host": "host-b"}, 409)
    change = {"metadata": {"availability_zone": "west"}}
    act(world, number, "set_metadata", change, 400)


def test_only_the_admin_names_a_host() -> None:
    world = locked_world()
    root, alice = token_of(world, "root"), token_of(world, "alice")
    flavor = {"name": "m1", "ram": 64, "vcpus": 1, "disk": 0, "id": "m1"}
    world.call("POST", "/flavors", {"flavor": flavor}, headers=root)
    server = {"name": "w", "flavorRef": "m1", "imageRef": IMAGE.id, "networks": "none"}
    for who, status in ((alice, 403), (root, 202)):
        for more in ({"availability_zone": "nova:host-a"}, {"host": "host-a"}):
            body = {"server": server | more}
            answer = world.call("POST", "/servers", body, headers=who)
            assert answer.status_code == status, answer.text
    assert world.call("GET", "/os-aggregates", headers=alice).status_code == 403


def test_a_server_is_pinned_to_the_zone_that_it_is_in(world: World) -> None:
    world.flavor("m1")
    path = f"/servers/{world.server()}"

    def pin(zone: str | None, version: str = "2.104") -> int:
        body = {"server": {"pinned_availability_zone": zone}}
        answer = world.call("PUT", path, body, version=version)
        if answer.status_code == 200:
            shown = body_of(answer)["server"]
            assert shown["pinned_availability_zone"] == zone
        return answer.status_code

    assert [pin(None), pin("east"), pin("nova"), pin("nova")] == [200, 409, 200, 200]
    assert [pin("east"), pin(None), pin(None, "2.103")] == [409, 200, 400]
