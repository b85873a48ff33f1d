"""What was asked of a server is told as Nova tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.edges.rest.world import World

BRIEF = {
    "action",
    "instance_uuid",
    "request_id",
    "user_id",
    "project_id",
    "start_time",
    "message",
}


@pytest.fixture(name="server")
def _server(world: World) -> str:
    world.flavor("m1")
    server = world.server()
    for action in ("lock", "unlock", "os-stop"):
        response = world.call("POST", f"/servers/{server}/action", {action: None})
        assert response.status_code == 202
    return server


def listed(world: World, path: str, version: str = "2.100") -> list[dict[str, Any]]:
    actions = world.get(path, version)["instanceActions"]
    assert isinstance(actions, list)
    return actions


def test_actions_are_listed_newest_first(world: World, server: str) -> None:
    path = f"/servers/{server}/os-instance-actions"
    actions = listed(world, path)
    assert [one["action"] for one in actions] == ["stop", "unlock", "lock", "create"]
    assert set(actions[0]) == BRIEF | {"updated_at"}
    assert set(listed(world, path, "2.57")[0]) == BRIEF
    assert actions[0]["message"] is None


def test_actions_are_paged_and_filtered(world: World, server: str) -> None:
    path = f"/servers/{server}/os-instance-actions"
    first = world.get(f"{path}?limit=3")
    marker = first["instanceActions"][-1]["request_id"]
    assert f"marker={marker}" in first["links"][0]["href"]
    assert len(listed(world, f"{path}?marker={marker}")) == 1
    assert listed(world, f"{path}?changes-since=2100-01-01T00:00:00Z") == []
    assert len(listed(world, f"{path}?changes-before=2100-01-01T00:00:00Z")) == 4
    late_first = "changes-since=2100-01-01T00:00:00Z&changes-before=2000-01-01"
    for query in (late_first, "bogus=1", "marker=nothing"):
        assert world.call("GET", f"{path}?{query}").status_code == 400


@pytest.mark.parametrize(
    ("version", "more"),
    [
        ("2.1", {"traceback"}),
        ("2.62", {"traceback", "host", "hostId"}),
        ("2.84", {"traceback", "host", "hostId", "details"}),
    ],
)
def test_an_action_shows_its_events(
    world: World, server: str, version: str, more: set[str]
) -> None:
    path = f"/servers/{server}/os-instance-actions"
    stop = listed(world, path)[0]
    told = world.get(f"{path}/{stop['request_id']}", version)["instanceAction"]
    [event] = told["events"]
    assert set(event) == {"event", "start_time", "finish_time", "result"} | more
    assert event["event"] == "compute_stop_instance"
    assert event["result"] == "Success"


def test_a_deleted_server_shows_its_actions(world: World, server: str) -> None:
    """From 2.21 on; a server that never was, and no action, are 404."""
    path = f"/servers/{server}/os-instance-actions"
    assert world.call("GET", f"{path}/req-none").status_code == 404
    assert world.call("DELETE", f"/servers/{server}").status_code == 204
    assert listed(world, path, "2.21")[0]["action"] == "delete"
    assert world.call("GET", path, version="2.20").status_code == 404
    assert world.call("GET", "/servers/none/os-instance-actions").status_code == 404
