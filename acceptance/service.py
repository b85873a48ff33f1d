"""A Sundog service for Tempest: two simulated hosts, users, flavors, two images."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from demo.service import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ADMIN: Final = "admin"
PASSWORD: Final = "tempest"  # noqa: S105 - for the time of a test run, on loopback
_READY_SECONDS: Final = 60
_CONFIG: Final = """[DEFAULT]
state_path = {state}
osapi_compute_listen = 127.0.0.1
osapi_compute_listen_port = {port}
[identity]
users_file = {state}/users.toml
[simulation]
host_file = host1=small
host_file = host2=small
"""


class NotReadyError(Exception):
    """The service did not start; the text says why."""


@dataclass(slots=True)
class Client:
    """Speaks to the service as its admin."""

    port: int
    token: str = field(default="", repr=False)

    def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON of the service
        """Send JSON and return the JSON that comes back; raises OSError."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"X-Auth-Token": self.token, "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body), headers)
            response = connection.getresponse()
            answer = json.loads(response.read() or b"null")
            self.token = response.headers.get("X-Subject-Token", self.token)
        finally:
            connection.close()
        return answer

    def sign_in(self) -> None:
        """Get a token."""
        user = {"name": ADMIN, "password": PASSWORD, "domain": {"id": "default"}}
        proof = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"name": ADMIN, "domain": {"id": "default"}}}
        auth = {"identity": proof, "scope": scope}
        self.call("POST", "/v3/auth/tokens", {"auth": auth})

    def hosts_up(self) -> int:
        """Count the hosts whose service is up."""
        services = self.call("GET", "/v2.1/os-services")["services"]
        return sum(service["state"] == "up" for service in services)


@contextmanager
def service(state: Path, users: str) -> Iterator[Client]:
    """Keep a service up meanwhile; raises NotReadyError."""
    port = free_port()
    (state / "images").mkdir(parents=True)
    for name in ("tiny", "other"):
        (state / "images" / f"{name}.img").write_bytes(bytes(4096))
    (state / "users.toml").touch(0o600)
    (state / "users.toml").write_text(users, encoding="utf-8")
    config = state / "sundog.conf"
    config.write_text(_CONFIG.format(state=state, port=port), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "sundog"), "up", "--config"]
    with (state / "service.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, str(config)],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        client = Client(port)
        _wait(client, process)
        yield client
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait(client: Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.sign_in()
            if client.hosts_up() == 2:  # noqa: PLR2004 - those of the configuration
                return
        except (OSError, HTTPException, ValueError, KeyError):
            pass
        time.sleep(0.2)
    raise NotReadyError("the service is not ready; see service.log in its folder")
