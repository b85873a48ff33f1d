"""Hypervisors, services, zones, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.edges.rest.world import body_of

if TYPE_CHECKING:
    from tests.edges.rest.world import World

HOST_A = "aaaaaaaa-0000-4000-8000-000000000001"


def test_hypervisors_are_listed_by_name_and_found_by_pattern(world: World) -> None:
    shown = world.get("/os-hypervisors", "2.88")["hypervisors"]
    assert [one["hypervisor_hostname"] for one in shown] == ["host-a", "host-b"]
    assert (shown[0]["state"], shown[0]["status"]) == ("up", "enabled")
    found = world.get("/os-hypervisors?hypervisor_hostname_pattern=-b")["hypervisors"]
    assert [one["hypervisor_hostname"] for one in found] == ["host-b"]
    nobody = world.call("GET", "/os-hypervisors?hypervisor_hostname_pattern=zz")
    assert nobody.status_code == 404


def test_hypervisors_show_their_servers_if_asked(world: World) -> None:
    world.flavor("m1")
    server = world.server(host="host-a")
    shown = world.get("/os-hypervisors/detail?with_servers=true")["hypervisors"]
    assert [one["servers"] for one in shown] == [[{"name": "web", "uuid": server}], []]
    older = world.get("/os-hypervisors/detail?with_servers=true", "2.74")
    assert "servers" not in older["hypervisors"][1]


def test_hypervisors_are_paged_by_uuid(world: World) -> None:
    first = world.get("/os-hypervisors?limit=1")
    assert len(first["hypervisors"]) == 1
    path = first["hypervisors_links"][0]["href"].partition("/compute/v2.1")[2]
    second = world.get(path)
    assert [one["hypervisor_hostname"] for one in second["hypervisors"]] == ["host-b"]


def test_a_hypervisor_is_shown_in_full(world: World) -> None:
    shown = world.get(f"/os-hypervisors/{HOST_A}", "2.88")["hypervisor"]
    assert shown["service"]["host"] == "host-a"
    assert shown["hypervisor_version"] == 9000000
    listed = world.get("/os-hypervisors/detail", "2.88")["hypervisors"]
    assert shown in listed


def test_search_and_servers_are_paths_before_2_53(world: World) -> None:
    world.flavor("m1")
    world.server(host="host-b")
    found = world.get("/os-hypervisors/host/search", "2.52")["hypervisors"]
    assert len(found) == 2
    (host,) = world.get("/os-hypervisors/-b/servers", "2.52")["hypervisors"]
    assert [server["name"] for server in host["servers"]] == ["web"]
    late = world.call("GET", "/os-hypervisors/host/search", version="2.53")
    assert late.status_code == 404


def test_services_are_listed_and_filtered(world: World) -> None:
    shown = world.get("/os-services", "2.69")["services"]
    assert [one["host"] for one in shown] == ["host-a", "host-b"]
    assert shown[0]["zone"] == "nova"
    assert shown[0]["forced_down"] is False
    assert "forced_down" not in world.get("/os-services", "2.10")["services"][0]
    assert isinstance(world.get("/os-services", "2.52")["services"][0]["id"], int)
    found = world.get("/os-services?host=host-b&binary=nova-compute")["services"]
    assert len(found) == 1
    assert world.get("/os-services?binary=nova-scheduler")["services"] == []


def test_a_disabled_service_takes_no_servers(world: World) -> None:
    world.flavor("m1")
    service = world.get("/os-services")["services"][1]
    body = {"status": "disabled", "disabled_reason": "new disk"}
    changed = body_of(world.call("PUT", f"/os-services/{service['id']}", body))[
        "service"
    ]
    assert (changed["status"], changed["disabled_reason"]) == ("disabled", "new disk")
    shown = world.get(f"/servers/{world.server()}")["server"]
    assert shown["OS-EXT-SRV-ATTR:host"] == "host-a"
    back = {"status": "enabled"}
    changed = body_of(world.call("PUT", f"/os-services/{service['id']}", back))[
        "service"
    ]
    assert changed["disabled_reason"] is None


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "No updates"),
        ({"status": "asleep"}, "asleep"),
        ({"status": "enabled", "disabled_reason": "x"}, "disabled_reason"),
        ({"status": "disabled", "disabled_reason": ""}, "disabled_reason"),
        ({"disabled_reason": "x", "forced_down": True}, "disabled_reason"),
        ({"forced_down": "perhaps"}, "forced_down"),
        ({"bogus": 1}, "bogus"),
    ],
)
def test_a_change_of_a_service_that_means_nothing_is_refused(
    world: World, body: dict[str, object], word: str
) -> None:
    service = world.get("/os-services")["services"][0]
    response = world.call("PUT", f"/os-services/{service['id']}", body)
    assert response.status_code == 400
    assert word in body_of(response)["badRequest"]["message"]


def test_a_service_is_changed_by_its_uuid_alone(world: World) -> None:
    body = {"status": "enabled"}
    assert world.call("PUT", "/os-services/7", body).status_code == 400
    assert world.call("PUT", f"/os-services/{HOST_A}", body).status_code == 404


def test_services_are_changed_by_deed_before_2_53(world: World) -> None:
    body = {"host": "host-a", "binary": "nova-compute"}

    def put(deed: str, **more: object) -> int:
        sent = {**body, **more}
        path = f"/os-services/{deed}"
        return world.call("PUT", path, sent, version="2.52").status_code

    def first() -> tuple[str, str | None, bool]:
        shown = world.get("/os-services")["services"][0]
        return shown["status"], shown["disabled_reason"], shown["forced_down"]

    assert put("disable") == 200
    assert put("disable-log-reason", disabled_reason="x") == 200
    assert put("force-down", forced_down=True) == 200
    assert first() == ("disabled", "x", True)
    assert put("enable") == 200
    assert put("force-down", forced_down=False) == 200
    assert first() == ("enabled", None, False)
    assert put("disable-log-reason") == 400
    assert put("force-down") == 400
    assert put("dance") == 404
    assert put("enable", host="host-x") == 404


def test_limits_count_what_is_used(world: World) -> None:
    world.flavor("m1")
    world.server()
    absolute = world.get("/limits")["limits"]["absolute"]
    assert absolute["totalInstancesUsed"] == 1
    assert absolute["totalCoresUsed"] == 2
    assert absolute["totalRAMUsed"] == 512
    assert "maxImageMeta" not in absolute
    older = world.get("/limits", "2.35")["limits"]["absolute"]
    assert {"maxImageMeta", "maxPersonality", "maxSecurityGroups"} <= older.keys()


def test_there_is_one_zone_with_all_hosts(world: World) -> None:
    (zone,) = world.get("/os-availability-zone")["availabilityZoneInfo"]
    assert zone == {"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}
    (zone,) = world.get("/os-availability-zone/detail")["availabilityZoneInfo"]
    assert zone["hosts"]["host-a"]["nova-compute"]["available"] is True
