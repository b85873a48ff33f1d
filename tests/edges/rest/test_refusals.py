"""What is refused, with which status, and what the message names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.edges.rest.world import IMAGE, body_of

if TYPE_CHECKING:
    from tests.edges.rest.world import World

FLAVOR: Final[dict[str, Any]] = {"name": "f", "ram": 1, "vcpus": 1, "disk": 0}
DISK: Final = {
    "uuid": IMAGE.id,
    "source_type": "image",
    "destination_type": "local",
    "boot_index": 0,
    "delete_on_termination": True,
}

# What a flavor may not be: the fields that differ from a good one, and a word of why.
FLAVORS: Final[list[tuple[dict[str, Any], str]]] = [
    ({"name": ""}, "name"),
    ({"name": " f"}, "name"),
    ({"name": "a\0b"}, "name"),
    ({"name": "x" * 256}, "name"),
    ({"name": 5}, "name"),
    ({"ram": 0}, "ram"),
    ({"ram": "x"}, "ram"),
    ({"ram": 2**31}, "ram"),
    ({"ram": 10**30}, "ram"),
    ({"ram": 1.5}, "ram"),
    ({"vcpus": -1}, "vcpus"),
    ({"disk": True}, "disk"),
    ({"swap": -1}, "swap"),
    ({"id": " x"}, "id"),
    ({"id": "a/b"}, "id"),
    ({"id": ""}, "id"),
    ({"rxtx_factor": 0}, "rxtx_factor"),
    ({"rxtx_factor": "x"}, "rxtx_factor"),
    ({"rxtx_factor": 10**300}, "rxtx_factor"),
    ({"rxtx_factor": 10**400}, "rxtx_factor"),
    ({"id": 10**300}, "id"),
    ({"description": "a\0b"}, "description"),
    ({"os-flavor-access:is_public": "perhaps"}, "is_public"),
    ({"description": "x" * 65536}, "description"),
    ({"bogus": 1}, "bogus"),
]

# What a server may not ask for.
SERVERS: Final[list[tuple[dict[str, Any], str]]] = [
    ({"name": " "}, "name"),
    ({"flavorRef": "none"}, "none"),
    ({"imageRef": "nothing"}, "nothing"),
    ({"imageRef": ""}, "imageRef"),
    ({"networks": ...}, "networks"),
    ({"networks": "some"}, "networks"),
    ({"networks": [{"uuid": IMAGE.id}]}, "Neutron"),
    ({"networks": [{"port": IMAGE.id}]}, "Neutron"),
    ({"security_groups": [{"name": "web"}]}, "Neutron"),
    ({"block_device_mapping_v2": [{**DISK, "destination_type": "volume"}]}, "Cinder"),
    ({"block_device_mapping_v2": [{**DISK, "source_type": "blank"}]}, "Cinder"),
    ({"block_device_mapping_v2": [{**DISK, "boot_index": 1}]}, "Cinder"),
    ({"block_device_mapping_v2": [DISK, DISK]}, "Cinder"),
    ({"block_device_mapping_v2": [{**DISK, "uuid": "other"}]}, "other"),
    ({"block_device_mapping": [{"volume_id": IMAGE.id}]}, "Cinder"),
    ({"key_name": "k"}, "Invalid key_name"),
    ({"accessIPv4": "10.0.0.256"}, "accessIPv4"),
    ({"personality": []}, "personality"),
    ({"OS-DCF:diskConfig": "auto"}, "diskConfig"),
    ({"trusted_image_certificates": ["c"]}, "trusted_image_certificates"),
    ({"availability_zone": "mars"}, "mars"),
    ({"availability_zone": "nova:host-x"}, "host-x"),
    ({"host": "host-x"}, "host-x"),
    ({"host": "host-a", "hypervisor_hostname": "host-b"}, "host-a"),
    ({"host": "host-a", "availability_zone": "nova:host-a"}, "both"),
    ({"min_count": 0}, "min_count"),
    ({"min_count": 3, "max_count": 2}, "min_count"),
    ({"max_count": 100000}, "max_count"),
    ({"max_count": 2, "hostname": "h"}, "hostname"),
    ({"hostname": "-h"}, "hostname"),
    ({"user_data": "%%%"}, "base64"),
    ({"user_data": "YQ==" * 20000}, "User data"),
    ({"tags": ["a,b"]}, "tags"),
    ({"tags": [str(number) for number in range(51)]}, "50"),
    ({"metadata": {"a/b": "x"}}, "metadata"),
    ({"metadata": {"a": 5}}, "metadata"),
    ({"config_drive": "maybe"}, "config_drive"),
    ({"bogus": 1}, "bogus"),
]

# Bodies that are no JSON, or not the right kind of it.
BODIES: Final[list[tuple[bytes, str, int]]] = [
    (b"", "application/json", 400),
    (b"{", "application/json", 400),
    (b"[]", "application/json", 400),
    (b"null", "application/json", 400),
    (b'{"flavor": {"name": "\xff"}}', "application/json", 400),
    (b'{"flavor": {"name": "\\ud800"}}', "application/json", 400),
    (b'{"flavor": ' * 9000, "application/json", 400),
    (b"1e999", "application/json", 400),
    (b"<flavor/>", "application/xml", 415),
    (b"x" * 200000, "application/json", 413),
]


@pytest.mark.parametrize(("fields", "word"), FLAVORS, ids=lambda value: str(value)[:40])
def test_a_flavor_that_cannot_be_is_a_400_naming_the_field(
    world: World, fields: dict[str, Any], word: str
) -> None:
    response = world.call("POST", "/flavors", {"flavor": {**FLAVOR, **fields}})
    assert response.status_code == 400
    assert word in body_of(response)["badRequest"]["message"]
    assert world.get("/flavors") == {"flavors": []}


@pytest.mark.parametrize(("fields", "word"), SERVERS, ids=lambda value: str(value)[:40])
def test_a_server_that_cannot_be_is_a_400_naming_why(
    world: World, fields: dict[str, Any], word: str
) -> None:
    world.flavor("m1")
    response = world.create(**fields)
    assert response.status_code == 400
    assert word in body_of(response)["badRequest"]["message"]
    assert world.get("/servers") == {"servers": []}


@pytest.mark.parametrize(("data", "kind", "status"), BODIES)
def test_what_is_no_json_is_refused(
    world: World, data: bytes, kind: str, status: int
) -> None:
    response = world.client.post("/compute/v2.1/flavors", data=data, content_type=kind)
    assert response.status_code == status
    (fault,) = body_of(response).values()
    assert fault["code"] == status


@pytest.mark.parametrize(
    "value", ["a", "a:", "nic:x", "nic:0", "nic:-1", "nic:1,", "nobody:1", "a,b:1"]
)
def test_a_bad_alias_is_refused_when_it_is_written(world: World, value: str) -> None:
    world.flavor("m1")
    for version in ("2.1", "2.61", "2.100"):
        response = world.call(
            "POST",
            "/flavors/m1/os-extra_specs",
            {"extra_specs": {"pci_passthrough:alias": value}},
            version=version,
        )
        assert response.status_code == 400
        assert "pci_passthrough:alias" in response.text
    assert world.get("/flavors/m1/os-extra_specs") == {"extra_specs": {}}


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/servers?limit=x", "limit"),
        ("/servers?limit=-1", "limit"),
        ("/servers?marker=nobody", "marker"),
        ("/servers?status=FINE", "status"),
        ("/servers?name=(a%2B)%2B", "pattern"),
        ("/servers?name=%5B", "regex"),
        ("/servers?name=a%7B99999999999%7D", "regex"),
        ("/servers?sort_key=nothing", "sort_key"),
        ("/servers?sort_key=uuid&sort_dir=up", "sort_dir"),
        ("/servers?changes-since=today", "changes-since"),
        ("/servers?changes-since=0001-01-01T00:00:00%2B23:59", "changes-since"),
        ("/servers?changes-since=2026-02-01&changes-before=2026-01-01", "less than"),
        ("/servers?pci_devices=1", "pci_devices"),
        ("/servers?all_tenants=perhaps", "all_tenants"),
        ("/servers?" + "sort_key=uuid&" * 11, "sort_key"),
        ("/flavors?sort_key=bogus", "sort_key"),
        ("/flavors?marker=" + "x" * 17000, "too long"),
        ("/servers?bogus=1", "bogus"),
        ("/servers?name=a%00b", "NUL"),
        ("/flavors?is_public=perhaps", "is_public"),
        ("/flavors?minRam=x", "minRam"),
        ("/flavors?bogus=1", "bogus"),
        ("/os-hypervisors?with_servers=x", "with_servers"),
        ("/os-hypervisors?hypervisor_hostname_pattern=host&limit=1", "Paging"),
        ("/os-hypervisors/host-a", "uuid"),
        ("/os-services?bogus=1", "bogus"),
    ],
)
def test_a_bad_query_is_a_400_naming_the_parameter(
    world: World, path: str, word: str
) -> None:
    response = world.call("GET", path)
    assert response.status_code == 400
    assert word in body_of(response)["badRequest"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", "/flavors/nobody", 404, "itemNotFound"),
        ("GET", "/servers/no-uuid", 404, "itemNotFound"),
        ("GET", "/servers/" + IMAGE.id, 404, "itemNotFound"),
        ("DELETE", "/servers/" + IMAGE.id, 404, "itemNotFound"),
        ("GET", "/os-hypervisors/" + IMAGE.id, 404, "itemNotFound"),
        ("GET", "/os-hypervisors/statistics", 404, "itemNotFound"),
        ("GET", "/nothing", 404, "itemNotFound"),
        ("GET", "/flavors/" + "x" * 300, 404, "itemNotFound"),
        ("PATCH", "/flavors", 405, "badMethod"),
        ("DELETE", "/flavors", 405, "badMethod"),
    ],
)
def test_what_is_not_there_is_said_in_novas_shape(
    world: World, method: str, path: str, status: int, name: str
) -> None:
    response = world.call(method, path)
    assert response.status_code == status
    assert body_of(response)[name]["code"] == status


@pytest.mark.parametrize(
    "data", [b'{"reboot":' + b"[" * 90000, b"{}", b'{"reboot": {}, "resize": {}}']
)
def test_an_action_that_is_none_is_a_400(world: World, data: bytes) -> None:
    world.flavor("m1")
    response = world.client.post(
        f"/v2.1/servers/{world.server()}/action",
        data=data,
        content_type="application/json",
    )
    assert response.status_code == 400


def test_rxtx_factor_is_unknown_from_2_102_on(world: World) -> None:
    body = {"flavor": {**FLAVOR, "rxtx_factor": 1.5}}
    late = world.call("POST", "/flavors", body, version="2.102")
    assert late.status_code == 400
    assert "rxtx_factor" in late.text
    early = world.call("POST", "/flavors", body, version="2.101")
    assert body_of(early)["flavor"]["rxtx_factor"] == 1.5


def test_metadata_is_of_short_texts(world: World) -> None:
    world.flavor("m1")
    assert world.create(metadata={"a": "x" * 256}).status_code == 400
    assert world.create(metadata={"a": "x" * 255}).status_code == 202


def test_scheduler_hints_are_refused_in_words(world: World) -> None:
    world.flavor("m1")
    good = {"name": "w", "flavorRef": "m1", "imageRef": IMAGE.id, "networks": "none"}
    body = {"server": good, "os:scheduler_hints": {"query": "[]"}}
    response = world.call("POST", "/servers", body)
    assert response.status_code == 400
    assert "os:scheduler_hints" in response.text
