"""``GET /servers/{id}/diagnostics``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.servers import find
from sundog.edges.rest.compute.servers_view import power_state

if TYPE_CHECKING:
    from sundog.core.lives.figures import GuestFigures
    from sundog.core.lives.server import Server
    from sundog.edges.rest.ask import Ask

_STANDARD_SINCE: Final = 48
_PAUSED: Final = 3
_KIB_PER_MIB: Final = 1024


def show(ask: Ask, server_id: str) -> Answer:
    """Tell what a guest takes; before 2.48 in the hypervisor's own words."""
    server = find(ask, server_id)
    figures = ask.books.guests.figures(server)
    if not ask.since(_STANDARD_SINCE):
        return Answer(body=_in_its_own_words(figures))
    return Answer(body=_standard(ask, server, figures))


def _standard(ask: Ask, server: Server, figures: GuestFigures) -> dict[str, object]:
    now = ask.books.hosts.clock()
    uptime = int((now - server.launched).total_seconds()) if server.launched else None
    used = figures.used_kb
    return {
        "state": "paused" if power_state(server) == _PAUSED else "running",
        "driver": "libvirt",
        "hypervisor": figures.hypervisor,
        "hypervisor_os": "linux",
        "uptime": uptime,
        "config_drive": server.config_drive,
        "num_cpus": len(figures.cpu_ns),
        "num_nics": 0,
        "num_disks": len(figures.disks),
        "memory_details": {
            "maximum": figures.memory_kb // _KIB_PER_MIB,
            "used": None if used is None else used // _KIB_PER_MIB,
        },
        "cpu_details": [
            {"id": number, "time": time, "utilisation": None}
            for number, time in enumerate(figures.cpu_ns)
        ],
        "nic_details": [],
        "disk_details": [
            {
                "read_bytes": disk.read_bytes,
                "read_requests": disk.read_requests,
                "write_bytes": disk.write_bytes,
                "write_requests": disk.write_requests,
                "errors_count": disk.errors,
            }
            for disk in figures.disks
        ],
    }


def _in_its_own_words(figures: GuestFigures) -> dict[str, object]:
    told: dict[str, object] = {
        f"cpu{number}_time": time for number, time in enumerate(figures.cpu_ns)
    }
    told["memory"] = figures.memory_kb
    if figures.used_kb is not None:
        told["memory-used"] = figures.used_kb
    for disk in figures.disks:
        told |= {
            f"{disk.name}_read": disk.read_bytes,
            f"{disk.name}_read_req": disk.read_requests,
            f"{disk.name}_write": disk.write_bytes,
            f"{disk.name}_write_req": disk.write_requests,
            f"{disk.name}_errors": disk.errors,
        }
    return told
