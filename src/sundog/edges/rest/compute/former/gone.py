"""What Nova took out of its API: each path that answers 410 there, and why."""

from __future__ import annotations

from typing import Final, NoReturn

from sundog.edges.rest.errors import Fault

# Paths of Nova's router whose methods are all gone, at every microversion.
PATHS: Final = {
    "/os-agents": "POST GET",
    "/os-agents/<part>": "PUT DELETE",
    "/os-cells": "POST GET",
    "/os-cells/capacities": "GET",
    "/os-cells/detail": "GET",
    "/os-cells/info": "GET",
    "/os-cells/sync_instances": "POST",
    "/os-cells/<part>": "GET PUT DELETE",
    "/os-cells/<part>/capacities": "GET",
    "/os-certificates": "POST",
    "/os-certificates/<part>": "GET",
    "/os-cloudpipe": "GET POST",
    "/os-cloudpipe/<part>": "PUT",
    "/os-fixed-ips/<part>": "GET",
    "/os-fixed-ips/<part>/action": "POST",
    "/os-floating-ip-dns": "GET",
    "/os-floating-ip-dns/<part>": "PUT DELETE",
    "/os-floating-ip-dns/<domain>/entries/<part>": "GET PUT DELETE",
    "/os-floating-ips-bulk": "GET POST",
    "/os-floating-ips-bulk/<part>": "GET PUT",
    "/os-fping": "GET",
    "/os-fping/<part>": "GET",
    "/os-security-group-default-rules": "GET POST",
    "/os-security-group-default-rules/<part>": "GET DELETE",
    "/servers/<server_id>/consoles": "GET POST",
    "/servers/<server_id>/consoles/<part>": "GET DELETE",
    "/servers/<server_id>/os-virtual-interfaces": "GET",
}
ACTIONS: Final = frozenset({"resetNetwork", "os-getRDPConsole"})


def gone(*_: object, **_parts: str) -> NoReturn:
    """Answer 410."""
    raise Fault(410, "This was taken out of the compute API; Nova has it no more.")
