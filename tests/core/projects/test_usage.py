"""Usage is what of a server's life lies within a period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from sundog.core.lives.server import Server
from sundog.core.projects.usage import Period, usages
from sundog.core.requests.flavor import Flavor

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FLAVOR = Flavor(id="f", name="f", vcpus=2, memory_mb=64, disk_gb=3, ephemeral_gb=4)


def server(launched: float | None, terminated: float | None = None) -> Server:
    """Return a server that lived from and to so many hours after noon."""
    return Server(
        id=UUID(int=1),
        name="s",
        project_id="p",
        user_id="u",
        flavor=FLAVOR,
        image_id="i",
        created=NOON,
        updated=NOON,
        launched=None if launched is None else NOON + launched * HOUR,
        terminated=None if terminated is None else NOON + terminated * HOUR,
    )


@pytest.mark.parametrize(
    ("launched", "terminated", "hours"),
    [(0, None, 2), (1.5, None, 0.5), (-5, 1, 1), (-5, None, 2), (0, 9, 2), (1, 1, 0)],
)
def test_hours_are_those_within_the_period(
    launched: float, terminated: float | None, hours: float
) -> None:
    period = Period(start=NOON, stop=NOON + 2 * HOUR)
    (told,) = usages([server(launched, terminated)], period, NOON + 3 * HOUR)
    assert told.hours == pytest.approx(hours)
    ended = 3 if terminated is None else terminated
    assert told.uptime == (ended - launched) * 3600
    assert told.disk_gb == 7


@pytest.mark.parametrize(
    ("launched", "terminated"), [(None, None), (3, None), (-5, -4), (None, 1)]
)
def test_what_did_not_run_within_the_period_is_not_told(
    launched: float | None, terminated: float | None
) -> None:
    period = Period(start=NOON, stop=NOON + 2 * HOUR)
    assert usages([server(launched, terminated)], period, NOON + 3 * HOUR) == []
