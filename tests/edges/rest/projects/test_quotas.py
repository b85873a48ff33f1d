"""Quotas as Nova's API tells them, and held to when servers are made."""

from __future__ import annotations

from typing import Any

import pytest
from tests.edges.rest.access.locked import ALPHA, BETA, locked_world, token_of
from tests.edges.rest.world import World, body_of

from sundog.core.access.people import ADMIN_PROJECT, ADMIN_USER_ID

PATH = f"/os-quota-sets/{ADMIN_PROJECT.id}"


def limit(world: World, **limits: Any) -> None:
    """Set quotas; ``__`` stands for a colon."""
    told = {name.replace("__", ":"): value for name, value in limits.items()}
    answer = world.call("PUT", PATH, {"quota_set": told})
    assert answer.status_code == 200, answer.text
    assert told.items() <= body_of(answer)["quota_set"].items()


def test_without_a_quota_servers_have_no_limit(world: World) -> None:
    shown = world.get(PATH)["quota_set"]
    assert (shown["instances"], shown["cores"], shown["ram"]) == (-1, -1, -1)
    assert shown["id"] == ADMIN_PROJECT.id
    assert world.get(f"{PATH}/defaults")["quota_set"] == shown


def test_versions_tell_what_they_knew(world: World) -> None:
    def names(version: str) -> set[str]:
        return set(world.get(PATH, version)["quota_set"])

    assert {"fixed_ips", "security_group_rules", "injected_files"} <= names("2.1")
    assert names("2.1") - names("2.36") == {
        "fixed_ips",
        "floating_ips",
        "security_groups",
        "security_group_rules",
    }
    assert "injected_files" not in names("2.57")


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"instances": 1}, "instances"),
        ({"cores": 3}, "cores"),
        ({"ram": 1000}, "ram"),
        ({"alias__vGPU": 1}, "alias:vGPU"),
    ],
)
def test_a_full_quota_refuses_servers_in_novas_words(
    world: World, limits: dict[str, int], name: str
) -> None:
    world.flavor("m1", pci_passthrough__alias="vGPU:1")
    limit(world, **limits)
    first = world.server()
    answer = world.create()
    assert answer.status_code == 403
    message = body_of(answer)["forbidden"]["message"]
    assert message.startswith(f"Quota exceeded for {name}: Requested ")
    world.call("DELETE", f"/servers/{first}")
    world.server()


def test_a_class_has_a_quota_too(world: World) -> None:
    world.flavor("m1", resources__VGPU="1")
    limit(world, class__VGPU=0)
    assert "class:VGPU" in body_of(world.create())["forbidden"]["message"]


def test_fewer_servers_are_made_where_fewer_are_enough(world: World) -> None:
    world.flavor("m1")
    limit(world, instances=3)
    world.server(min_count=2, max_count=5)
    assert len(world.get("/servers")["servers"]) == 3


def test_limits_and_detail_tell_what_is_used(world: World) -> None:
    world.flavor("m1")
    world.server()
    limit(world, instances=5, server_groups=7)
    absolute = world.get("/limits")["limits"]["absolute"]
    assert (absolute["maxTotalInstances"], absolute["maxServerGroups"]) == (5, 7)
    detail = world.get(f"{PATH}/detail")["quota_set"]
    assert detail["instances"] == {"limit": 5, "in_use": 1, "reserved": 0}
    assert detail["cores"]["in_use"] == 2


def test_other_things_have_quotas_too(world: World) -> None:
    world.flavor("m1")
    limit(world, metadata_items=1, server_groups=0, key_pairs=0, server_group_members=0)
    assert world.create(metadata={"a": "b", "c": "d"}).status_code == 403
    group = {"name": "g", "policy": "affinity"}
    path = "/os-server-groups"
    assert world.call("POST", path, {"server_group": group}).status_code == 403
    body = {"keypair": {"name": "k"}}
    answer = world.call("POST", "/os-keypairs", body, version="2.90")
    assert answer.status_code == 403
    limit(world, server_groups=1)
    made = body_of(world.call("POST", path, {"server_group": group}))["server_group"]
    server = {"name": "w", "flavorRef": "m1", "networks": "none", "imageRef": "x"}
    hints = {"group": made["id"]}
    answer = world.call(
        "POST", "/servers", {"server": server, "os:scheduler_hints": hints}
    )
    assert "too many servers in group" in answer.text


