"""Servers: made, shown, listed, changed, deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from tests.edges.rest.access.locked import locked_world, token_of
from tests.edges.rest.world import IMAGE, OTHER_IMAGE, body_of

from sundog.core.lives.server import ServerEvent

if TYPE_CHECKING:
    from tests.edges.rest.world import World


def names(world: World, query: str, version: str = "2.100") -> list[str]:
    shown = world.get(f"/servers?{query}", version)["servers"]
    return [server["name"] for server in shown]


def test_a_server_is_made_as_the_command_line_sends_it(world: World) -> None:
    world.flavor("m1")
    disk = {
        "uuid": IMAGE.id,
        "boot_index": 0,
        "source_type": "image",
        "destination_type": "local",
        "delete_on_termination": True,
    }
    response = world.create(
        min_count=1, max_count=1, block_device_mapping_v2=[disk], networks="none"
    )
    assert response.status_code == 202
    made = body_of(response)["server"]
    assert response.headers["Location"] == made["links"][0]["href"]
    server = world.get(f"/servers/{made['id']}")["server"]
    assert server["status"] == "ACTIVE"
    assert server["OS-EXT-STS:vm_state"] == "active"
    assert server["OS-EXT-STS:power_state"] == 1
    assert server["OS-EXT-SRV-ATTR:host"] in ("host-a", "host-b")
    assert server["OS-EXT-AZ:availability_zone"] == "nova"
    assert server["host_status"] == "UP"
    assert server["addresses"] == {}
    assert server["flavor"]["original_name"] == "m1"
    assert server["image"]["id"] == IMAGE.id
    assert server["progress"] == 0
    assert "fault" not in server


def test_a_server_that_fits_nowhere_tells_why(world: World) -> None:
    world.flavor("big", pci_passthrough__alias="vGPU:9")
    path = f"/servers/{world.server(flavor='big')}"
    server = world.get(path)["server"]
    assert server["status"] == "ERROR"
    assert server["fault"]["code"] == 500
    assert server["fault"]["message"].startswith("No valid host was found.")
    assert server["hostId"] == ""
    assert server["OS-EXT-SRV-ATTR:host"] is None


def test_several_servers_are_made_at_once(world: World) -> None:
    world.flavor("m1")
    response = world.create(max_count=3, return_reservation_id=True)
    reservation = body_of(response)["reservation_id"]
    assert sorted(names(world, f"reservation_id={reservation}")) == [
        "web-1",
        "web-2",
        "web-3",
    ]


def test_min_count_alone_makes_that_many(world: World) -> None:
    world.flavor("m1")
    world.create(min_count="2")
    assert len(names(world, "")) == 2


def test_what_a_server_is_told_is_shown(world: World) -> None:
    world.flavor("m1")
    path = "/servers/" + world.server(
        description="front",
        hostname="front.example.org",
        metadata={"team": "a"},
        tags=["red", "blue"],
        user_data="aGVsbG8=",
        config_drive=True,
        availability_zone="nova:host-b",
    )
    server = world.get(path)["server"]
    assert server["description"] == "front"
    assert server["OS-EXT-SRV-ATTR:hostname"] == "front.example.org"
    assert server["metadata"] == {"team": "a"}
    assert server["tags"] == ["blue", "red"]
    assert server["OS-EXT-SRV-ATTR:user_data"] == "aGVsbG8="
    assert server["config_drive"] == "True"
    assert server["OS-EXT-SRV-ATTR:host"] == "host-b"
    assert server["pinned_availability_zone"] == "nova"


def test_a_host_is_asked_for_from_2_74_on(world: World) -> None:
    world.flavor("m1")
    for host in ("host-a", "host-b"):
        path = f"/servers/{world.server(host=host, hypervisor_hostname=host)}"
        assert world.get(path)["server"]["OS-EXT-SRV-ATTR:host"] == host


def test_the_networks_may_be_auto_and_before_2_37_silent(world: World) -> None:
    world.flavor("m1")
    assert world.create(networks="auto").status_code == 202
    assert world.create(networks=[]).status_code == 202
    assert world.create(version="2.36", networks=...).status_code == 202


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["c", "b", "a"]),
        ("name=^a", ["a"]),
        ("name=%5Bab%5D", ["b", "a"]),
        ("status=ACTIVE", ["b", "a"]),
        ("status=error", ["c"]),
        ("status=ACTIVE&status=ERROR", ["c", "b", "a"]),
        ("status=SHUTOFF", []),
        ("host=host-a", ["a"]),
        ("node=host-b", ["b"]),
        ("flavor=big", ["c"]),
        (f"image={OTHER_IMAGE.id}", ["b"]),
        ("ip=10.0", []),
        ("vm_state=error", ["c"]),
        ("task_state=scheduling", []),
        ("power_state=1", ["b", "a"]),
        ("deleted=False", ["c", "b", "a"]),
        ("deleted=True", ["gone"]),
        ("status=DELETED", ["gone"]),
        ("changes-since=2026-01-31T12:00:00Z", ["c", "gone", "b", "a"]),
        ("changes-before=2026-01-30T12:00:00Z", []),
        ("changes-since=2030-01-01", []),
        ("all_tenants", ["c", "b", "a"]),
        ("all_tenants=1&project_id=nobody", []),
        ("project_id=nobody", ["c", "b", "a"]),
        ("tags=red", ["a"]),
        ("tags=red,blue", []),
        ("tags-any=red,blue", ["b", "a"]),
        ("not-tags=red", ["c", "b"]),
        ("not-tags-any=red,blue", ["c"]),
        ("config_drive=true", ["b"]),
        ("locked=true", []),
        ("description=fro", ["a"]),
        ("sort_key=display_name&sort_dir=asc", ["a", "b", "c"]),
        ("sort_key=vm_state&sort_dir=asc&sort_key=display_name", ["b", "a", "c"]),
        ("sort_key=key_name", ["c", "b", "a"]),
        ("limit=2", ["c", "b"]),
        ("limit=0", []),
    ],
)
def test_lists_are_filtered_sorted_and_paged(
    world: World, query: str, found: list[str]
) -> None:
    world.flavor("m1")
    world.flavor("big", pci_passthrough__alias="vGPU:9")
    world.server("a", host="host-a", tags=["red"], description="front")
    world.server(
        "b", host="host-b", tags=["blue"], imageRef=OTHER_IMAGE.id, config_drive=True
    )
    world.call("DELETE", "/servers/" + world.server("gone"))
    world.server("c", flavor="big")
    assert names(world, query) == found


def test_a_status_that_is_none_matches_nothing_before_2_38(world: World) -> None:
    world.flavor("m1")
    world.server()
    assert names(world, "status=FINE", "2.37") == []


def test_the_detailed_list_shows_what_a_server_shows(world: World) -> None:
    world.flavor("m1")
    server = world.server()
    (listed,) = world.get("/servers/detail")["servers"]
    shown = world.get(f"/servers/{server}")["server"]
    assert {**listed, "server_groups": []} == shown


def test_a_page_links_to_the_next(world: World) -> None:
    world.flavor("m1")
    for name in ("a", "b", "c"):
        world.server(name)
    first = world.get("/servers?limit=2&sort_key=display_name&sort_dir=asc")
    path = first["servers_links"][0]["href"].partition("/compute/v2.1")[2]
    second = world.get(path)
    assert [one["name"] for one in second["servers"]] == ["c"]
    assert "servers_links" not in second


def test_a_server_is_renamed_and_described(world: World) -> None:
    world.flavor("m1")
    path = f"/servers/{world.server()}"
    body = {"server": {"name": "new", "description": None, "hostname": "h"}}
    shown = body_of(world.call("PUT", path, body))["server"]
    assert (shown["name"], shown["OS-EXT-SRV-ATTR:hostname"]) == ("new", "h")
    assert shown["description"] is None
    empty = body_of(world.call("PUT", path, {"server": {}}))["server"]
    assert empty["name"] == "new"
    for bad in ({"name": " "}, {"bogus": 1}, {"hostname": "a_b"}, {"accessIPv4": "x"}):
        assert world.call("PUT", path, {"server": bad}).status_code == 400


def test_a_deleted_server_is_gone_and_gives_its_room_back(world: World) -> None:
    world.flavor("m1")
    server = world.server()
    assert world.call("DELETE", f"/servers/{server}").status_code == 204
    assert world.call("GET", f"/servers/{server}").status_code == 404
    assert all(not state.holdings for state in world.fleet.states())


def test_metadata_is_added_replaced_and_removed(world: World) -> None:
    world.flavor("m1")
    path = f"/servers/{world.server(metadata={'a': '1'})}/metadata"
    world.call("POST", path, {"metadata": {"b": "2"}})
    assert world.get(path) == {"metadata": {"a": "1", "b": "2"}}
    assert world.get(f"{path}/a") == {"meta": {"a": "1"}}
    world.call("PUT", f"{path}/a", {"meta": {"a": "3"}})
    assert world.call("PUT", f"{path}/a", {"meta": {"b": "3"}}).status_code == 400
    assert world.call("DELETE", f"{path}/b").status_code == 204
    assert world.get(path) == {"metadata": {"a": "3"}}
    assert world.call("DELETE", f"{path}/b").status_code == 404
    world.call("PUT", path, {"metadata": {}})
    assert world.get(path) == {"metadata": {}}
    many = {str(number): "x" for number in range(129)}
    assert world.call("PUT", path, {"metadata": many}).status_code == 403


def test_tags_are_added_replaced_and_removed(world: World) -> None:
    world.flavor("m1")
    path = f"/servers/{world.server()}/tags"
    assert world.call("PUT", f"{path}/red").status_code == 201
    assert world.call("PUT", f"{path}/red").status_code == 204
    assert world.call("GET", f"{path}/red").status_code == 204
    assert world.call("GET", f"{path}/blue").status_code == 404
    assert body_of(world.call("PUT", path, {"tags": ["a", "b"]})) == {
        "tags": ["a", "b"]
    }
    assert world.call("DELETE", f"{path}/a").status_code == 204
    assert world.call("DELETE", f"{path}/a").status_code == 404
    assert world.get(path) == {"tags": ["b"]}
    assert world.call("DELETE", path).status_code == 204
    assert world.get(path) == {"tags": []}
    assert world.call("GET", path, version="2.25").status_code == 404


def test_a_server_has_no_addresses(world: World) -> None:
    world.flavor("m1")
    assert world.get(f"/servers/{world.server()}/ips") == {"addresses": {}}


def test_a_pinned_guests_topology_is_its_assignment(world: World) -> None:
    world.flavor("pin", hw__cpu_policy="dedicated", hw__mem_page_size="2048")
    server = world.server(flavor="pin")
    topology = world.get(f"/servers/{server}/topology", "2.78")
    claim = world.claims.get(UUID(server))
    assert claim is not None
    (share,) = claim.assignment.cells
    (node,) = topology["nodes"]
    assert node["vcpu_set"] == [0, 1]
    assert node["host_node"] == share.host_cell
    assert node["memory_mb"] == 512
    assert node["cpu_pinning"] == {str(vcpu): cpu for vcpu, cpu in share.pins}
    assert topology["pagesize_kb"] == 2048
    early = world.call("GET", f"/servers/{server}/topology", version="2.77")
    assert early.status_code == 404


def test_where_a_guest_is_on_its_host_is_the_admins_to_know() -> None:
    """A member sees the guest's own cells only."""
    world = locked_world()
    root, alice = token_of(world, "root"), token_of(world, "alice")
    flavor = {"name": "pin", "id": "pin", "ram": 512, "vcpus": 2, "disk": 1}
    world.call("POST", "/flavors", {"flavor": flavor}, headers=root)
    specs = {"extra_specs": {"hw:cpu_policy": "dedicated"}}
    world.call("POST", "/flavors/pin/os-extra_specs", specs, headers=root)
    server = {"name": "w", "flavorRef": "pin", "imageRef": IMAGE.id, "networks": "none"}
    made = world.call("POST", "/servers", {"server": server}, headers=alice)
    path = f"/servers/{body_of(made)['server']['id']}/topology"
    [told] = body_of(world.call("GET", path, headers=root))["nodes"]
    [shown] = body_of(world.call("GET", path, headers=alice))["nodes"]
    assert told.keys() - shown.keys() == {"host_node", "cpu_pinning"}


