"""What can be seen of guests: their consoles, what they take, how long hosts run."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.edges.rest.access.locked import locked_world, token_of
from tests.edges.rest.world import IMAGE, START, World, body_of

from sundog.core.lives.figures import DiskFigures, GuestFigures


@pytest.fixture
def server(world: World) -> str:
    """Make a server whose guest runs on host-a."""
    world.flavor("m1")
    made = world.server(availability_zone="nova:host-a")
    world.run_guest(made)
    return made


def console(world: World, server: str, **body: Any) -> Any:
    """Ask for what a guest said; returns it, or the status of the refusal."""
    path = f"/servers/{server}/action"
    answer = world.call("POST", path, {"os-getConsoleOutput": body})
    if answer.status_code == 200:
        return body_of(answer)["output"]
    return answer.status_code


def test_a_consoles_last_lines_are_told(world: World, server: str) -> None:
    assert console(world, server) == "one\ntwo\nthree\n"
    assert console(world, server, length=-1) == "one\ntwo\nthree\n"
    assert console(world, server, length="2") == "three\n"
    assert console(world, server, length=0) == ""
    assert console(world, server, length=99) == "one\ntwo\nthree\n"


def test_a_console_that_is_not_there_is_refused(world: World, server: str) -> None:
    for length in (-2, "x", 1.5):
        assert console(world, server, length=length) == 400
    world.agents["host-a"].guests.clear()
    assert console(world, server) == 404
    world.flavor("large", hw__numa_nodes="2", pci_passthrough__alias="vGPU:64")
    assert console(world, world.server(flavor="large")) == 409


def test_diagnostics_are_told_alike_from_2_48_on(
    world: World, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = DiskFigures(
        name="vda",
        read_requests=1,
        read_bytes=2,
        write_requests=3,
        write_bytes=4,
        errors=5,
    )
    figures = GuestFigures(
        hypervisor="kvm", cpu_ns=(7, 8), memory_kb=2048, used_kb=1024, disks=(disk,)
    )
    agent = world.agents["host-a"]
    monkeypatch.setattr(agent, "figures", lambda _: figures)
    told = world.get(f"/servers/{server}/diagnostics", "2.48")
    assert told["uptime"] > 0
    del told["uptime"]
    assert told == {
        "state": "running",
        "driver": "libvirt",
        "hypervisor": "kvm",
        "hypervisor_os": "linux",
        "config_drive": False,
        "num_cpus": 2,
        "num_nics": 0,
        "num_disks": 1,
        "memory_details": {"maximum": 2, "used": 1},
        "cpu_details": [
            {"id": 0, "time": 7, "utilisation": None},
            {"id": 1, "time": 8, "utilisation": None},
        ],
        "nic_details": [],
        "disk_details": [
            {
                "read_bytes": 2,
                "read_requests": 1,
                "write_bytes": 4,
                "write_requests": 3,
                "errors_count": 5,
            }
        ],
    }
    old = world.get(f"/servers/{server}/diagnostics", "2.47")
    assert (old["cpu1_time"], old["memory"], old["memory-used"]) == (8, 2048, 1024)
    assert (old["vda_read"], old["vda_write_req"]) == (2, 3)


def test_a_guest_that_does_not_run_has_no_diagnostics(
    world: World, server: str
) -> None:
    path = f"/servers/{server}/diagnostics"
    assert world.get(path)["memory_details"] == {"maximum": 64, "used": None}
    world.agents["host-a"].guests.clear()
    assert world.call("GET", path).status_code == 409


def test_diagnostics_are_the_admins() -> None:
    world = locked_world()
    root, alice = token_of(world, "root"), token_of(world, "alice")
    flavor = {"name": "m1", "ram": 64, "vcpus": 1, "disk": 0, "id": "m1"}
    world.call("POST", "/flavors", {"flavor": flavor}, headers=root)
    server = {"name": "w", "flavorRef": "m1", "imageRef": IMAGE.id, "networks": "none"}
    made = body_of(world.call("POST", "/servers", {"server": server}, headers=alice))
    path = f"/servers/{made['server']['id']}/diagnostics"
    assert world.call("GET", path, headers=alice).status_code == 403


def test_a_host_tells_how_long_it_runs(world: World) -> None:
    hypervisors = world.get("/os-hypervisors", "2.1")["hypervisors"]
    path = f"/os-hypervisors/{hypervisors[0]['id']}"
    assert world.call("GET", f"{path}/uptime", version="2.1").status_code == 501
    state = world.fleet.state("host-a")
    assert state is not None
    booted = START - timedelta(days=93, hours=18, minutes=5)
    snapshot = replace(state.snapshot, booted=booted, serial=state.snapshot.serial + 1)
    world.fleet.see(snapshot)
    told = world.get(f"{path}/uptime", "2.1")["hypervisor"]
    assert told["hypervisor_hostname"] == "host-a"
    assert told["uptime"].endswith(" up 93 days, 18:05")
    shown = world.get(f"/os-hypervisors/{state.snapshot.uuid}", "2.88")["hypervisor"]
    assert shown["uptime"].endswith(" up 93 days, 18:05")
    uuid = f"/os-hypervisors/{state.snapshot.uuid}/uptime"
    assert world.call("GET", uuid, version="2.88").status_code == 404
    nobody = "/os-hypervisors/7/uptime"
    assert world.call("GET", nobody, version="2.1").status_code == 404
