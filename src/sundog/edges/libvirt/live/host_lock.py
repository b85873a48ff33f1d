"""One agent a host: a lock that its holder's end releases, whatever folder it has."""

from __future__ import annotations

import errno
import socket
import struct
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from sundog.core.errors import BadConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# A name of the kernel's own, in no folder: nobody needs permission to write there, and
# nothing is left after a crash. An agent in another network namespace is not met.
# Source: unix(7), "Abstract sockets", SO_PEERCRED.
_PREFIX: Final = "\0sundog-host-"
_ASKERS: Final = 64
_CREDENTIALS: Final = struct.Struct("3i")


def hold_host(root: Path) -> Callable[[], None]:
    """Take the lock of the host whose files are below ``root``; answers its release.

    Raises BadConfigurationError while another process holds it.
    """
    name = _PREFIX + sha256(bytes(root.resolve())).hexdigest()[:32]
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(name)
        # So that others can ask who it is; nobody answers them.
        lock.listen(_ASKERS)
    except OSError as error:
        lock.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise BadConfigurationError(
            f"[libvirt] connection_uri: another service (process {_holder(name)}) is "
            "this host's agent, and a host has one; stop that one"
        ) from None
    return lock.close


def _holder(name: str) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(0.0)
        try:
            asking.connect(name)
            said = asking.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
            )
        except OSError:
            # It ended at this moment, or very many have asked.
            return "unknown"
    return str(_CREDENTIALS.unpack(said)[0])
