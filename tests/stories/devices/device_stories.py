"""Stories about devices of any kind, told over simulated hosts and in the lab.

One body serves each kind: it asks by an alias, and only the ground knows what a
device of it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from tests.stories.api import Api

KINDS: Final = ("slice", "vf")
"""Aliases with the policy `required`: an mdev, and a VF."""

SCARCE: Final = ("vf-slice", "vf")
"""The same of few cells: a card's VF's mdev. With ``-near`` their policy: preferred."""

PINNED: Final = {"hw:cpu_policy": "dedicated", "hw:mem_page_size": "2MB"}
_MOST: Final = 64


class Ground(Protocol):
    """Where a story takes place."""

    @property
    def api(self) -> Api:
        """The service."""
        ...

    def check_guest(self, server: UUID) -> None:
        """Check that a running guest has what its server holds, where it holds it."""
        ...

    def check_agreement(self) -> None:
        """Check that all records and devices tell the same."""
        ...

    def check_nothing_left(self) -> None:
        """Check that no server's mdev, VF or huge page is left."""
        ...

    def lose_power(self) -> None:
        """Boot the host anew, and Sundog on it."""
        ...


def pinned(ground: Ground, alias: str) -> str:
    """Return a flavor: a pinned vCPU, huge pages, and one device."""
    name = f"pinned-{alias}"
    known = {one["id"] for one in ground.api.call("GET", "/v2.1/flavors")["flavors"]}
    if name not in known:
        specs = PINNED | {"pci_passthrough:alias": f"{alias}:1"}
        ground.api.flavor(name, specs, vcpus=1, ram=32)
    return name


def boot(ground: Ground, alias: str) -> dict[str, Any]:
    """Boot a pinned server with a device; returns it as it ended."""
    [one] = ground.api.create(pinned(ground, alias))
    return ground.api.show(one)


def boot_with(
    ground: Ground, name: str, aliases: str, specs: Mapping[str, str], **sizes: int
) -> dict[str, Any]:
    """Boot a server of a flavor of its own: a vCPU and 32 MiB, unless ``sizes`` say."""
    every = {"pci_passthrough:alias": aliases} | dict(specs)
    ground.api.flavor(name, every, **{"vcpus": 1, "ram": 32} | sizes)
    [one] = ground.api.create(name)
    return ground.api.show(one)


def held(ground: Ground, server: UUID | str) -> list[tuple[str, str]]:
    """Return the devices that a server holds, each by address and type."""
    rows = ground.api.call("GET", "/v1/devices")["devices"]
    return sorted(
        (row["device"]["address"], row["device"]["type"])
        for row in rows
        for each in row["device"]["holders"]
        if each["server_id"] == str(server)
    )


def provider_tree(ground: Ground) -> dict[str, tuple[str, dict[str, int]]]:
    """Return Placement's tree: each provider's parent, and total of each class."""
    path = "/placement/resource_providers"
    providers = ground.api.call("GET", path)["resource_providers"]
    names = {one["uuid"]: one["name"] for one in providers} | {None: ""}
    tree = {}
    for one in providers:
        has = ground.api.call("GET", f"{path}/{one['uuid']}/inventories")["inventories"]
        totals = {kind: inventory["total"] for kind, inventory in has.items()}
        tree[one["name"]] = (names[one["parent_provider_uuid"]], totals)
    return tree


def cells_of(ground: Ground, server: UUID | str) -> list[int]:
    """Return the host cells that a server is on."""
    path = f"/v2.1/servers/{server}/topology"
    return [node["host_node"] for node in ground.api.call("GET", path)["nodes"]]


def device_cells(ground: Ground, server: UUID | str) -> set[int]:
    """Return the cells of the devices that a server holds."""
    rows = ground.api.call("GET", "/v1/devices")["devices"]
    return {
        cell
        for row in rows
        for each in row["device"]["holders"]
        if each["server_id"] == str(server)
        for cell in row["device"]["numa_nodes"]
    }


def from_flavor_to_guest_and_back(ground: Ground, alias: str) -> None:
    """Boot with a device on the server's cell and delete: nothing is left."""
    server = boot(ground, alias)
    assert server["status"] == "ACTIVE", server.get("fault")
    [device] = held(ground, server["id"])
    assert device
    assert set(cells_of(ground, server["id"])) == device_cells(ground, server["id"])
    ground.check_guest(server["id"])
    ground.check_agreement()
    ground.api.delete([server["id"]])
    ground.check_agreement()
    ground.check_nothing_left()


