"""The real ``openstack`` command, without Keystone, against a listening server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.clients.listening import listening
from tests.clients.openstack_command import own_environ
from tests.edges.rest.world import IMAGE, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.clients.openstack_command import Openstack


def clouds(url: str) -> str:
    """Write a clouds.yaml (JSON is YAML) with both ways to come without Keystone."""
    common: dict[str, Any] = {
        f"{name}_endpoint_override": f"{url}/{path}"
        for name, path in (
            ("compute", "compute/v2.1"),
            ("image", "image"),
            ("identity", "identity/v3"),
            ("placement", "placement"),
        )
    }
    common["identity_api_version"] = 3
    endpoint = f"{url}/compute/v2.1"
    none = {"auth_type": "none", "auth": {"endpoint": endpoint}}
    token = {
        "auth_type": "admin_token",
        "auth": {"endpoint": endpoint, "token": "admin"},
    }
    return json.dumps({"clouds": {"none": common | none, "token": common | token}})


class CommandLine:
    """``openstack`` with a clouds.yaml."""

    def __init__(self, openstack: Openstack, folder: Path, url: str) -> None:
        """Write the clouds.yaml."""
        self._openstack = openstack
        path = folder / "clouds.yaml"
        path.write_text(clouds(url))
        self._environ = own_environ() | {"OS_CLIENT_CONFIG_FILE": str(path)}

    def __call__(self, cloud: str, *words: str) -> str:
        """Run a command that must succeed; returns what it prints."""
        done = self._openstack(self._environ, "--os-cloud", cloud, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, cloud: str, *words: str) -> Any:
        """Run a command and return its JSON."""
        return json.loads(self(cloud, *words, "-f", "json"))


@pytest.fixture
def openstack(
    world: World, tmp_path: Path, openstack_command: Openstack
) -> Iterator[CommandLine]:
    with listening(world.app) as url:
        yield CommandLine(openstack_command, tmp_path, url)


def test_flavors_are_written_by_the_real_command(
    openstack: CommandLine, world: World
) -> None:
    size = ("--ram", "512", "--vcpus", "1", "--disk", "1")
    made = openstack.json("none", "flavor", "create", *size, "gpu")
    world.call(
        "POST",
        f"/flavors/{made['id']}/os-extra_specs",
        {"extra_specs": {"hw:numa_nodes": "1"}},
    )
    alias = "pci_passthrough:alias=vGPU:1"
    openstack("none", "flavor", "set", "gpu", "--property", alias)
    openstack("token", "flavor", "unset", "gpu", "--property", "hw:numa_nodes")
    kept = world.flavors.get(made["id"]).extra_specs
    assert kept == {"pci_passthrough:alias": "vGPU:1"}
    openstack("token", "flavor", "delete", "gpu")
    assert world.flavors.list() == []


def test_servers_are_made_by_the_real_command(
    openstack: CommandLine, world: World
) -> None:
    world.flavor("gpu", pci_passthrough__alias="vGPU:1")
    boot = ("--flavor", "gpu", "--image", "cirros", "--nic", "none", "--wait")
    made = openstack.json("none", "server", "create", *boot, "ml")
    assert made["status"] == "ACTIVE"
    (listed,) = openstack.json("none", "server", "list", "--long")
    assert (listed["Name"], listed["Flavor"]) == ("ml", "gpu")
    assert listed["Image Name"] == "cirros"
    shown = openstack.json("token", "server", "show", "ml")
    assert shown["OS-EXT-SRV-ATTR:host"] == "host-a"
    openstack("token", "server", "delete", "ml", "--wait")
    assert world.get("/servers") == {"servers": []}


def test_servers_are_acted_on_by_the_real_command(
    openstack: CommandLine, world: World
) -> None:
    world.flavor("m1")
    server = world.server("web")
    openstack("none", "server", "stop", "web")
    shown = world.get(f"/servers/{server}")["server"]
    assert shown["status"] == "SHUTOFF"
    events = openstack.json("token", "server", "event", "list", "web")
    assert [event["Action"] for event in events] == ["stop", "create"]


def test_hosts_and_images_are_shown_by_the_real_command(
    openstack: CommandLine,
) -> None:
    shown = openstack.json("none", "hypervisor", "show", "host-a")
    assert shown["state"] == "up"
    services = openstack.json("token", "compute", "service", "list")
    assert {service["Host"] for service in services} == {"host-a", "host-b"}
    images = openstack.json("none", "image", "list")
    assert IMAGE.id in [image["ID"] for image in images]


def test_aggregates_and_zones_are_kept_by_the_real_command(
    openstack: CommandLine, world: World
) -> None:
    made = openstack.json("none", "aggregate", "create", "--zone", "east", "fast")
    assert made["availability_zone"] == "east"
    openstack("none", "aggregate", "set", "--property", "ssd=true", "fast")
    openstack("token", "aggregate", "add", "host", "fast", "host-a")
    shown = openstack.json("token", "aggregate", "show", "fast")
    assert (shown["hosts"], shown["properties"]) == (["host-a"], {"ssd": "true"})
    (listed,) = openstack.json("none", "aggregate", "list")
    assert listed["Availability Zone"] == "east"
    zones = openstack.json("none", "availability", "zone", "list", "--compute")
    assert [zone["Zone Name"] for zone in zones] == ["east", "nova"]
    world.flavor("m1")
    boot = ("--flavor", "m1", "--image", "cirros", "--nic", "none", "--wait")
    made = openstack.json(
        "token", "server", "create", *boot, "--availability-zone", "east", "web"
    )
    assert made["OS-EXT-AZ:availability_zone"] == "east"
    openstack("none", "server", "delete", "web", "--wait")
    openstack("none", "aggregate", "remove", "host", "fast", "host-a")
    openstack("none", "aggregate", "delete", "fast")
    assert world.get("/os-aggregates") == {"aggregates": []}


def test_servers_and_hosts_are_looked_into_by_the_real_command(
    openstack: CommandLine, world: World
) -> None:
    world.flavor("m1")
    server = world.server("web", availability_zone="nova:host-a")
    world.run_guest(server)
    said = openstack("none", "console", "log", "show", "web")
    assert said.strip() == "one\ntwo\nthree"
    last = openstack("none", "console", "log", "show", "--lines", "2", "web")
    assert last.strip() == "three"
    (event,) = openstack.json("token", "server", "event", "list", "web")
    shown = openstack.json(
        "token", "server", "event", "show", "web", event["Request ID"]
    )
    assert (shown["action"], shown["events"][0]["result"]) == ("create", "Success")
    new = ("--os-compute-api-version", "2.100")
    shown = openstack.json("token", *new, "server", "show", "--topology", "web")
    assert shown["topology"]["nodes"] == []
    told = openstack.json("token", "server", "show", "--diagnostics", "web")
    assert told["num_cpus"] == 1
    old = ("--os-compute-api-version", "2.87")
    stats = openstack.json("token", *old, "hypervisor", "stats", "show")
    assert (stats["count"], stats["running_vms"]) == (2, 1)
    dates = ("--start", "2026-01-01", "--end", "2036-01-01")
    (usage,) = openstack.json("none", "usage", "list", *dates)
    assert float(usage["CPU Hours"]) >= 0
    assert openstack.json("none", "server", "volume", "list", "web") == []
