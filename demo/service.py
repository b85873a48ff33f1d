"""Starts and ends a Sundog service whose state is in one folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[1]
BIN: Final = Path(sys.executable).parent
CLOUD: Final = "sundog"
_READY_SECONDS: Final = 40
_END_SECONDS: Final = 10
_OK: Final = 200

_LOCAL = """# Made anew at each start; demo/sundog.conf holds what you may change.
[DEFAULT]
state_path = {state}
osapi_compute_listen = 127.0.0.1
osapi_compute_listen_port = {port}
"""

_CLOUDS = """clouds:
  {cloud}:
    auth_type: admin_token
    # osc-placement knows no override; all others have theirs below.
    auth: {{endpoint: "{root}/placement", token: admin}}
    region_name: RegionOne
    compute_endpoint_override: {root}/compute/v2.1
    image_endpoint_override: {root}/image
    network_endpoint_override: {root}/network
    identity_api_version: 3
    identity_endpoint_override: {root}/identity/v3
"""


class ServiceError(Exception):
    """The service did not start; the text says why, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where a service keeps its state, and where it listens."""

    state: Path
    port: int
    config: Path = ROOT / "demo" / "sundog.conf"

    @property
    def root(self) -> str:
        """The service's root URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def clouds(self) -> Path:
        """The clouds.yaml for its clients."""
        return self.state / "clouds.yaml"

    def environ(self) -> dict[str, str]:
        """Return the environment for its clients; no other cloud shines through."""
        mine = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
        mine.pop("SUNDOG_ENDPOINT", None)
        return mine | {
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
            "OS_CLIENT_CONFIG_FILE": str(self.clouds),
            "OS_CLOUD": CLOUD,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "PYTHONWARNINGS": "ignore",
            # Tables as wide as the picture, also where there is no terminal.
            "CLIFF_MAX_TERM_WIDTH": "114",
        }

    def write_files(self) -> None:
        """Write what the service and its clients read: configuration, an image."""
        images = self.state / "images"
        images.mkdir(parents=True, exist_ok=True)
        (images / "tiny.img").write_bytes(bytes(4096))
        local = _LOCAL.format(state=self.state, port=self.port)
        (self.state / "local.conf").write_text(local, encoding="utf-8")
        clouds = _CLOUDS.format(cloud=CLOUD, root=self.root)
        self.clouds.write_text(clouds, encoding="utf-8")

    def command(self) -> list[str]:
        """Return the command that starts it."""
        files = [self.config, self.state / "local.conf"]
        options = [word for file in files for word in ("--config", str(file))]
        return [str(BIN / "sundog"), "up", *options]


@contextmanager
def running(service: Service, log: Path | None) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a service up meanwhile, ready for requests; it writes to ``log``.

    Raises ServiceError when it does not become ready. Without ``log`` it writes
    where we write.
    """
    service.write_files()
    pid_file = service.state / "service.pid"
    with (log or Path(os.devnull)).open("wb") as out:
        target = out if log else None
        # In a session of its own: Ctrl-C is for us, and we end it in order.
        process = subprocess.Popen(  # noqa: S603  # our own command
            service.command(),
            stdout=target,
            stderr=target,
            cwd=ROOT,
            env=service.environ(),
            start_new_session=True,
        )
    pid_file.write_text(str(process.pid), encoding="utf-8")
    try:
        _wait_until_ready(service, process, log)
        yield process
    finally:
        _end(process)
        pid_file.unlink(missing_ok=True)


def make_anew(state: Path) -> None:
    """End a service left over from a run that was stopped, and empty its folder."""
    pid = leftover(state)
    if pid:
        os.kill(pid, signal.SIGTERM)
        if not _gone(pid):
            os.kill(pid, signal.SIGKILL)
            _gone(pid)
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(parents=True)


def leftover(state: Path) -> int | None:
    """Return the pid of the service that runs on a state folder, if one does."""
    try:
        pid = int((state / "service.pid").read_text(encoding="utf-8"))
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    # The pid may be another process's by now: ours names its own configuration.
    return pid if str(state / "local.conf").encode() in words else None


def free_port(wanted: int = 0) -> int:
    """Return ``wanted`` if it is free, otherwise any free port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return free_port()
        return int(probe.getsockname()[1])


def _wait_until_ready(
    service: Service, process: subprocess.Popen[bytes], log: Path | None
) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServiceError(
                f"the service ended with status {process.returncode}{_tail(log)}"
            )
        if _hosts_are_up(service):
            return
        time.sleep(0.1)
    raise ServiceError(f"the service was not ready in {_READY_SECONDS} s{_tail(log)}")


def _hosts_are_up(service: Service) -> bool:
    connection = HTTPConnection("127.0.0.1", service.port, timeout=5)
    try:
        connection.request("GET", "/v1/hosts", headers={"X-Auth-Token": "admin"})
        response = connection.getresponse()
        hosts = json.loads(response.read()).get("hosts", [])
    except (OSError, HTTPException, ValueError):
        return False
    finally:
        connection.close()
    up = [host for host in hosts if host["state"] == "up"]
    return response.status == _OK and bool(up) and len(up) == len(hosts)


def _tail(log: Path | None) -> str:
    if log is None:
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
    return "\n".join([f"; the end of {log}:", *lines])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _gone(pid: int) -> bool:
    deadline = time.monotonic() + _END_SECONDS
    while time.monotonic() < deadline:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.05)
    return False
