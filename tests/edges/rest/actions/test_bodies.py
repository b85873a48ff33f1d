"""What actions take, and what is refused before anything is begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.edges.rest.world import IMAGE, OTHER_IMAGE, World, body_of

if TYPE_CHECKING:
    from werkzeug.test import TestResponse


def sent(
    world: World, body: object, server: str = "", version: str = "2.100"
) -> TestResponse:
    if not server:
        world.flavor("m1")
        server = world.server()
    path = f"/servers/{server}/action"
    return world.call("POST", path, body, version=version)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "exactly one action"),
        ({"pause": None, "os-stop": None}, "exactly one action"),
        ({"explode": None}, "There is no such action: 'explode'"),
        ({"createBackup": None}, "does not serve the action 'createBackup'"),
        ({"pause": 1}, "pause"),
        ({"pause": {"now": True}}, "now"),
        ({"reboot": None}, "reboot"),
        ({"reboot": {}}, "type"),
        ({"reboot": {"type": 1}}, "type"),
        ({"reboot": {"type": "WARM"}}, "WARM"),
        ({"lock": {"reason": "x"}}, "reason"),
        ({"lock": {"locked_reason": ""}}, "locked_reason"),
        ({"lock": {"locked_reason": "x" * 256}}, "locked_reason"),
        ({"unshelve": {"availability_zone": "moon"}}, "moon"),
        ({"unshelve": {"host": "nowhere"}}, "nowhere"),
        ({"os-resetState": {"state": "paused"}}, "paused"),
        ({"os-getConsoleOutput": {"length": "many"}}, "many"),
        ({"createImage": {}}, "name"),
        ({"createImage": {"name": " "}}, "name"),
        ({"rebuild": {}}, "imageRef"),
        ({"rebuild": {"imageRef": "nothing"}}, "nothing"),
        ({"rebuild": {"imageRef": IMAGE.id, "name": ""}}, "name"),
        ({"rebuild": {"imageRef": IMAGE.id, "hostname": "-"}}, "hostname"),
        ({"rebuild": {"imageRef": IMAGE.id, "user_data": "?"}}, "user_data"),
        ({"rebuild": {"imageRef": IMAGE.id, "key_name": "k"}}, "Invalid key_name"),
        ({"rebuild": {"imageRef": IMAGE.id, "personality": []}}, "personality"),
        ({"rebuild": {"imageRef": IMAGE.id, "flavorRef": "m1"}}, "flavorRef"),
    ],
    ids=str,
)
def test_a_bad_action_is_a_400_naming_what(
    world: World, body: dict[str, Any], word: str
) -> None:
    response = sent(world, body)
    assert response.status_code == 400
    assert word in body_of(response)["badRequest"]["message"]


@pytest.mark.parametrize(
    ("first", "body"),
    [
        (73, {"lock": {"locked_reason": "x"}}),
        (77, {"unshelve": {"availability_zone": "nova"}}),
        (91, {"unshelve": {"host": "host-a"}}),
        (19, {"rebuild": {"imageRef": IMAGE.id, "description": "x"}}),
        (57, {"rebuild": {"imageRef": IMAGE.id, "user_data": "eA=="}}),
        (90, {"rebuild": {"imageRef": IMAGE.id, "hostname": "x"}}),
    ],
    ids=str,
)
def test_what_a_microversion_does_not_know_is_refused(
    world: World, first: int, body: dict[str, Any]
) -> None:
    response = sent(world, body, version=f"2.{first - 1}")
    assert response.status_code == 400
    assert f"2.{first}" in body_of(response)["badRequest"]["message"]


def test_a_rebuild_answers_the_server_as_it_will_be(world: World) -> None:
    """What a microversion does not show is left out."""
    world.flavor("m1")
    server = world.server()
    body = {"rebuild": {"imageRef": OTHER_IMAGE.id, "name": "new", "adminPass": "p"}}
    new = body_of(sent(world, body, server))["server"]
    assert (new["name"], new["image"]["id"]) == ("new", OTHER_IMAGE.id)
    assert new["adminPass"] == "p"
    assert {"key_name", "user_data"} <= new.keys()
    old = body_of(sent(world, body, server, version="2.53"))["server"]
    assert not {"key_name", "user_data"} & old.keys()
    assert world.get(f"/servers/{server}")["server"]["status"] == "ACTIVE"


def test_a_delete_is_for_good(world: World) -> None:
    """There is nothing to restore, and a forced delete is a delete."""
    world.flavor("m1")
    server = world.server()
    response = sent(world, {"restore": None}, server)
    assert response.status_code == 409
    assert "'restore'" in body_of(response)["conflictingRequest"]["message"]
    assert sent(world, {"forceDelete": None}, server).status_code == 202
    assert world.call("GET", f"/servers/{server}").status_code == 404
