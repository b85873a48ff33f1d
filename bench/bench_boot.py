"""Servers per second, end to end, in embedded mode: 40 servers with one VF each.

The service runs as `sundog up` runs it (REST over HTTP on loopback, SQLite, Placement
in process, simulated hosts on libvirt's test driver); the client asks for 40 servers
in one request and waits until all are ACTIVE, then deletes them. Printed: the rate,
where the time of the jobs went, the resident memory, and beside it the rate at which
Placement alone takes the same claims in the same run.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rich.console import Console
from rich.table import Table
from waitress.server import create_server

from sundog.core.hosts.allocation import allocation_of
from sundog.core.requests.extra_specs import guest_request
from sundog.settings.read import read_settings
from sundog.wiring.embedded import build_embedded
from sundog.workflows.ports import Owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from sundog.wiring.embedded import Embedded

SERVERS = 40
DEADLINE_SECONDS = 120
ALIAS = '{"name": "vf", "device_type": "type-VF", "numa_policy": "preferred"}'


class Spans:
    """Seconds spent in named calls, by all threads together."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: defaultdict[str, int] = defaultdict(int)
        self._lock = Lock()

    def watch(self, owner: Any, method: str, name: str) -> None:  # noqa: ANN401 - any object
        """Time every call of a method of one object."""
        call: Callable[..., object] = getattr(owner, method)

        def timed(*args: object, **more: object) -> object:
            start = time.perf_counter()
            try:
                return call(*args, **more)
            finally:
                with self._lock:
                    self.seconds[name] += time.perf_counter() - start
                    self.calls[name] += 1

        setattr(owner, method, timed)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        (state / "images").mkdir()
        (state / "images" / "tiny.img").write_bytes(bytes(1024))
        settings = read_settings(
            (),
            {
                "state_path": folder,
                "pci.device_spec": ['{"vendor_id": "8086", "product_id": "154c"}'],
                "pci.alias": [ALIAS],
                "simulation.host_file": [
                    f"gpu{number}=two-socket-8-cards" for number in (1, 2, 3)
                ],
            },
        )
        with build_embedded(settings) as service:
            service.start()
            server = create_server(service.app, host="127.0.0.1", port=0)
            Thread(target=server.run, daemon=True).start()
            measure(service, f"http://127.0.0.1:{server.effective_port}")
            server.close()


def measure(service: Embedded, url: str) -> None:
    call("POST", f"{url}/v2.1/flavors", flavor())
    flavor_path = f"{url}/v2.1/flavors/bench/os-extra_specs"
    call("POST", flavor_path, {"extra_specs": {"pci_passthrough:alias": "vf:1"}})
    alone = placement_alone(service)
    spans = watch(service)
    start, cpu = time.perf_counter(), time.process_time()
    call("POST", f"{url}/v2.1/servers", servers(url))
    wait(url, lambda states: states.count("ACTIVE") == SERVERS)
    up, used = time.perf_counter() - start, time.process_time() - cpu
    start = time.perf_counter()
    for one in call("GET", f"{url}/v2.1/servers")["servers"]:
        call("DELETE", f"{url}/v2.1/servers/{one['id']}")
    wait(url, lambda states: not states)
    report(spans, up, used, time.perf_counter() - start, alone)


def placement_alone(service: Embedded) -> float:
    """Return the seconds that Placement takes for as many claims, one by one.

    They are the claims that these servers make; each is released before the next.
    """
    conductor, owner = service.conductor, Owner(project_id="p", user_id="u")
    flavor = service.books.flavors.get("bench")
    request = guest_request(flavor, {}, conductor.aliases)
    fit = conductor.fleet.fits(request, limit=1)[0]
    state = conductor.fleet.state(fit.host)
    if state is None:
        raise SystemExit(f"host {fit.host} is gone")
    allocation = allocation_of(fit, state.snapshot)
    seconds = 0.0
    for _ in range(SERVERS):
        consumer = uuid4()
        start = time.perf_counter()
        conductor.ledger.claim(consumer, allocation, owner)
        seconds += time.perf_counter() - start
        conductor.ledger.release(consumer)
    return seconds


def watch(service: Embedded) -> Spans:
    spans, conductor = Spans(), service.conductor
    spans.watch(conductor.fleet, "reserve", "choose a host, cells, devices")
    spans.watch(conductor.ledger, "claim", "claim in Placement, one server")
    spans.watch(conductor.ledger, "claim_many", "claim in Placement, ten servers")
    spans.watch(conductor.ledger, "release", "release in Placement")
    spans.watch(conductor.ledger, "report", "report inventories to Placement")
    for agent in service.agents.values():
        spans.watch(agent, "boot", "host agent: boot")
        spans.watch(agent, "remove", "host agent: remove")
    return spans


def report(spans: Spans, up: float, used: float, down: float, alone: float) -> None:
    table = Table(title=f"{SERVERS} servers with one VF each, embedded mode")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_row("asked until all ACTIVE", f"{up:.2f} s, {used:.2f} s CPU")
    table.add_row("servers per second, end to end", f"{SERVERS / up:.1f}")
    table.add_row("Placement alone, claims per second", f"{SERVERS / alone:.1f}")
    table.add_row("ratio: ours / Placement alone", f"{alone / up:.2f}")
    table.add_row("deleted until all gone", f"{down:.2f} s")
    for name, seconds in sorted(spans.seconds.items(), key=lambda item: -item[1]):
        each = 1000 * seconds / spans.calls[name]
        table.add_row(f"  {name}", f"{seconds:.2f} s ({each:.1f} ms each)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table.add_row("largest resident memory", f"{peak:.0f} MiB")
    Console(width=100).print(table)


def wait(url: str, done: Callable[[list[str]], bool]) -> None:
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        found = call("GET", f"{url}/v2.1/servers/detail")["servers"]
        states = [one["status"] for one in found]
        if "ERROR" in states:
            raise SystemExit(next(s["fault"]["message"] for s in found if "fault" in s))
        if done(states):
            return
        time.sleep(0.05)
    raise SystemExit(f"not done after {DEADLINE_SECONDS} s: {states}")


def flavor() -> dict[str, object]:
    return {
        "flavor": {"id": "bench", "name": "bench", "vcpus": 1, "ram": 64, "disk": 1}
    }


def servers(url: str) -> dict[str, object]:
    image = call("GET", f"{url}/v2/images")["images"][0]["id"]
    return {
        "server": {
            "name": "vm",
            "flavorRef": "bench",
            "imageRef": image,
            "networks": "none",
            "min_count": SERVERS,
            "max_count": SERVERS,
        }
    }


def call(method: str, url: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    request = urllib.request.Request(  # noqa: S310 - loopback only
        url,
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={
            "Content-Type": "application/json",
            "OpenStack-API-Version": "compute 2.90",
        },
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - loopback only
        text = answer.read()
    return json.loads(text) if text else None


if __name__ == "__main__":
    main()
