"""A whole embedded service over simulated hosts, spoken to through its REST API."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from werkzeug.test import Client

from sundog.core.lives.claim import ClaimState
from sundog.core.lives.guest import GuestState
from sundog.core.lives.phases import Phase
from sundog.settings.read import read_settings
from sundog.wiring.embedded import Embedded, build_embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DEADLINE_SECONDS = 60.0
# How a server's guest may be; in ERROR it may be in any way.
GUESTS = {
    Phase.ACTIVE: {GuestState.RUNNING},
    Phase.SHUTOFF: {GuestState.OFF, GuestState.ABSENT},
    Phase.PAUSED: {GuestState.PAUSED},
    Phase.SUSPENDED: {GuestState.SAVED},
}
HEADERS = {"OpenStack-API-Version": "compute 2.90"}


@dataclass
class Service:
    """The service and a client of it."""

    embedded: Embedded
    client: Client

    def call(
        self, method: str, path: str, body: object = None, expect: int | None = None
    ) -> Any:
        """Send a request; returns the JSON body."""
        answer = self.client.open(path, method=method, json=body, headers=HEADERS)
        good = (
            answer.status_code < 400
            if expect is None
            else (answer.status_code == expect)
        )
        assert good, (answer.status_code, answer.text)
        return answer.json if answer.data else None

    def flavor(self, name: str, specs: Mapping[str, str], **sizes: int) -> str:
        """Make a flavor with extra specs; returns its id."""
        wanted = {"vcpus": 1, "ram": 64, "disk": 0} | sizes
        self.call(
            "POST", "/v2.1/flavors", {"flavor": wanted | {"name": name, "id": name}}
        )
        path = f"/v2.1/flavors/{name}/os-extra_specs"
        self.call("POST", path, {"extra_specs": dict(specs)})
        return name

    def create(self, flavor: str, count: int = 1) -> list[UUID]:
        """Ask for servers; returns their ids at once."""
        [image] = self.call("GET", "/v2/images")["images"]
        self.call(
            "POST",
            "/v2.1/servers",
            {
                "server": {
                    "name": "vm",
                    "flavorRef": flavor,
                    "imageRef": image["id"],
                    "networks": "none",
                    "min_count": count,
                    "max_count": count,
                }
            },
        )
        found = self.call("GET", f"/v2.1/servers?limit={count}")["servers"]
        return [UUID(one["id"]) for one in found]

    def act(
        self, server: UUID, action: str, value: object = None, expect: int = 202
    ) -> Any:
        """Ask for an action, which is begun at once; returns the JSON body."""
        path = f"/v2.1/servers/{server}/action"
        return self.call("POST", path, {action: value}, expect)

    def show(self, server: UUID) -> dict[str, Any]:
        """Return a server when nothing is under way with it."""
        [found] = [one for one in self.wait() if one["id"] == str(server)]
        return found

    def finished_actions(self, path: str) -> list[dict[str, Any]]:
        """Return a server's actions, newest first, when their ends are recorded."""
        end = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < end:
            actions: list[dict[str, Any]] = self.call("GET", path)["instanceActions"]
            shown = [
                self.call("GET", f"{path}/{one['request_id']}")["instanceAction"]
                for one in actions
            ]
            if all(event["result"] for one in shown for event in one["events"]):
                return self.call("GET", path)["instanceActions"]  # type: ignore[no-any-return]  # JSON
            time.sleep(0.02)
        raise AssertionError(shown)

    def wait(self) -> list[dict[str, Any]]:
        """Wait until nothing is under way; returns the servers in detail."""
        return self.until(
            lambda servers: all(not s["OS-EXT-STS:task_state"] for s in servers)
        )

    def until(
        self, done: Callable[[Sequence[dict[str, Any]]], bool]
    ) -> list[dict[str, Any]]:
        """Wait until the servers are as asked."""
        end = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < end:
            servers: list[dict[str, Any]] = self.call("GET", "/v2.1/servers/detail")[
                "servers"
            ]
            if done(servers):
                return servers
            time.sleep(0.02)
        raise AssertionError(servers)

    def delete(self, ids: Sequence[UUID]) -> None:
        """Delete servers and wait until they are gone."""
        for one in ids:
            self.call("DELETE", f"/v2.1/servers/{one}", expect=204)
        gone = {str(one) for one in ids}
        self.until(lambda servers: gone.isdisjoint(s["id"] for s in servers))

    def check_agreement(self) -> None:
        """Claims, choosers' view, Placement, guests and devices tell the same."""
        found = self.embedded.books.audit.audit()
        assert not found, [one.line for one in found]
        for name in self.embedded.agents:
            self._check_host(name)

    def _check_host(self, name: str) -> None:
        conductor = self.embedded.conductor
        claims = conductor.claims.of_host(name)
        held = {claim.consumer for claim in claims}
        state = conductor.fleet.state(name)
        host = self.embedded.simulated[name]
        assert state is not None
        assert all(claim.state is ClaimState.ALLOCATED for claim in claims)
        assert set(state.held_by) == held
        for consumer in held:
            phase = conductor.servers.get(consumer).phase
            guest = host.tools.guests.state(consumer)
            assert guest in GUESTS.get(phase, set(GuestState)), (phase, guest)
        assert host.tools.guests.running() <= held


def open_service(
    folder: Path,
    hosts: Sequence[str],
    device_specs: Sequence[str],
    aliases: Sequence[str],
    **overrides: object,
) -> Service:
    """Build a service in a folder and start it."""
    for made in new_databases().iterdir():
        if not (folder / made.name).exists():
            shutil.copy(made, folder)
    images = folder / "images"
    images.mkdir(exist_ok=True)
    (images / "tiny.img").write_bytes(bytes(512))
    settings = read_settings(
        (),
        {
            "state_path": str(folder),
            "pci.device_spec": list(device_specs),
            "pci.alias": list(aliases),
            "simulation.host_file": list(hosts),
            **overrides,
        },
    )
    embedded = build_embedded(settings)
    embedded.start()
    return Service(embedded, Client(embedded.app))


@cache
def new_databases() -> Path:
    """Return a folder with databases as they are when new: making them takes 1 s."""
    folder = Path(tempfile.mkdtemp(prefix="sundog-new-"))
    atexit.register(shutil.rmtree, folder)
    settings = read_settings((), {"state_path": str(folder)})
    build_embedded(settings).close()
    return folder
