"""A connection to libvirt's daemon that is opened anew when it broke."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

import libvirt

from sundog.core.errors import UnavailableError
from sundog.edges.libvirt.connection import (
    Connection,
    be_silent,
    is_bad_uri,
    one_line,
)
from sundog.edges.libvirt.live.event_loop import run_event_loop

if TYPE_CHECKING:
    from collections.abc import Callable

LOG: Final = logging.getLogger(__name__)

# A daemon that stopped without closing its socket is given up after about a minute: a
# host that is busy starting guests may well leave it without a CPU for half of that.
_KEEPALIVE: Final = (10, 6)
# And after as long, when it takes a new connection and says nothing on it.
_PATIENCE_SECONDS: Final = 60.0
OPENER: Final = "libvirt opens"


@dataclass(frozen=True, slots=True)
class _Opening:
    """A connection on its way, for all who wait for it ``until`` then."""

    until: float
    outcome: Future[Connection] = field(default_factory=Future)


class LastingConnection:
    """Libvirt's calls on a connection that is alive; raises libvirtError as it does.

    A call in which the connection breaks fails, the next one opens it anew. While it
    cannot be opened, each call raises UnavailableError with libvirt's word. Whoever
    follows events is told of each new connection, because its events end with it.
    """

    def __init__(self, uri: str, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        """Nothing is opened before the first call."""
        self._uri = uri
        self._patience = patience_seconds
        self._lock = Lock()
        self._connection: Connection | None = None
        self._opening: _Opening | None = None
        self._followers: list[Callable[[Connection], None]] = []

    def follow(self, follower: Callable[[Connection], None]) -> None:
        """Call ``follower`` with every connection that is opened, and the one now."""
        with self._lock:
            self._followers.append(follower)
            if self._connection is not None:
                follower(self._connection)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  libvirt ships no types
        """Return a method of the connection, opened anew if it is not alive."""
        return getattr(self._alive(), name)

    def probe(self) -> None:
        """Try to connect; a daemon that is away is well.

        Raises ValueError with libvirt's word when no daemon could help the URI.
        """
        try:
            self._alive()
        except UnavailableError as away:
            error = away.__cause__
            if isinstance(error, libvirt.libvirtError) and is_bad_uri(error):
                raise ValueError(one_line(error)) from error

    def versions(self) -> tuple[int, int]:
        """Return libvirt's version and QEMU's; raises UnavailableError."""
        return self.version(), self.hypervisor_version()

    def version(self) -> int:
        """Return libvirt's version, 9.0.0 as 9000000; raises UnavailableError."""
        return self._told("getLibVersion")

    def hypervisor_version(self) -> int:
        """Return QEMU's version in the same way; raises UnavailableError."""
        return self._told("getVersion")

    def _told(self, call: str) -> int:
        connection = self._alive()
        try:
            number: int = getattr(connection, call)()
        except libvirt.libvirtError as error:
            raise self._away(error) from error
        return number

    def close(self) -> None:
        """Close the connection; a later call opens it anew."""
        with self._lock:
            self._opening = None
            self._drop()

    def _alive(self) -> Connection:
        with self._lock:
            if self._connection is not None and not self._connection.isAlive():
                LOG.warning("libvirt at %s went away; connecting anew", self._uri)
                self._drop()
            if self._connection is not None:
                return self._connection
            opening = self._opening or self._begin()
        try:
            return opening.outcome.result(max(0.0, opening.until - time.monotonic()))
        except libvirt.libvirtError as error:
            raise self._away(error) from error
        except TimeoutError:
            raise UnavailableError(
                f"libvirt at {self._uri}: no word on a new connection"
            ) from None

    def _away(self, error: libvirt.libvirtError) -> UnavailableError:
        return UnavailableError(f"libvirt at {self._uri}: {one_line(error)}")

    def _begin(self) -> _Opening:
        """Open in a thread of its own: libvirt waits for the first word without end."""
        opening = self._opening = _Opening(time.monotonic() + self._patience)
        # A daemon: a process that ends does not wait for it, either.
        Thread(target=self._end, args=(opening,), name=OPENER, daemon=True).start()
        return opening

    def _end(self, opening: _Opening) -> None:
        try:
            connection = self._open()
            with self._lock:
                self._take(opening, connection)
        except Exception as error:  # noqa: BLE001  told to those who wait
            with self._lock:
                if self._opening is opening:
                    self._opening = None
            opening.outcome.set_exception(error)
        else:
            opening.outcome.set_result(connection)

    def _open(self) -> Connection:
        run_event_loop()
        be_silent()
        connection = libvirt.open(self._uri)
        try:
            connection.setKeepAlive(*_KEEPALIVE)
        except libvirt.libvirtError as error:
            # A driver inside this process has no daemon to lose.
            LOG.debug("libvirt at %s: %s", self._uri, one_line(error))
        return connection

    def _take(self, opening: _Opening, connection: Connection) -> None:
        if self._opening is not opening:
            _close(connection)
            raise UnavailableError(f"libvirt at {self._uri}: closed meanwhile")
        try:
            for follower in self._followers:
                follower(connection)
        except BaseException:
            # Half followed it would tell half of what happens.
            _close(connection)
            raise
        self._connection, self._opening = connection, None

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _close(connection)


def _close(connection: Connection) -> None:
    with suppress(libvirt.libvirtError):
        connection.close()
