"""Hosts in zones: servers go where they are told, also when they come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.stories.service import Service, open_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

HOSTS = ("h1", "h2")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = open_service(tmp_path, [f"{name}=small" for name in HOSTS], [], [])
    with service.embedded:
        service.flavor("f", {})
        for name in HOSTS:
            put(service, name, f"zone-{name}")
        yield service


def put(service: Service, host: str, zone: str) -> int:
    """Put a host into an aggregate that makes a zone; returns the aggregate's id."""
    wanted = {"aggregate": {"name": zone, "availability_zone": zone}}
    made = service.call("POST", "/v2.1/os-aggregates", wanted)["aggregate"]
    path = f"/v2.1/os-aggregates/{made['id']}/action"
    service.call("POST", path, {"add_host": {"host": host}})
    return int(made["id"])


def placement(service: Service, path: str) -> Any:
    """Read from Placement."""
    headers = {"OpenStack-API-Version": "placement 1.39", "X-Auth-Token": "admin"}
    path = f"/placement/resource_providers{path}"
    answer = service.client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def boot(service: Service, zone: str, count: int = 1) -> dict[str, Any]:
    """Boot servers in a zone; returns the last one."""
    [image] = service.call("GET", "/v2/images")["images"]
    server = {
        "name": "vm",
        "flavorRef": "f",
        "imageRef": image["id"],
        "networks": "none",
        "availability_zone": zone,
        "min_count": count,
    }
    made = service.call("POST", "/v2.1/servers", {"server": server})["server"]
    [found] = [one for one in service.wait() if one["id"] == made["id"]]
    return found


def test_servers_asked_for_at_once_stay_in_their_zone(service: Service) -> None:
    boot(service, "zone-h2", 3)
    servers = service.wait()
    assert {one["OS-EXT-SRV-ATTR:host"] for one in servers} == {"h2"}
    assert {one["OS-EXT-AZ:availability_zone"] for one in servers} == {"zone-h2"}
    service.check_agreement()


def test_a_shelved_server_comes_back_into_its_zone_or_the_one_named(
    service: Service,
) -> None:
    server: UUID = service.create("f")[0]
    first = service.show(server)["OS-EXT-SRV-ATTR:host"]
    other = next(name for name in HOSTS if name != first)
    service.act(server, "shelve")
    service.show(server)
    service.act(server, "unshelve", {"availability_zone": f"zone-{other}"})
    assert service.show(server)["OS-EXT-SRV-ATTR:host"] == other
    service.act(server, "shelve")
    service.show(server)
    service.act(server, "unshelve", {"availability_zone": "nowhere"}, expect=400)
    service.act(server, "unshelve")
    assert service.show(server)["OS-EXT-SRV-ATTR:host"] == other
    service.check_agreement()


def test_a_zone_that_is_full_is_told_and_the_server_stays_shelved(
    service: Service,
) -> None:
    service.flavor("whole", {}, ram=9000)
    [image] = service.call("GET", "/v2/images")["images"]
    fields = {"flavorRef": "whole", "imageRef": image["id"], "networks": "none"}
    for zone in ("zone-h1", "zone-h2"):
        body = {"server": fields | {"name": zone, "availability_zone": zone}}
        service.call("POST", "/v2.1/servers", body)
    one = service.wait()[0]
    service.act(one["id"], "shelve")
    service.wait()
    elsewhere = {"zone-h1": "zone-h2", "zone-h2": "zone-h1"}[one["name"]]
    service.act(one["id"], "unshelve", {"availability_zone": elsewhere})
    shown = service.show(one["id"])
    assert shown["status"] == "SHELVED_OFFLOADED"
    assert shown["OS-EXT-AZ:availability_zone"] == one["name"]
    service.check_agreement()


def test_placement_has_the_aggregates_and_a_restart_keeps_the_zones(
    service: Service, tmp_path: Path
) -> None:
    [root] = placement(service, "?name=h1")["resource_providers"]
    found = placement(service, f"/{root['uuid']}/aggregates")["aggregates"]
    shown = service.call("GET", "/v2.1/os-aggregates/1")["aggregate"]
    assert found == [shown["uuid"]]
    service.embedded.close()
    again = open_service(tmp_path, [f"{name}=small" for name in HOSTS], [], [])
    with again.embedded:
        assert boot(again, "zone-h1")["OS-EXT-SRV-ATTR:host"] == "h1"