def test_a_floating_guest_has_no_topology(world: World) -> None:
    world.flavor("m1")
    topology = world.get(f"/servers/{world.server()}/topology")
    assert topology == {"nodes": [], "pagesize_kb": None}


@pytest.mark.parametrize(
    ("service", "status"),
    [
        ({"status": "disabled"}, "MAINTENANCE"),
        ({"forced_down": True}, "DOWN"),
        ({"status": "enabled"}, "UP"),
    ],
)
def test_a_server_shows_its_hosts_status(
    world: World, service: dict[str, object], status: str
) -> None:
    world.flavor("m1")
    server = world.server(host="host-a")
    record = next(one for one in world.services.list() if one.host == "host-a")
    world.call("PUT", f"/os-services/{record.id}", service)
    assert world.get(f"/servers/{server}")["server"]["host_status"] == status


def test_a_server_being_deleted_says_so(world: World) -> None:
    world.flavor("m1")
    server = world.server()
    world.servers.change(
        UUID(server),
        lambda old: replace(old.after(ServerEvent.ASK_DELETE, old.updated)),
    )
    shown = world.get(f"/servers/{server}")["server"]
    assert shown["OS-EXT-STS:task_state"] == "deleting"


def test_a_password_is_told_to_who_made_the_server(world: World) -> None:
    world.flavor("m1")
    said = body_of(world.create(adminPass="p"))["server"]["adminPass"]
    assert said == "p"
    made = [body_of(world.create())["server"]["adminPass"] for _ in range(2)]
    assert all(len(one) >= 12 for one in made)
    assert made[0] != made[1]
