"""The lab host for tests: booted, with Sundog running in it from the checkout."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, ClassVar, Final

from lab.agent import Agent
from lab.boot import down, up
from lab.places import Built, Place
from tests.stories.api import HEADERS, Api
from tests.stories.service import new_databases

if TYPE_CHECKING:
    from pathlib import Path

READY_SECONDS: Final = 900.0
_REQUEST_SECONDS: Final = 300.0
_CONFIG: Final = """[DEFAULT]
state_path = /kept/sundog
host = lab
osapi_compute_listen = 10.0.2.15
reserved_host_memory_mb = 2048
[compute]
cpu_shared_set = 0,2,4,6
cpu_dedicated_set = 1,3,5,7
[libvirt]
connection_uri = qemu:///system
virt_type = qemu
[pci]
"""
RULES: Final = (
    # Tells one of the cards that mix types from the others.
    {"address": "0000:61:00.0", "mdev_type": "*", "traits": "CUSTOM_MIXED"},
    {"vendor_id": "1234", "product_id": "11e8", "mdev_type": "*"},
    {"vendor_id": "1b36", "product_id": "0010", "mdev_type": "*", "sriov_numvfs": 4},
    {"vendor_id": "8086", "product_id": "10ca"},
    {"vendor_id": "8086", "product_id": "10c9", "sriov_numvfs": 2},
    {"vendor_id": "1b36", "product_id": "0005"},
)
SLICE: Final = {"device_type": "type-MDEV", "mdev_type": "sundog_card-2g"}
SRIOV_SLICE: Final = SLICE | {"product_id": "0010"}
VF: Final = {"device_type": "type-VF", "product_id": "10ca"}
PF: Final = {"device_type": "type-PF", "product_id": "10c9"}
PLAIN: Final = {"device_type": "type-PCI", "product_id": "0005"}
ALIASES: Final = (
    SLICE | {"name": "slice", "numa_policy": "required"},
    VF | {"name": "vf", "numa_policy": "required"},
    SRIOV_SLICE | {"name": "vf-slice", "numa_policy": "required"},
    SRIOV_SLICE | {"name": "vf-slice-near", "numa_policy": "preferred"},
    SRIOV_SLICE | {"name": "vf-slice-socket", "numa_policy": "socket"},
    SRIOV_SLICE | {"name": "vf-slice-legacy", "numa_policy": "legacy"},
    VF | {"name": "vf-near", "numa_policy": "preferred"},
    PF | {"name": "pf", "numa_policy": "required"},
    PLAIN | {"name": "plain", "numa_policy": "required"},
    SLICE | {"mdev_type": "sundog_card-16g", "name": "slice16"},
    *(
        SLICE
        | {"mdev_type": f"sundog_card-{size}g", "name": f"mixed{size}"}
        | {"traits": "CUSTOM_MIXED"}
        for size in (1, 3, 4, 8)
    ),
)


@dataclass
class LabApi(Api):
    """Sundog in the lab host, asked through the port that leads there."""

    port: int
    # Emulated, a boot of a server takes a minute, on a busy machine several.
    deadline_seconds: ClassVar[float] = 900.0
    pause_seconds: ClassVar[float] = 2.0

    def send(self, method: str, path: str, body: object) -> tuple[int, str]:
        """Ask over HTTP, as clients do."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=_REQUEST_SECONDS)
        given = None if body is None else json.dumps(body)
        headers = HEADERS | {"Content-Type": "application/json"}
        try:
            connection.request(method, path, given, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def answers(self) -> bool:
        """Whether the service is there."""
        try:
            return self.send("GET", "/v2.1/flavors", None)[0] == 200
        except (OSError, HTTPException):
            return False


@dataclass
class LabHost:
    """A lab host of its own name, so that one that a person uses is left alone."""

    own: Place
    built: Built = field(default_factory=Built)

    @property
    def agent(self) -> Agent:
        """Its guest agent, for commands."""
        return Agent(self.own)

    @property
    def api(self) -> LabApi:
        """Its Sundog."""
        return LabApi(int(self.own.port.read_text(encoding="utf-8")))

    @property
    def share(self) -> Path:
        """A folder that it sees as /own."""
        return self.own.folder / "share"

    def make_new(self) -> None:
        """End what runs under this name and forget what it kept."""
        down(self.own)
        shutil.rmtree(self.own.folder, ignore_errors=True)
        self.share.mkdir(parents=True)
        # Made here they are the same, and take a second instead of minutes.
        shutil.copytree(
            new_databases(), self.share / "new", ignore=shutil.ignore_patterns("*.lock")
        )
        lines = [f"device_spec = {json.dumps(rule)}" for rule in RULES]
        lines += [f"alias = {json.dumps(alias)}" for alias in ALIASES]
        text = _CONFIG + "\n".join(lines) + "\n"
        (self.share / "sundog.conf").write_text(text, encoding="utf-8")

    def boot(self) -> float:
        """Boot it; returns the seconds until it was ready."""
        return up(self.built, self.own)

    def cut_power(self) -> None:
        """End it as a loss of power does."""
        down(self.own)

    def start_sundog(self) -> None:
        """Start Sundog and wait until it answers.

        The kernel writes no file from here on unless it is told to, so what a loss of
        power takes is all that Sundog left to it, not what it had no time for.
        """
        self.agent.read(
            "[ -e /kept/sundog/images ] || { mkdir -p /kept/sundog/images &&"
            " cp /own/new/* /kept/sundog && cp /lab/payload.img /kept/sundog/images; };"
            " sync; echo 0 >/proc/sys/vm/dirty_writeback_centisecs;"
            " setsid sundog up --config /own/sundog.conf"
            " >>/own/sundog.log 2>&1 </dev/null & echo $! >/run/sundog.pid"
        )
        end = time.monotonic() + READY_SECONDS
        while not self.api.answers():
            alive = self.agent.run("kill -0 $(cat /run/sundog.pid)").status == 0
            assert alive, self.sundog_log()
            assert time.monotonic() < end, self.sundog_log()
            time.sleep(5)

    def kill_sundog(self) -> None:
        """Kill it as kill -9 does."""
        self.agent.read("kill -9 $(cat /run/sundog.pid)")

    def sundog_log(self) -> str:
        """Return what it logged last."""
        log = self.share / "sundog.log"
        text = log.read_text(encoding="utf-8") if log.exists() else "it logged nothing"
        return "\n".join(text.splitlines()[-40:])
