"""The microversion asked for decides what is shown and taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.edges.rest.world import body_of

from sundog.edges.rest.microversions import CHANGES, NEWEST, OLDEST

if TYPE_CHECKING:
    from tests.edges.rest.world import World

# A field of a server, or of a flavor, and the first microversion that shows it.
SERVER_FIELDS: Final = [
    ("OS-EXT-SRV-ATTR:reservation_id", 3),
    ("locked", 9),
    ("host_status", 16),
    ("description", 19),
    ("tags", 26),
    ("trusted_image_certificates", 63),
    ("server_groups", 71),
    ("locked_reason", 73),
    ("pinned_availability_zone", 96),
    ("scheduler_hints", 100),
]
# A field of a create request, and the first microversion that takes it.
NEW_FIELDS: Final[list[tuple[str, Any, int]]] = [
    ("description", "d", 19),
    ("tags", ["a"], 52),
    ("trusted_image_certificates", None, 63),
    ("host", "host-a", 74),
    ("hypervisor_hostname", "host-a", 74),
    ("hostname", "h", 90),
]


@pytest.mark.parametrize(("field", "since"), SERVER_FIELDS)
def test_a_server_shows_a_field_from_its_microversion_on(
    world: World, field: str, since: int
) -> None:
    world.flavor("m1")
    path = f"/servers/{world.server()}"
    assert field not in world.get(path, f"2.{since - 1}")["server"]
    assert field in world.get(path, f"2.{since}")["server"]


@pytest.mark.parametrize(("field", "value", "since"), NEW_FIELDS)
def test_a_server_takes_a_field_from_its_microversion_on(
    world: World, field: str, value: object, since: int
) -> None:
    world.flavor("m1")
    early = world.create(version=f"2.{since - 1}", **{field: value, "networks": ...})
    if since > 37:
        early = world.create(version=f"2.{since - 1}", **{field: value})
    assert early.status_code == 400
    assert field in early.text
    more = {} if since >= 37 else {"networks": ...}
    late = world.create(version=f"2.{since}", **{field: value, **more})
    assert late.status_code == 202


def test_a_server_embeds_its_flavor_from_2_47_on(world: World) -> None:
    world.flavor("m1")
    path = f"/servers/{world.server()}"
    assert world.get(path, "2.46")["server"]["flavor"]["id"] == "m1"
    embedded = world.get(path, "2.47")["server"]["flavor"]
    assert embedded["original_name"] == "m1"
    assert "id" not in embedded


def test_a_servers_image_has_its_properties_from_2_98_on(world: World) -> None:
    world.flavor("m1")
    path = f"/servers/{world.server()}"
    assert "properties" not in world.get(path, "2.97")["server"]["image"]
    shown = world.get(path, "2.98")["server"]["image"]["properties"]
    assert shown == {"hw_machine_type": "q35"}


def test_the_detailed_list_leaves_server_groups_out(world: World) -> None:
    world.flavor("m1")
    world.server()
    assert "server_groups" not in world.get("/servers/detail")["servers"][0]


def test_an_update_shows_a_whole_server_from_2_75_on(world: World) -> None:
    world.flavor("m1")
    path = f"/servers/{world.server()}"
    body = {"server": {"name": "new"}}
    for version, whole in (("2.74", False), ("2.75", True)):
        shown = body_of(world.call("PUT", path, body, version=version))["server"]
        assert shown["name"] == "new"
        assert ("OS-EXT-STS:vm_state" in shown) is whole


def test_flavors_change_with_the_microversion(world: World) -> None:
    world.flavor("m1", hw__cpu_policy="shared")
    first = world.get("/flavors/m1", "2.1")["flavor"]
    assert first["swap"] == ""
    assert "description" not in first
    assert "description" in world.get("/flavors/m1", "2.55")["flavor"]
    assert "extra_specs" not in world.get("/flavors/m1", "2.60")["flavor"]
    shown = world.get("/flavors/m1", "2.61")["flavor"]["extra_specs"]
    assert shown == {"hw:cpu_policy": "shared"}
    assert world.get("/flavors/m1", "2.75")["flavor"]["swap"] == 0
    last = world.get("/flavors/m1", "2.102")["flavor"]
    assert "rxtx_factor" not in last
    assert "OS-FLV-DISABLED:disabled" not in last


def test_unknown_parameters_are_ignored_before_2_75(world: World) -> None:
    assert world.call("GET", "/servers?bogus=1", version="2.74").status_code == 200
    assert world.call("GET", "/servers?bogus=1", version="2.75").status_code == 400


def test_hypervisors_have_uuids_from_2_53_on_and_numbers_before(world: World) -> None:
    old = world.get("/os-hypervisors/detail", "2.52")["hypervisors"][0]
    assert isinstance(old["id"], int)
    assert isinstance(old["service"]["id"], int)
    assert world.get(f"/os-hypervisors/{old['id']}", "2.52")["hypervisor"] == old
    new = world.get("/os-hypervisors/detail", "2.53")["hypervisors"][0]
    assert new["id"] == "aaaaaaaa-0000-4000-8000-000000000001"


def test_hypervisors_tell_amounts_up_to_2_87_and_uptime_after(world: World) -> None:
    world.flavor("m1")
    world.server(host="host-a")
    old = world.get("/os-hypervisors/detail", "2.87")["hypervisors"][0]
    assert (old["vcpus"], old["vcpus_used"]) == (16, 2)
    assert (old["memory_mb"], old["memory_mb_used"]) == (2 * (8192 + 2048), 512)
    assert old["cpu_info"] == {}
    assert (
        world.get("/os-hypervisors/detail", "2.27")["hypervisors"][0]["cpu_info"]
        == "{}"
    )
    new = world.get("/os-hypervisors/detail", "2.88")["hypervisors"][0]
    assert "vcpus" not in new
    assert new["uptime"] is None
    total = world.get("/os-hypervisors/statistics", "2.87")["hypervisor_statistics"]
    assert (total["count"], total["running_vms"], total["local_gb"]) == (2, 1, 600)


@pytest.mark.parametrize(
    ("value", "answered"),
    [
        ("compute 2.53", "2.53"),
        ("compute latest", f"2.{NEWEST}"),
        ("volume 3.1, compute 2.60", "2.60"),
        ("volume 3.1", "2.1"),
    ],
)
def test_the_microversion_that_answered_is_echoed(
    world: World, value: str, answered: str
) -> None:
    response = world.call("GET", "/flavors", headers={"OpenStack-API-Version": value})
    assert response.status_code == 200
    assert response.headers["OpenStack-API-Version"] == f"compute {answered}"
    assert response.headers["X-OpenStack-Nova-API-Version"] == answered
    assert "OpenStack-API-Version" in response.headers["Vary"]


def test_the_old_header_is_read_too(world: World) -> None:
    response = world.client.get(
        "/v2.1/flavors", headers={"X-OpenStack-Nova-API-Version": "2.61"}
    )
    assert response.headers["X-OpenStack-Nova-API-Version"] == "2.61"


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("compute 2.999", 406),
        ("compute 2.0", 406),
        ("compute 3.1", 406),
        ("compute 2", 400),
        ("compute x", 400),
        ("compute 2.1.1", 400),
        ("compute", 400),
    ],
)
def test_a_microversion_that_is_not_served_is_refused(
    world: World, value: str, status: int
) -> None:
    response = world.call("GET", "/flavors", headers={"OpenStack-API-Version": value})
    assert response.status_code == status


def test_the_list_of_changes_lies_within_what_is_served() -> None:
    assert min(CHANGES) == OLDEST
    assert max(CHANGES) <= NEWEST
    assert list(CHANGES) == sorted(CHANGES)
    assert all(text and not text.endswith(".") for text in CHANGES.values())
