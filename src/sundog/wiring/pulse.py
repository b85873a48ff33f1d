"""The heartbeat of a service, with all that it is to do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sundog.edges.commands.cleaner import CommandCleaner
from sundog.workflows.actions.recorded import end_settled
from sundog.workflows.devices.cleaning import Cleaning
from sundog.workflows.pulse.heartbeat import Heartbeat

if TYPE_CHECKING:
    from contextlib import ExitStack

    from sundog.edges.rest.ask import Books
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.devices.health import HealthBook
    from sundog.workflows.jobs import Jobs


def heartbeat(
    conductor: Conductor,
    books: Books,
    jobs: Jobs,
    health: HealthBook,
    opening: ExitStack,
) -> Heartbeat:
    """Build it; a cleaning under way is ended when ``opening`` closes."""
    cleaner = CommandCleaner()
    opening.callback(cleaner.close)
    return Heartbeat(
        conductor=conductor,
        hosts=books.hosts,
        begin=jobs.begin,
        begin_delete=books.servers.begin_delete,
        settled=partial(end_settled, conductor.servers, books.actions.history),
        cleaning=Cleaning(conductor, health, cleaner),
    )