def the_same_device_through_stop_start_and_reboot(ground: Ground, alias: str) -> None:
    """Keep what a server holds its own, its guest having it each time."""
    server = boot(ground, alias)
    before = held(ground, server["id"])
    for action, value, status in (
        ("os-stop", None, "SHUTOFF"),
        ("os-start", None, "ACTIVE"),
        ("reboot", {"type": "HARD"}, "ACTIVE"),
    ):
        ground.api.act(server["id"], action, value)
        after = ground.api.show(server["id"])
        assert after["status"] == status, (action, after.get("fault"))
        assert held(ground, server["id"]) == before
        if status == "ACTIVE":
            ground.check_guest(server["id"])
    ground.api.delete([server["id"]])
    ground.check_agreement()
    ground.check_nothing_left()


def the_same_device_through_suspend_and_resume(ground: Ground, alias: str) -> None:
    """Save a guest's memory without its device, which it has again afterwards."""
    server = boot(ground, alias)
    assert server["status"] == "ACTIVE", server.get("fault")
    before = held(ground, server["id"])
    ground.check_guest(server["id"])
    for action, status in (("suspend", "SUSPENDED"), ("resume", "ACTIVE")):
        ground.api.act(server["id"], action, None)
        after = ground.api.show(server["id"])
        assert after["status"] == status, (action, after.get("fault"))
        assert held(ground, server["id"]) == before
        ground.check_agreement()
    ground.check_guest(server["id"])
    ground.api.delete([server["id"]])
    ground.check_agreement()
    ground.check_nothing_left()


def plugged_in_and_out_while_the_guest_runs(ground: Ground, alias: str) -> None:
    """Plug a device more into a running guest; what it had before it keeps."""
    server = boot(ground, alias)
    assert server["status"] == "ACTIVE", server.get("fault")
    before = held(ground, server["id"])
    path = f"/v1/servers/{server['id']}/devices"
    begun = ground.api.call("POST", path, {"devices": f"{alias}:1"}, 202)
    [slot] = begun["slots"]
    assert _states(ground, server["id"])[slot] == "attached"
    assert len(held(ground, server["id"])) == 2
    assert set(cells_of(ground, server["id"])) == device_cells(ground, server["id"])
    ground.check_guest(server["id"])
    ground.check_agreement()
    ground.api.call("DELETE", f"{path}/{slot}", expect=202)
    assert slot not in _states(ground, server["id"])
    assert held(ground, server["id"]) == before
    ground.check_guest(server["id"])
    ground.api.delete([server["id"]])
    ground.check_agreement()
    ground.check_nothing_left()


def _states(ground: Ground, server: str) -> dict[str, str]:
    """Return each device's state by slot, when nothing is under way."""
    ground.api.finished_actions(f"/v2.1/servers/{server}/os-instance-actions")
    devices = ground.api.call("GET", f"/v1/servers/{server}/devices")["devices"]
    return {device["slot"]: device["state"] for device in devices}


def required_stays_near_and_preferred_crosses(ground: Ground, alias: str) -> None:
    """With devices left, but no CPU near them, `required` is told so."""
    running: list[str] = []
    for _ in range(_MOST):
        server = boot(ground, alias)
        running.append(server["id"])
        if server["status"] != "ACTIVE":
            break
        assert set(cells_of(ground, server["id"])) == device_cells(ground, server["id"])
    assert server["status"] == "ERROR"
    assert "cell" in server["fault"]["message"]
    far = boot(ground, f"{alias}-near")
    assert far["status"] == "ACTIVE", far.get("fault")
    crossed = device_cells(ground, far["id"])
    assert crossed
    assert crossed.isdisjoint(cells_of(ground, far["id"]))
    ground.check_guest(far["id"])
    ground.api.delete([*running, far["id"]])
    ground.check_agreement()
    ground.check_nothing_left()


def running_servers_run_again_after_a_loss_of_power(
    ground: Ground, aliases: Sequence[str]
) -> None:
    """Mdevs and VFs are gone with the power; the same are there again."""
    servers = [boot(ground, alias)["id"] for alias in aliases]
    before = [held(ground, server) for server in servers]
    for server in servers:
        ground.check_guest(server)
    ground.lose_power()
    for server, devices in zip(servers, before, strict=True):
        after = ground.api.show(server)
        assert after["status"] == "ACTIVE", after.get("fault")
        assert held(ground, server) == devices
        ground.check_guest(server)
    ground.check_agreement()
    ground.api.delete(servers)
    ground.check_agreement()
    ground.check_nothing_left()


def a_server_just_made_runs_again_after_a_loss_of_power(
    ground: Ground, alias: str
) -> None:
    """Have on the disk what was told to be ACTIVE, however soon the power goes."""
    server = boot(ground, alias)
    assert server["status"] == "ACTIVE", server.get("fault")
    before = held(ground, server["id"])
    ground.lose_power()
    after = ground.api.show(server["id"])
    assert after["status"] == "ACTIVE", after.get("fault")
    assert held(ground, server["id"]) == before
    ground.check_guest(server["id"])
    ground.api.delete([server["id"]])
    ground.check_agreement()
    ground.check_nothing_left()
