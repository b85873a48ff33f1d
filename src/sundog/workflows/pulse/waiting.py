"""Servers whose jobs wait for an outside service that is away."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID


class Waiting:
    """Which servers wait, and why. Thread-safe.

    It is kept in memory only: after a restart every server is settled anyway.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._lock = Lock()
        self._reasons: dict[UUID, str] = {}

    def add(self, server_id: UUID, why: str) -> None:
        """Let a server wait; the first reason stays."""
        with self._lock:
            self._reasons.setdefault(server_id, why)

    @property
    def reasons(self) -> Mapping[UUID, str]:
        """Why each server waits that does."""
        with self._lock:
            return {**self._reasons}

    def take(self) -> Mapping[UUID, str]:
        """Return all that wait, and let none wait any more."""
        with self._lock:
            taken, self._reasons = self._reasons, {}
            return taken
