"""Servers of a group keep its policy, also when they are asked for at once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from tests.stories.service import Service, open_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = open_service(tmp_path, ["h1=small", "h2=small"], [], [])
    with service.embedded:
        service.flavor("f", {})
        yield service


def group(service: Service, policy: str, **rules: int) -> str:
    """Make a group; returns its id."""
    wanted: dict[str, Any] = {"name": "g", "policy": policy}
    if rules:
        wanted["rules"] = rules
    answer = service.call("POST", "/v2.1/os-server-groups", {"server_group": wanted})
    return str(answer["server_group"]["id"])


def boot(service: Service, group_id: str, count: int, expect: int = 202) -> Any:
    """Ask for servers in a group."""
    [image] = service.call("GET", "/v2/images")["images"]
    server = {
        "name": "vm",
        "flavorRef": "f",
        "imageRef": image["id"],
        "networks": "none",
        "min_count": count,
        "max_count": count,
    }
    body = {"server": server, "os:scheduler_hints": {"group": group_id}}
    return service.call("POST", "/v2.1/servers", body, expect=expect)


def hosts(service: Service) -> dict[str, int]:
    """Wait for the servers and count them by host."""
    found = [server["OS-EXT-SRV-ATTR:host"] for server in service.wait()]
    return dict(Counter(found))


def test_affinity_puts_all_on_one_host(service: Service) -> None:
    made = group(service, "affinity")
    boot(service, made, 3)
    boot(service, made, 1)
    assert list(hosts(service).values()) == [4]
    service.check_agreement()


def test_anti_affinity_fills_each_host_once(service: Service) -> None:
    made = group(service, "anti-affinity")
    boot(service, made, 3)
    servers = service.wait()
    assert sorted(server["status"] for server in servers) == [
        "ACTIVE",
        "ACTIVE",
        "ERROR",
    ]
    (failed,) = [server for server in servers if server["status"] == "ERROR"]
    assert f"The policy of server group {made}" in failed["fault"]["message"]
    assert {h for h in hosts(service) if h} == {"h1", "h2"}
    service.check_agreement()


def test_anti_affinity_may_let_several_share_a_host(service: Service) -> None:
    boot(service, group(service, "anti-affinity", max_server_per_host=2), 4)
    assert hosts(service) == {"h1": 2, "h2": 2}


def test_soft_policies_prefer_and_do_not_insist(service: Service) -> None:
    boot(service, group(service, "soft-anti-affinity"), 4)
    assert hosts(service) == {"h1": 2, "h2": 2}
    boot(service, group(service, "soft-affinity"), 3)
    assert sorted(hosts(service).values()) == [2, 5]


def test_a_group_tells_its_members_and_a_server_its_group(service: Service) -> None:
    made = group(service, "affinity")
    boot(service, made, 2)
    ids = {server["id"] for server in service.wait()}
    shown = service.call("GET", f"/v2.1/os-server-groups/{made}")["server_group"]
    assert set(shown["members"]) == ids
    one = service.call("GET", f"/v2.1/servers/{min(ids)}")["server"]
    assert one["server_groups"] == [made]


def test_a_group_that_is_not_there_is_refused(service: Service) -> None:
    for wanted in ("nonsense", "11111111-0000-4000-8000-000000000001"):
        boot(service, wanted, 1, expect=400)
