"""A whole embedded service over simulated hosts, spoken to through its REST API."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.stories.api import HEADERS, Api
from werkzeug.test import Client

from sundog.core.lives.claim import ClaimState
from sundog.core.lives.guest import GuestState
from sundog.core.lives.phases import Phase
from sundog.settings.read import read_settings
from sundog.wiring.embedded import Embedded, build_embedded
from sundog.workflows.moves.ports import MigrationQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

# How a server's guest may be; in ERROR it may be in any way.
GUESTS = {
    Phase.ACTIVE: {GuestState.RUNNING},
    Phase.SHUTOFF: {GuestState.OFF, GuestState.ABSENT},
    Phase.RESCUED: {GuestState.RUNNING},
    Phase.PAUSED: {GuestState.PAUSED},
    Phase.SUSPENDED: {GuestState.SAVED},
    Phase.RESIZED: {GuestState.RUNNING},
    Phase.RESIZED_SHUTOFF: {GuestState.OFF, GuestState.ABSENT},
    Phase.RESCUED_SHUTOFF: {GuestState.OFF, GuestState.ABSENT},
}


@dataclass
class Service(Api):
    """The service and a client of it."""

    embedded: Embedded
    client: Client

    def send(self, method: str, path: str, body: object) -> tuple[int, str]:
        """Ask the service in this process."""
        answer = self.client.open(path, method=method, json=body, headers=HEADERS)
        return answer.status_code, answer.text

    def empty(self) -> None:
        """Take faults and servers away; whatever a story left must agree first."""
        for host in self.embedded.simulated.values():
            host.kernel.clear_faults()
        self.embedded.beat()
        self.wait()
        self.check_agreement()
        left = self.call("GET", "/v2.1/servers")["servers"]
        self.delete([one["id"] for one in left])

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
        moves = {one.id for one in conductor.migrations.list(MigrationQuery())}
        left = {claim.guest for claim in claims if claim.guest is not None}
        for consumer in held - moves:
            phase = conductor.servers.get(consumer).phase
            guest = host.tools.guests.state(consumer)
            assert guest in GUESTS.get(phase, set(GuestState)), (phase, guest)
        assert host.tools.guests.running() <= held | left


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