def test_a_quota_below_what_is_used_needs_force(world: World) -> None:
    world.flavor("m1")
    world.server()
    answer = world.call("PUT", PATH, {"quota_set": {"instances": 0}})
    assert answer.status_code == 400
    limit_anyway = {"quota_set": {"instances": 0, "force": True}}
    assert world.call("PUT", PATH, limit_anyway).status_code == 200
    assert world.call("DELETE", PATH).status_code == 202
    assert world.get(PATH)["quota_set"]["instances"] == -1


def test_defaults_are_one_class(world: World) -> None:
    path = "/os-quota-class-sets/default"
    body = {"quota_class_set": {"instances": 4}}
    assert body_of(world.call("PUT", path, body))["quota_class_set"]["instances"] == 4
    assert world.get(path)["quota_class_set"]["instances"] == 4
    assert world.get(PATH)["quota_set"]["instances"] == 4
    other = world.call("PUT", "/os-quota-class-sets/gold", body)
    assert other.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"quota_set": {"instances": -2}},
        {"quota_set": {"instances": True}},
        {"quota_set": {"instances": None}},
        {"quota_set": {"instances": "many"}},
        {"quota_set": {"horses": 2}},
        {"quota_set": {"fixed_ips": 2}},
        {"quota_set": {}, "more": {}},
    ],
)
def test_a_bad_quota_is_refused(world: World, body: object) -> None:
    assert world.call("PUT", PATH, body).status_code == 400


def test_a_user_may_have_limits_of_his_own(world: World) -> None:
    """They are within the project's, and hold for that user's servers only."""
    world.flavor("m1")
    world.call("PUT", PATH, {"quota_set": {"instances": 3}})
    mine, other = f"{PATH}?user_id={ADMIN_USER_ID}", f"{PATH}?user_id=other"
    for limit, status in ((4, 400), (-1, 400), (1, 200)):
        body = {"quota_set": {"instances": limit}}
        assert world.call("PUT", mine, body).status_code == status
    assert world.get(mine)["quota_set"]["instances"] == 1
    for path in (PATH, other):
        assert world.get(path)["quota_set"]["instances"] == 3
    assert world.create(min_count=2).status_code == 403
    assert world.create(max_count=3).status_code == 202
    assert world.create().status_code == 403
    detail = f"{PATH}/detail?user_id={ADMIN_USER_ID}"
    assert world.get(detail)["quota_set"]["instances"]["in_use"] == 1
    detail = detail.replace(ADMIN_USER_ID, "other")
    assert world.get(detail)["quota_set"]["instances"]["in_use"] == 0
    assert world.call("DELETE", mine).status_code == 202
    assert world.create().status_code == 202


def test_a_resize_is_held_to_the_limits_of_its_user(world: World) -> None:
    """As a create is."""
    world.flavor("m1")
    large = {"name": "m2", "id": "m2", "ram": 512, "vcpus": 4, "disk": 1}
    world.call("POST", "/flavors", {"flavor": large})
    server = world.server()
    mine = f"{PATH}?user_id={ADMIN_USER_ID}"
    body = {"resize": {"flavorRef": "m2"}}
    for cores, status in ((3, 403), (4, 202)):
        world.call("PUT", mine, {"quota_set": {"cores": cores}})
        answer = world.call("POST", f"/servers/{server}/action", body)
        assert answer.status_code == status, answer.text


def test_only_the_admin_sets_quotas_or_sees_those_of_others() -> None:
    world = locked_world()
    alice = token_of(world, "alice")
    mine, other = (f"/os-quota-sets/{one.id}" for one in (ALPHA, BETA))
    assert world.call("GET", mine, headers=alice).status_code == 200
    assert world.call("GET", other, headers=alice).status_code == 403
    body = {"quota_set": {"ram": 1}}
    assert world.call("PUT", mine, body, headers=alice).status_code == 403
    root = token_of(world, "root")
    assert world.call("PUT", other, body, headers=root).status_code == 200
