"""Flavors, their extra specs, and lists of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.edges.rest.world import body_of

if TYPE_CHECKING:
    from tests.edges.rest.world import World


def test_a_flavor_is_made_as_the_command_line_sends_it(world: World) -> None:
    sent = {
        "name": "gpu",
        "ram": 1024,
        "disk": 10,
        "vcpus": 2,
        "swap": 0,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "os-flavor-access:is_public": True,
        "id": None,
    }
    made = body_of(world.call("POST", "/flavors", {"flavor": sent}, version="2.61"))
    flavor = made["flavor"]
    assert flavor["id"]
    assert flavor["links"][0] == {
        "rel": "self",
        "href": f"http://localhost/compute/v2.1/flavors/{flavor['id']}",
    }
    assert {key: flavor[key] for key in sent if key not in ("id", "swap")} == {
        key: value for key, value in sent.items() if key not in ("id", "swap")
    }
    assert world.get(f"/flavors/{flavor['id']}", "2.61")["flavor"] == flavor


def test_numbers_may_be_written_as_text(world: World) -> None:
    sent = {"name": "t", "ram": "64", "disk": "0", "vcpus": "1", "id": 7}
    made = body_of(world.call("POST", "/flavors", {"flavor": sent}))["flavor"]
    assert (made["id"], made["ram"]) == ("7", 64)


def test_a_taken_id_or_name_is_a_409(world: World) -> None:
    world.flavor("m1")
    body = {"name": "m1", "ram": 1, "vcpus": 1, "disk": 0}
    assert world.call("POST", "/flavors", {"flavor": body}).status_code == 409


def test_a_description_is_changed_from_2_55_on(world: World) -> None:
    world.flavor("m1")
    body = {"flavor": {"description": "small"}}
    assert world.call("PUT", "/flavors/m1", body, version="2.54").status_code == 404
    changed = body_of(world.call("PUT", "/flavors/m1", body))["flavor"]
    assert changed["description"] == "small"


def test_a_deleted_flavor_is_gone(world: World) -> None:
    world.flavor("m1")
    assert world.call("DELETE", "/flavors/m1").status_code == 202
    assert world.call("GET", "/flavors/m1").status_code == 404
    assert world.call("DELETE", "/flavors/m1").status_code == 404


def test_extra_specs_are_set_shown_changed_and_unset(world: World) -> None:
    path = "/flavors/m1/os-extra_specs"
    world.flavor("m1", hw__cpu_policy="dedicated")
    sent = {"extra_specs": {"hw:numa_nodes": 1}}
    assert body_of(world.call("POST", path, sent)) == {
        "extra_specs": {"hw:numa_nodes": "1"}
    }
    assert world.get(f"{path}/hw:numa_nodes") == {"hw:numa_nodes": "1"}
    one = {"hw:cpu_policy": "shared"}
    assert body_of(world.call("PUT", f"{path}/hw:cpu_policy", one)) == one
    mismatch = world.call("PUT", f"{path}/hw:numa_nodes", one)
    assert mismatch.status_code == 400
    assert world.call("DELETE", f"{path}/hw:numa_nodes").status_code == 200
    assert world.get(path) == {"extra_specs": one}
    assert world.call("DELETE", f"{path}/hw:numa_nodes").status_code == 404
    assert world.call("GET", f"{path}/hw:numa_nodes").status_code == 404


def test_access_is_told_of_private_flavors_only(world: World) -> None:
    world.flavor("m1")
    body = {
        "name": "p",
        "id": "p",
        "ram": 1,
        "vcpus": 1,
        "disk": 0,
        "os-flavor-access:is_public": "false",
    }
    world.call("POST", "/flavors", {"flavor": body})
    assert world.call("GET", "/flavors/m1/os-flavor-access").status_code == 404
    assert world.get("/flavors/p/os-flavor-access") == {"flavor_access": []}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["a", "b", "c"]),
        ("is_public=None", ["a", "b", "c", "hidden"]),
        ("is_public=false", ["hidden"]),
        ("minRam=20", ["b", "c"]),
        ("minDisk=3", ["c"]),
        ("sort_key=memory_mb&sort_dir=desc", ["c", "b", "a"]),
        ("limit=1", ["a"]),
        ("limit=1&marker=a", ["b"]),
        ("marker=c", []),
        ("name=b", ["b"]),
    ],
)
def test_lists_are_filtered_sorted_and_paged(
    world: World, query: str, names: list[str]
) -> None:
    for number, name in enumerate(("a", "b", "c", "hidden"), start=1):
        body = {"name": name, "id": name, "ram": 10 * number, "vcpus": 1}
        body |= {"disk": number, "os-flavor-access:is_public": name != "hidden"}
        assert world.call("POST", "/flavors", {"flavor": body}).status_code == 200
    for path in ("/flavors", "/flavors/detail"):
        shown = world.get(f"{path}?{query}", "2.103")["flavors"]
        assert [flavor["name"] for flavor in shown] == names


def test_a_page_links_to_the_next_until_the_end(world: World) -> None:
    for name in ("a", "b", "c"):
        world.flavor(name)
    seen, path = [], "/flavors/detail?limit=2"
    while path:
        answer = world.get(path)
        seen += [flavor["id"] for flavor in answer["flavors"]]
        links = answer.get("flavors_links", [])
        path = links[0]["href"].partition("/compute/v2.1")[2] if links else ""
    assert seen == ["a", "b", "c"]
