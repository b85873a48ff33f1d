"""Remote consoles: guests have no display and no console that is served over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

import msgspec

from sundog.edges.rest.compute.servers import find
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Answer, Ask

# Protocols with their types, and the microversion that a type came with.
_TYPES: Final = {
    "vnc": {"novnc": 6, "xvpvnc": 6},
    "spice": {"spice-html5": 6, "spice-direct": 99},
    "rdp": {"rdp-html5": 6},
    "serial": {"serial": 6},
    "mks": {"webmks": 8},
}


class RemoteConsole(msgspec.Struct, forbid_unknown_fields=True):
    """``remote_console`` of ``POST /servers/{id}/remote-consoles``."""

    protocol: str
    type: str


class RemoteConsoleBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /servers/{id}/remote-consoles``."""

    remote_console: RemoteConsole


def create(ask: Ask, server_id: str) -> Answer:
    """``POST /servers/{id}/remote-consoles``, from 2.6 on: refused as Nova does."""
    wanted = ask.read(RemoteConsoleBody).remote_console
    known = _TYPES.get(wanted.protocol, {})
    if not ask.since(known.get(wanted.type, ask.version + 1)):
        raise Fault(
            400,
            f"Invalid input for field/attribute remote_console. Value: "
            f"{wanted.protocol[:40]!r} with {wanted.type[:40]!r} is not known.",
        )
    find(ask, server_id)
    raise unavailable(wanted.type)


def unavailable(kind: str) -> Fault:
    """Return the refusal of a console of some type."""
    return Fault(400, f"Unavailable console type {kind[:40]}.")


def token(_: Ask, token: str) -> NoReturn:
    """``GET /os-console-auth-tokens/{token}``: none was ever given out."""
    raise Fault(404, f"Token not found: {token[:80]}")
