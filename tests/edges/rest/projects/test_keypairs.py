"""Keypairs as Nova's API tells them, microversion by microversion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.edges.rest.access.locked import locked_world, token_of
from tests.edges.rest.world import World, body_of

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

KEY = (
    "ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me"
)
FINGERPRINT = "65:96:2d:fc:e8:d5:a9:11:64:0c:0f:ea:00:6e:5b:bd"


def make(world: World, version: str = "2.91", **fields: Any) -> TestResponse:
    """Ask for a keypair."""
    body = {"keypair": {"name": "k", **fields}}
    return world.call("POST", "/os-keypairs", body, version=version)


def test_a_public_key_is_kept(world: World) -> None:
    made = make(world, public_key=KEY)
    assert made.status_code == 201
    keypair = body_of(made)["keypair"]
    assert keypair["fingerprint"] == FINGERPRINT
    assert "private_key" not in keypair
    (listed,) = world.get("/os-keypairs")["keypairs"]
    assert listed["keypair"]["public_key"] == KEY
    shown = world.get("/os-keypairs/k")["keypair"]
    assert (shown["type"], shown["deleted"]) == ("ssh", False)


@pytest.mark.parametrize(
    ("kind", "start"), [("ssh", "ssh-rsa "), ("x509", "-----BEGIN CERTIFICATE")]
)
def test_keys_are_made_and_the_private_half_is_told_once(
    world: World, kind: str, start: str
) -> None:
    keypair = body_of(make(world, type=kind))["keypair"]
    assert keypair["private_key"].startswith("-----BEGIN RSA PRIVATE KEY")
    assert keypair["public_key"].startswith(start)
    shown = world.get("/os-keypairs/k")["keypair"]
    assert shown["fingerprint"] == keypair["fingerprint"]
    assert "private_key" not in shown


def test_from_2_92_on_no_key_is_made(world: World) -> None:
    assert make(world, version="2.92").status_code == 400
    with_sign = make(world, version="2.92", public_key=KEY, name="a@b.c")
    assert with_sign.status_code == 201
    assert make(world, version="2.91", public_key=KEY, name="x@b.c").status_code == 400


def test_the_first_version_answers_otherwise(world: World) -> None:
    made = make(world, version="2.1", public_key=KEY)
    assert made.status_code == 200
    assert "type" not in body_of(made)["keypair"]
    assert make(world, version="2.1", type="ssh", name="x").status_code == 400
    gone = world.call("DELETE", "/os-keypairs/k", version="2.1")
    assert gone.status_code == 202
    assert world.call("DELETE", "/os-keypairs/k").status_code == 404


def test_keypairs_are_paged_from_2_35_on(world: World) -> None:
    for name in ("a", "b", "c"):
        make(world, public_key=KEY, name=name)
    part = world.get("/os-keypairs?limit=1&marker=a", version="2.35")
    assert [one["keypair"]["name"] for one in part["keypairs"]] == ["b"]
    assert part["keypairs_links"][0]["rel"] == "next"
    assert len(world.get("/os-keypairs?limit=1", version="2.34")["keypairs"]) == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"public_key": "ssh-rsa JUNK me"},
        {"public_key": " "},
        {"public_key": "ssh-rsa " + "A" * 2048 + " me"},
        {"public_key": "ä"},
        {"public_key": KEY, "type": "x509"},
        {"public_key": KEY, "type": "pgp"},
        {"name": ""},
        {"name": r"key_/.\@:"},
        {"name": "k" * 256},
        {"name": 5},
    ],
)
def test_a_bad_keypair_is_refused(world: World, fields: dict[str, Any]) -> None:
    answer = make(world, **fields)
    assert answer.status_code == 400, answer.text


def test_a_name_is_taken_once(world: World) -> None:
    make(world, public_key=KEY)
    assert make(world, public_key=KEY).status_code == 409


def test_a_user_has_at_most_a_hundred(world: World) -> None:
    for number in range(100):
        make(world, public_key=KEY, name=f"k{number}")
    answer = make(world, public_key=KEY)
    assert answer.status_code == 403
    assert "too many key pairs" in body_of(answer)["forbidden"]["message"]


def test_keypairs_are_the_users_own_and_the_admin_sees_all() -> None:
    world = locked_world()
    alice, root = token_of(world, "alice"), token_of(world, "root")
    body = {"keypair": {"name": "k", "public_key": KEY, "user_id": "u-alice"}}
    made = world.call("POST", "/os-keypairs", body, headers=root)
    assert body_of(made)["keypair"]["user_id"] == "u-alice"
    assert world.call("GET", "/os-keypairs/k", headers=alice).status_code == 200
    rita = token_of(world, "rita")
    path = "/os-keypairs?user_id=u-alice"
    assert world.call("GET", path, headers=rita).status_code == 403
    assert len(body_of(world.call("GET", path, headers=root))["keypairs"]) == 1


def test_a_server_names_its_keypair(world: World) -> None:
    world.flavor("m1")
    make(world, public_key=KEY)
    server = world.server(key_name="k")
    assert world.get(f"/servers/{server}")["server"]["key_name"] == "k"
    assert len(world.get("/servers?key_name=k")["servers"]) == 1
    assert world.get("/servers?key_name=other")["servers"] == []
