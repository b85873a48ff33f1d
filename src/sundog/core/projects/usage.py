"""What servers took over a period, as reports of usage tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sundog.core.lives.server import Server

_SECONDS_PER_HOUR: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A time from its start to its end."""

    start: datetime
    stop: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a server took: its hours within a period, and its seconds in all."""

    server: Server
    launched: datetime
    hours: float
    uptime: int

    @property
    def disk_gb(self) -> int:
        """The disk that it has."""
        return self.server.flavor.disk_gb + self.server.flavor.ephemeral_gb


def usages(servers: Iterable[Server], period: Period, now: datetime) -> list[Usage]:
    """Return the usage of each server that ran within a period."""
    found = []
    for server in servers:
        launched = server.launched
        if launched is None:
            continue
        ended = server.terminated or now
        start, stop = max(launched, period.start), min(ended, period.stop)
        if start <= stop:
            hours = (stop - start).total_seconds() / _SECONDS_PER_HOUR
            uptime = int((ended - launched).total_seconds())
            found.append(
                Usage(server=server, launched=launched, hours=hours, uptime=uptime)
            )
    return found
