"""Version documents, images, identity, what is mounted, and what is ours."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from tests.edges.rest.hosts import rich_host
from tests.edges.rest.world import IMAGE, OTHER_IMAGE, body_of
from werkzeug import Request, Response
from werkzeug.test import Client

from sundog.core.access.people import ADMIN_PROJECT, ADMIN_USER_ID
from sundog.core.devices.device import Mdev
from sundog.core.errors import (
    BadRequestError,
    ClaimConflictError,
    ConflictError,
    ForbiddenError,
    HostRefusedError,
    NotFoundError,
    NoValidHostError,
    SundogError,
    UnavailableError,
)
from sundog.core.lives.phases import Phase
from sundog.edges.rest.app import build_app

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from tests.edges.rest.world import World


def get(world: World, path: str) -> Any:
    response = world.client.get(path, headers={"X-Auth-Token": "notused"})
    assert response.status_code == 200, response.text
    return body_of(response)


@pytest.mark.parametrize("path", ["/compute/v2.1", "/compute/v2.1/", "/v2.1"])
def test_the_compute_version_document_tells_the_microversions(
    world: World, path: str
) -> None:
    version = get(world, path)["version"]
    assert (version["id"], version["status"]) == ("v2.1", "CURRENT")
    assert (version["min_version"], version["version"]) == ("2.1", "2.104")
    assert version["links"][0]["rel"] == "self"


def test_links_follow_the_host_that_the_client_asked(world: World) -> None:
    response = world.client.get("/compute/v2.1", base_url="https://cloud.example:8774")
    href = body_of(response)["version"]["links"][0]["href"]
    assert href == "https://cloud.example:8774/compute/v2.1/"


def test_the_index_names_every_api(world: World) -> None:
    services = get(world, "/")["services"]
    assert services["compute"] == "http://localhost/compute/v2.1"
    assert set(services) == {"compute", "image", "identity", "placement", "sundog"}
    for path in ("/", "/compute"):
        ids = [one["id"] for one in get(world, path)["versions"]]
        assert ids == ["v2.0", "v2.1"]


def test_the_first_version_is_2_1_without_microversions(world: World) -> None:
    shown = get(world, "/compute/v2")["version"]
    assert (shown["id"], shown["version"], shown["min_version"]) == ("v2.0", "", "")
    world.flavor("m1")
    answer = world.call("GET", "/flavors/m1", version="2.100", base="/compute/v2")
    assert "description" not in body_of(answer)["flavor"]
    assert "OpenStack-API-Version" not in answer.headers
    (_, bookmark) = body_of(answer)["flavor"]["links"]
    assert bookmark["href"] == "http://localhost/compute/flavors/m1"


def test_images_are_listed_found_and_shown(world: World) -> None:
    assert get(world, "/image")["versions"][0]["id"] == "v2.16"
    shown = get(world, "/image/v2/images")["images"]
    assert [image["name"] for image in shown] == ["cirros", "debian"]
    assert shown == get(world, "/v2/images")["images"]
    cirros = get(world, f"/image/v2/images/{IMAGE.id}")
    assert cirros == shown[0]
    assert cirros["hw_machine_type"] == "q35"
    assert (cirros["status"], cirros["size"]) == ("active", 12345)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=cirros", ["cirros"]),
        ("name=nobody", []),
        (f"id=in:{IMAGE.id},{OTHER_IMAGE.id}", ["cirros", "debian"]),
        (f"id=in:{OTHER_IMAGE.id}", ["debian"]),
        (f"id={IMAGE.id}", ["cirros"]),
        ("limit=1", ["cirros"]),
        (f"marker={IMAGE.id}", ["debian"]),
        ("status=queued", []),
        ("visibility=public&status=active", ["cirros", "debian"]),
    ],
)
def test_images_are_filtered_and_paged(
    world: World, query: str, names: list[str]
) -> None:
    shown = get(world, f"/image/v2/images?{query}")["images"]
    assert [image["name"] for image in shown] == names


def test_a_page_of_images_links_to_the_next(world: World) -> None:
    first = get(world, "/image/v2/images?limit=1")
    second = get(world, "/image" + first["next"])
    assert [image["name"] for image in second["images"]] == ["debian"]
    assert "next" not in second


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_images_are_read_only(world: World, method: str) -> None:
    response = world.client.open(f"/image/v2/images/{IMAGE.id}", method=method)
    assert response.status_code == 405
    assert body_of(response)["badMethod"]["code"] == 405
    assert "GET" in response.headers["Allow"]


def test_identity_knows_one_project_and_one_user(world: World) -> None:
    assert get(world, "/identity/v3")["version"]["id"].startswith("v3.")
    assert get(world, "/identity")["versions"]["values"][0]["status"] == "stable"
    for kind, key in (
        ("projects", ADMIN_PROJECT.id),
        ("users", ADMIN_USER_ID),
        ("domains", "default"),
    ):
        (thing,) = get(world, f"/identity/v3/{kind}")[kind]
        assert thing["id"] == key
        assert get(world, f"/identity/v3/{kind}/{key}") == {kind[:-1]: thing}
        assert get(world, f"/identity/v3/{kind}?name=nobody")[kind] == []
        missing = world.client.get(f"/identity/v3/{kind}/nobody")
        assert missing.status_code == 404
        assert body_of(missing)["error"]["code"] == 404


def test_hosts_show_who_holds_what(world: World) -> None:
    world.flavor("gpu", pci_passthrough__alias="vGPU:1", hw__cpu_policy="dedicated")
    server = world.server("ml", flavor="gpu")
    host, plain = get(world, "/v1/hosts")["hosts"]
    assert (host["name"], plain["name"]) == ("host-a", "host-b")
    assert [socket["id"] for socket in host["sockets"]] == [0, 1]
    (cell,) = host["sockets"][1]["cells"]
    assert {pin["server_name"] for pin in cell["pins"]} == {"ml"}
    assert [pin["vcpu"] for pin in cell["pins"]] == [0, 1]
    assert cell["memory_mb_used"] == 512
    (card,) = cell["cards"]
    assert (card["product"], card["budget_used"]) == ("NVIDIA A16", 2)
    four, eight = card["devices"]
    assert (four["used"], four["free"], eight["free"]) == (1, 3, 1)
    (holder,) = four["holders"]
    assert (holder["server_id"], holder["server_name"]) == (server, "ml")
    (lone,) = host["loose_cards"]
    assert lone["devices"][0]["state"] == "unavailable"
    assert lone["devices"][0]["reason"] == "its config space could not be read"
    (shown,) = host["servers"]
    assert (shown["name"], shown["cells"], shown["vcpus"]) == ("ml", [1], 2)
    assert get(world, "/v1/hosts/host-a")["hosts"] == [host]
    assert world.client.get("/v1/hosts/nobody").status_code == 404


def test_a_host_that_never_answered_is_shown_down(world: World) -> None:
    """With the reason, and the servers that stand in their records."""
    world.flavor("m1")
    server, gone = UUID(world.server("ml")), UUID(world.server("old"))
    change = world.books.servers.servers.change
    change(server, lambda old: replace(old, host="host-0"))
    change(gone, lambda old: replace(old, phase=Phase.DELETED, host="host-0"))
    world.fleet.lose("host-0", "no libvirt")
    first, *others = get(world, "/v1/hosts")["hosts"]
    assert [one["name"] for one in others] == ["host-a", "host-b"]
    assert (first["name"], first["state"], first["sockets"]) == ("host-0", "down", [])
    assert first["status_reason"] == "it does not answer: no libvirt"
    (shown,) = first["servers"]
    assert (shown["id"], shown["name"]) == (str(server), "ml")


def test_a_pf_is_claimed_while_a_vf_is_in_use(world: World) -> None:
    world.flavor("net", pci_passthrough__alias="nic:1")
    world.server(flavor="net")
    rows = get(world, "/v1/devices")["devices"]
    states = {
        (row["host"], row["device"]["kind"], row["device"]["state"]) for row in rows
    }
    assert ("host-a", "type-PF", "claimed") in states
    assert ("host-a", "type-VF", "claimed") in states
    assert ("host-a", "type-VF", "available") in states


def test_a_foreign_mdev_is_counted_and_its_room_is_not_offered(world: World) -> None:
    host = rich_host()
    gpu = host.cards[0]
    foreign = Mdev(uuid=UUID(int=1), type_id="nvidia-36", parent=gpu.address)
    world.fleet.see(replace(host, mdevs=(foreign,), serial=host.serial + 1))
    rows = get(world, "/v1/devices")["devices"]
    by_type = {row["device"]["type"]: row["device"] for row in rows}
    assert (by_type["nvidia-36"]["foreign"], by_type["nvidia-36"]["used"]) == (1, 0)
    assert (by_type["nvidia-35"]["foreign"], by_type["nvidia-35"]["free"]) == (0, 2)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadRequestError("b"), 400),
        (ForbiddenError("f"), 403),
        (NotFoundError("n"), 404),
        (ConflictError("c"), 409),
        (HostRefusedError("h"), 409),
        (NoValidHostError("v"), 409),
        (UnavailableError("u"), 503),
        (ClaimConflictError("k"), 503),
        (SundogError("inside"), 500),
    ],
)
def test_each_of_our_errors_has_its_status(
    world: World, error: SundogError, status: int
) -> None:
    class Failing:
        def list(self) -> list[object]:
            raise error

    object.__setattr__(world.books, "images", Failing())
    response = world.client.get("/v2/images")
    assert response.status_code == status
    (fault,) = body_of(response).values()
    assert (fault["message"] == str(error)) is (status != 500)
    assert ("Retry-After" in response.headers) is (status == 503)


def test_a_marker_that_is_no_image_is_a_400(world: World) -> None:
    assert world.client.get("/v2/images?marker=nobody").status_code == 400


def test_aliases_are_shown_with_their_alternatives(world: World) -> None:
    nic, vgpu = get(world, "/v1/aliases")["aliases"]
    assert (nic["name"], vgpu["name"]) == ("nic", "vGPU")
    assert vgpu["numa_policy"] == "required"
    assert vgpu["wants"][0]["type"] == "nvidia-35"


def test_explain_says_where_a_flavor_fits_and_why_not_elsewhere(world: World) -> None:
    world.flavor("gpu", pci_passthrough__alias="vGPU:1")
    found = get(world, "/v1/explain?flavor=gpu")
    assert [fit["host"] for fit in found["fits"]] == ["host-a"]
    assert found["fits"][0]["devices"][0]["type"] == "nvidia-35"
    assert found["summary"] == ""
    assert "host-b" in [refusal["host"] for refusal in found["refusals"]]
    assert all(all(refusal.values()) for refusal in found["refusals"])
    world.flavor("many", pci_passthrough__alias="vGPU:9")
    none = get(world, f"/v1/explain?flavor=many&image={IMAGE.id}")
    assert none["fits"] == []
    assert none["summary"].startswith("No valid host was found.")


def test_explain_needs_a_flavor_that_is_there(world: World) -> None:
    assert world.client.get("/v1/explain").status_code == 400
    assert world.client.get("/v1/explain?flavor=nobody").status_code == 404
    names = {"hosts", "devices", "aliases", "explain", "audit"}
    assert set(get(world, "/v1")) == names


def test_a_mounted_application_is_told_its_prefix(world: World) -> None:
    def echo(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        return Response(f"{request.script_root}|{request.path}")(environ, start)

    client = Client(build_app(world.books, {"/placement": echo}))
    assert client.get("/placement").text == "/placement|/"
    assert client.get("/placement/usages").text == "/placement|/usages"
    assert client.get("/placements").status_code == 404
    assert client.get("/compute/v2.1").status_code == 200


def test_what_is_unforeseen_is_logged_and_not_shown(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def list(self) -> list[object]:
            raise RuntimeError("the secret inside")

    object.__setattr__(world.books, "images", Broken())
    with caplog.at_level(logging.ERROR):
        response = world.client.get("/v2/images")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert body_of(response)["computeFault"]["code"] == 500
    assert response.headers["X-Compute-Request-Id"] in caplog.text
    assert "the secret inside" in caplog.text
