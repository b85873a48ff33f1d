"""Reports of usage, and events that other services tell."""

from __future__ import annotations

from typing import Any

import pytest
from tests.edges.rest.access.locked import locked_world, token_of
from tests.edges.rest.world import IMAGE, World, body_of

from sundog.core.access.people import ADMIN_PROJECT

ALWAYS = "start=2026-01-01T00:00:00&end=2036-01-01T00:00:00.5"
PATH = "/os-simple-tenant-usage"


@pytest.fixture
def servers(world: World) -> list[str]:
    """Make two servers; the second is deleted again."""
    world.flavor("m1")
    made = [world.server("one"), world.server("two")]
    world.call("DELETE", f"/servers/{made[1]}")
    return made


def test_usage_counts_servers_while_they_are_there(
    world: World, servers: list[str]
) -> None:
    told = world.get(f"{PATH}/{ADMIN_PROJECT.id}?{ALWAYS}")["tenant_usage"]
    first, second = told["server_usages"]
    assert [first["instance_id"], second["instance_id"]] == servers
    assert (first["state"], second["state"]) == ("active", "terminated")
    assert (first["ended_at"], first["flavor"], first["vcpus"]) == (None, "m1", 2)
    assert second["ended_at"] > second["started_at"]
    assert first["uptime"] > second["uptime"] > 0
    hours = first["hours"] + second["hours"]
    assert told["total_hours"] == pytest.approx(hours)
    assert told["total_vcpus_usage"] == pytest.approx(2 * hours)
    assert told["total_memory_mb_usage"] == pytest.approx(512 * hours)
    assert told["total_local_gb_usage"] == pytest.approx(hours)


def test_usage_of_all_projects_has_details_on_demand(
    world: World, servers: list[str]
) -> None:
    (short,) = world.get(f"{PATH}?{ALWAYS}")["tenant_usages"]
    (long,) = world.get(f"{PATH}?{ALWAYS}&detailed=1")["tenant_usages"]
    assert "server_usages" not in short
    assert len(long["server_usages"]) == len(servers)


def test_usage_is_paged_from_2_40_on(world: World, servers: list[str]) -> None:
    told = world.get(f"{PATH}?{ALWAYS}&detailed=1&limit=1", "2.40")
    (usage,) = told["tenant_usages"]
    assert [one["instance_id"] for one in usage["server_usages"]] == servers[:1]
    (link,) = told["tenant_usages_links"]
    assert f"marker={servers[0]}" in link["href"]
    query = f"{ALWAYS}&limit=1&marker={servers[0]}"
    told = world.get(f"{PATH}/{ADMIN_PROJECT.id}?{query}", "2.40")
    assert told["tenant_usage"]["server_usages"][0]["instance_id"] == servers[1]
    assert "tenant_usage_links" not in told
    whole = world.get(f"{PATH}?{ALWAYS}&detailed=1&limit=1", "2.39")
    assert len(whole["tenant_usages"][0]["server_usages"]) == len(servers)


@pytest.mark.parametrize(
    "query",
    [
        "start=2036-01-01T00:00:00&end=2026-01-01T00:00:00",
        "start=yesterday",
        "",
        f"{ALWAYS}&marker=nobody",
        f"{ALWAYS}&bogus=1",
    ],
)
def test_a_period_that_is_none_is_refused(world: World, query: str) -> None:
    assert world.call("GET", f"{PATH}?{query}").status_code == 400


def test_a_project_sees_its_own_usage() -> None:
    world = locked_world()
    alice = token_of(world, "alice")
    mine = f"{PATH}/{'a' * 32}?{ALWAYS}"
    assert body_of(world.call("GET", mine, headers=alice)) == {"tenant_usage": {}}
    for path in (f"{PATH}/{'b' * 32}?{ALWAYS}", f"{PATH}?{ALWAYS}"):
        assert world.call("GET", path, headers=alice).status_code == 403
    root = token_of(world, "root")
    assert world.call("GET", f"{PATH}/?{ALWAYS}", headers=root).status_code == 404


def test_no_host_has_audited_usage(world: World) -> None:
    path = "/os-instance_usage_audit_log"
    log = world.get(path)["instance_usage_audit_logs"]
    assert log["hosts_not_run"] == ["host-a", "host-b"]
    assert log["overall_status"] == "0 of 2 hosts done. 0 errors."
    assert log["period_beginning"] == "2025-12-01 00:00:00"
    assert log["period_ending"] == "2026-01-01 00:00:00"
    log = world.get(f"{path}/2025-12-31 23:59:59.5")["instance_usage_audit_log"]
    assert log["period_ending"] == "2025-12-01 00:00:00"
    assert world.call("GET", f"{path}/yesterday").status_code == 400


def events(world: World, *events: dict[str, str], version: str = "2.100") -> Any:
    """Tell of events; returns the status and the answer."""
    path = "/os-server-external-events"
    answer = world.call("POST", path, {"events": [*events]}, version=version)
    return answer.status_code, body_of(answer)


def test_events_of_other_services_are_answered_one_by_one(world: World) -> None:
    world.flavor("m1")
    world.flavor("large", hw__numa_nodes="2", pci_passthrough__alias="vGPU:64")
    there, lost = world.server(), world.server(flavor="large")
    nobody = "11111111-0000-4000-8000-00000000dead"
    status, told = events(world, {"name": "network-changed", "server_uuid": there})
    assert (status, told["events"][0]["code"]) == (200, 200)
    status, told = events(
        world,
        {"name": "network-changed", "server_uuid": there, "tag": "x"},
        {"name": "network-changed", "server_uuid": nobody},
        {"name": "network-changed", "server_uuid": lost, "status": "failed"},
        {"name": "volume-extended", "server_uuid": there},
    )
    assert status == 207
    assert [(one["code"], one["status"]) for one in told["events"]] == [
        (200, "completed"),
        (404, "failed"),
        (422, "failed"),
        (400, "failed"),
    ]


@pytest.mark.parametrize(
    ("event", "version"),
    [
        ({"name": "earthquake", "server_uuid": IMAGE.id}, "2.100"),
        ({"name": "volume-extended", "server_uuid": IMAGE.id}, "2.50"),
        ({"name": "network-changed", "server_uuid": "x"}, "2.100"),
        (
            {"name": "network-changed", "server_uuid": IMAGE.id, "status": "odd"},
            "2.100",
        ),
        ({"name": "network-changed"}, "2.100"),
    ],
)
def test_an_event_that_is_none_is_refused(
    world: World, event: dict[str, str], version: str
) -> None:
    assert events(world, event, version=version)[0] == 400
    assert events(world)[0] == 400
