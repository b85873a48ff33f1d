"""A small service that answers with what was recorded from ``/v1``."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, ClassVar

import pytest

from sundog.core.errors import BadConfigurationError
from sundog.edges.cli.command_line import (
    OwnDeeds,
    Surroundings,
    UpOptions,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sundog.core.hosts.checkup import Check

RECORDED = Path(__file__).parent / "recorded"
FITS = {
    "flavor": "one-vgpu",
    "fits": [
        {
            "host": "gpu1",
            "cells": [0],
            "devices": [
                {
                    "slot": "vGPU-0/0",
                    "kind": "type-MDEV",
                    "type": "nvidia-35",
                    "address": "0000:05:00.0",
                }
            ],
        },
        {"host": "gpu3", "cells": [], "devices": []},
    ],
    "refusals": [{"host": "gpu2", "reason": "no device matches alias vGPU"}],
    "summary": "",
}
NOWHERE = {
    "flavor": "huge",
    "fits": [],
    "refusals": [{"host": "gpu1", "reason": "cell 0 has 4 CPUs left of 64 asked"}],
    "summary": "no cell has 64 CPUs",
}
LOST = {
    "host": "gpu1",
    "what": "what server s1 claims is not charged in Placement",
    "repair": "write the allocation again",
    "line": "gpu1: what server s1 claims is not charged in Placement"
    " (write the allocation again)",
    "mended": False,
    "problem": "",
}
FOREIGN = {
    "host": "gpu1",
    "what": "the mdev m1 is not ours",
    "repair": "reported only",
    "line": "gpu1: the mdev m1 is not ours (reported only)",
    "mended": False,
    "problem": "",
}
JOB = {"line": "gpu1: server s2: shelve, at: release the charge (2 of 3)"}
SERVER = {
    "server_id": "5a000000-0000-4000-8000-000000000002",
    "server_name": "ml-2",
    "status": "ACTIVE",
    "task": None,
    "host": "host-a",
    "cells": [0, 1],
    "devices": [
        {
            "slot": "vGPU/0",
            "kind": "type-MDEV",
            "type": "nvidia-711",
            "type_name": "A16-8Q",
            "product": "NVIDIA A16",
            "address": "0000:84:00.0",
            "numa_nodes": [1],
            "guest_cell": 1,
            "origin": "flavor",
            "state": "detaching",
        },
        {
            "slot": "fpga+1/0",
            "kind": "type-PCI",
            "type": "",
            "type_name": "",
            "product": "Some FPGA",
            "address": "0000:c1:00.0",
            "numa_nodes": [],
            "guest_cell": None,
            "origin": "attached",
            "state": "attached",
        },
    ],
}
BARE = SERVER | {
    "server_name": "web",
    "status": "SHUTOFF",
    "task": "attaching_device",
    "host": None,
    "cells": [],
    "devices": [],
}
BEGUN = {"server_id": "s-2", "slots": ["fpga+1/0"], "request_id": "req-1"}
EVENTS = "/v2.1/servers/s-2/os-instance-actions/"
WHY = "fpga+1/0 is held until it can be given back: the guest has not let go of it"
MISSING = {"itemNotFound": {"code": 404, "message": "Flavor no could not be found."}}


def _events(result: str, details: str | None = None) -> bytes:
    event = {"event": "compute_attach_device", "result": result, "details": details}
    return json.dumps({"instanceAction": {"events": [event]}}).encode()


class _Recorded(BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, object]]] = []
    answers: ClassVar = {
        "/v1/hosts": (200, (RECORDED / "hosts.json").read_bytes()),
        "/v1/devices": (200, (RECORDED / "devices.json").read_bytes()),
        "/v1/explain?flavor=one-vgpu": (200, json.dumps(FITS).encode()),
        "/v1/explain?flavor=huge&image=i+1&availability_zone=east": (
            200,
            json.dumps(NOWHERE).encode(),
        ),
        "/v1/explain?flavor=no": (404, json.dumps(MISSING).encode()),
        "/html/v1/hosts": (200, b"<html>"),
        "/v1/audit": (
            200,
            json.dumps({"disagreements": [LOST, FOREIGN], "jobs": [JOB]}).encode(),
        ),
        "/v1/servers/ml-2/devices": (200, json.dumps(SERVER).encode()),
        "/v1/servers/web/devices": (200, json.dumps(BARE).encode()),
        f"{EVENTS}req-1": (200, _events("Success")),
        f"{EVENTS}req-2": (200, _events("Error", WHY)),
        "/well/v1/audit": (200, b'{"disagreements": [], "jobs": []}'),
    }

    def do_GET(self) -> None:
        status, body = self.answers.get(self.path, (404, b"not here"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Heal: one is mended unless the run is dry, the other fails."""
        size = int(self.headers["Content-Length"])
        sent = json.loads(self.rfile.read(size))
        if self.path.startswith("/v1/servers/"):
            self._begin(sent, BEGUN)
            return
        if self.path.startswith("/v1/devices/"):
            self.asked.append((self.path, sent))
            self.send_response(204)
            self.end_headers()
            return
        dry = sent["dry_run"]
        done = [LOST, LOST, FOREIGN]
        if not dry:
            done = [LOST | {"mended": True}, LOST | {"problem": "no room"}, FOREIGN]
        if self.path.startswith("/well"):
            done = done[:1]
        body = json.dumps({"disagreements": done}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self) -> None:
        """Detach: the guest keeps what is in slot 9."""
        kept = self.path.endswith("9")
        self._begin(None, BEGUN | ({"request_id": "req-2"} if kept else {}))

    def _begin(self, sent: object, begun: object) -> None:
        self.asked.append((self.path, sent))
        body = json.dumps(begun).encode()
        self.send_response(202)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
        pass


@pytest.fixture(scope="session")
def service() -> Iterator[str]:
    """Return the root URL of a service that answers with what was recorded."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Recorded)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Terminal:
    """Runs ``sundog`` as a person would, and keeps what it said."""

    environ: dict[str, str] = field(default_factory=dict)
    started: list[UpOptions] = field(default_factory=list)
    examined: list[tuple[Path, ...]] = field(default_factory=list)
    checks: tuple[Check, ...] = ()

    def type(self, *words: str) -> tuple[int, str, str]:
        """Run a command; return exit status, output and errors."""
        out, err = io.StringIO(), io.StringIO()
        around = Surroundings(environ=self.environ, out=out, err=err)
        deeds = OwnDeeds(
            up=self._up,
            check_host_file=_check,
            examine=self._examine,
            capture=lambda config: f"captured with {len(config)} files\n",
        )
        status = run(words, deeds, around)
        return status, out.getvalue(), err.getvalue()

    def _examine(self, config: Sequence[Path]) -> Sequence[Check]:
        self.examined.append(tuple(config))
        return self.checks

    def _up(self, options: UpOptions) -> int:
        self.started.append(options)
        return 0


def _check(path: Path) -> str:
    if "bad" in path.name:
        raise BadConfigurationError("cells: none", "cards[0].numa_node is 'x'")
    if "slow" in path.name:
        raise KeyboardInterrupt
    return "2 sockets, 8 cards"


@pytest.fixture
def asked() -> list[tuple[str, object]]:
    """Return what the service is asked to do with devices."""
    _Recorded.asked.clear()
    return _Recorded.asked


@pytest.fixture
def terminal(service: str) -> Terminal:
    """Return a terminal whose environment names the recorded service."""
    return Terminal({"SUNDOG_ENDPOINT": service})
