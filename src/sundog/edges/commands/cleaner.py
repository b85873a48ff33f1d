"""The port ``Cleaner``: a command of the operator's cleans a device."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Final

from sundog.core.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.devices.pci_address import PciAddress

_MOST_SECONDS: Final = 600.0
_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin"
_MOST_TOLD: Final = 200


class CommandCleaner:
    """Runs a command with the device's address as its last argument.

    SUNDOG_HOST and SUNDOG_ADDRESS tell the same; nothing else of our environment is
    passed on. What still runs after ``most_seconds`` is ended, with its children.
    """

    def __init__(self, most_seconds: float = _MOST_SECONDS) -> None:
        """Give each command so much time."""
        self._most_seconds = most_seconds
        self._running: set[int] = set()
        self._is_closed = False
        self._lock = Lock()

    def clean(self, command: Sequence[str], host: str, address: PciAddress) -> str:
        """Run a command for a device; returns why it failed, or nothing.

        Raises UnavailableError when it was closed meanwhile.
        """
        environment = {
            "PATH": _PATH,
            "SUNDOG_HOST": host,
            "SUNDOG_ADDRESS": str(address),
        }
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own command
                [*command, str(address)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return f"{command[0]} cannot be run: {error}"
        with self._lock:
            self._running.add(process.pid)
            if self._is_closed:
                _end(process.pid)
        try:
            return self._wait_for(process, command[0])
        finally:
            with self._lock:
                self._running.discard(process.pid)

    def close(self) -> None:
        """End what runs, and all that is begun from now on."""
        with self._lock:
            self._is_closed = True
            for group in self._running:
                _end(group)

    def _wait_for(self, process: subprocess.Popen[bytes], name: str) -> str:
        try:
            output, _ = process.communicate(timeout=self._most_seconds)
        except subprocess.TimeoutExpired:
            _end(process.pid)
            process.communicate()
            return f"{name} did not end in {self._most_seconds:g} seconds"
        if self._is_closed:
            raise UnavailableError(f"{name} was ended because the service stops")
        if process.returncode == 0:
            return ""
        said = " ".join(output.decode(errors="replace").split())[-_MOST_TOLD:]
        return f"{name} ended with {process.returncode}: {said or 'it said nothing'}"


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
