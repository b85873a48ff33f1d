"""One lock a server, so that two jobs on it never run at once."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock, RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID


class ServerLocks:
    """Locks by server; a lock that nobody waits for is forgotten."""

    def __init__(self) -> None:
        """Start without any."""
        self._guard = Lock()
        self._locks: dict[UUID, tuple[RLock, int]] = {}

    @contextmanager
    def of(self, server_id: UUID) -> Iterator[None]:
        """Hold a server's lock; a thread may hold it several times."""
        with self._guard:
            lock, users = self._locks.get(server_id, (RLock(), 0))
            self._locks[server_id] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, users = self._locks.pop(server_id)
                if users > 1:
                    self._locks[server_id] = (lock, users - 1)
