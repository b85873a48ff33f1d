"""A client of the compute API for stories, over whatever carries its requests."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HEADERS = {
    "OpenStack-API-Version": "compute 2.90, placement 1.39",
    "X-Auth-Token": "admin",
}


class Api(ABC):
    """What stories ask of a service."""

    deadline_seconds: ClassVar[float] = 60.0
    pause_seconds: ClassVar[float] = 0.02

    @abstractmethod
    def send(self, method: str, path: str, body: object) -> tuple[int, str]:
        """Send a request with HEADERS; returns the status and the body's text."""

    def call(
        self, method: str, path: str, body: object = None, expect: int | None = None
    ) -> Any:
        """Send a request; returns the JSON body."""
        status, text = self.send(method, path, body)
        assert status < 400 if expect is None else status == expect, (status, text)
        return json.loads(text) if text else None

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
        self, server: UUID | str, action: str, value: object = None, expect: int = 202
    ) -> Any:
        """Ask for an action, which is begun at once; returns the JSON body."""
        path = f"/v2.1/servers/{server}/action"
        return self.call("POST", path, {action: value}, expect)

    def show(self, server: UUID | str) -> dict[str, Any]:
        """Return a server when nothing is under way with it."""
        [found] = [one for one in self.wait() if one["id"] == str(server)]
        return found

    def finished_actions(self, path: str) -> list[dict[str, Any]]:
        """Return a server's actions, newest first, when their ends are recorded."""
        end = time.monotonic() + self.deadline_seconds
        while time.monotonic() < end:
            actions: list[dict[str, Any]] = self.call("GET", path)["instanceActions"]
            shown = [
                self.call("GET", f"{path}/{one['request_id']}")["instanceAction"]
                for one in actions
            ]
            if all(event["result"] for one in shown for event in one["events"]):
                return self.call("GET", path)["instanceActions"]  # type: ignore[no-any-return]  # JSON
            time.sleep(self.pause_seconds)
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
        end = time.monotonic() + self.deadline_seconds
        while time.monotonic() < end:
            servers: list[dict[str, Any]] = self.call("GET", "/v2.1/servers/detail")[
                "servers"
            ]
            if done(servers):
                return servers
            time.sleep(self.pause_seconds)
        raise AssertionError(servers)

    def delete(self, ids: Sequence[UUID | str]) -> None:
        """Delete servers and wait until they are gone."""
        for one in ids:
            self.call("DELETE", f"/v2.1/servers/{one}", expect=204)
        gone = {str(one) for one in ids}
        self.until(lambda servers: gone.isdisjoint(s["id"] for s in servers))
