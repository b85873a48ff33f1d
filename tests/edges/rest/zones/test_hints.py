"""Hints that name other servers are obeyed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.edges.rest.world import IMAGE, World, body_of

NOBODY = "11111111-0000-4000-8000-00000000dead"


@pytest.fixture
def first(world: World) -> str:
    """Make a server on host-a."""
    world.flavor("m1")
    return world.server(availability_zone="nova:host-a")


def boot(world: World, hints: dict[str, Any], status: int = 202) -> Any:
    """Boot a server with hints; returns it, or None."""
    server = {"name": "w", "flavorRef": "m1", "imageRef": IMAGE.id, "networks": "none"}
    body = {"server": server, "os:scheduler_hints": hints}
    answer = world.call("POST", "/servers", body)
    assert answer.status_code == status, answer.text
    if status != 202:
        return None
    return world.get(f"/servers/{body_of(answer)['server']['id']}")["server"]


def test_a_server_goes_where_another_is_or_is_not(world: World, first: str) -> None:
    same = boot(world, {"same_host": first})
    assert same["OS-EXT-SRV-ATTR:host"] == "host-a"
    assert same["scheduler_hints"] == {"same_host": first}
    both = [first, same["id"]]
    other = boot(world, {"different_host": both})
    assert other["OS-EXT-SRV-ATTR:host"] == "host-b"
    assert other["scheduler_hints"] == {"different_host": both}


def test_hints_that_leave_no_host_are_told(world: World, first: str) -> None:
    lost = boot(world, {"same_host": [first], "different_host": [first]})
    assert (
        "1 host holds a server of the hint different_host" in lost["fault"]["message"]
    )
    assert "1 holds no server of the hint same_host" in lost["fault"]["message"]
    nowhere = boot(world, {"same_host": NOBODY})
    assert "2 hosts hold no server of the hint same_host" in nowhere["fault"]["message"]
    assert boot(world, {"different_host": NOBODY})["status"] == "ACTIVE"


@pytest.mark.parametrize(
    "hints",
    [{"same_host": "x"}, {"different_host": [1]}, {"same_host": {}}, {"odd": 1}],
)
def test_a_hint_that_is_none_is_refused(world: World, hints: dict[str, Any]) -> None:
    world.flavor("m1")
    boot(world, hints, 400)
