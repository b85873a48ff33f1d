"""What is done now and then: look at every host, take up what waited."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sundog.core.errors import SundogError
from sundog.workflows.devices.plug import tidy_all
from sundog.workflows.moves.left_side import clean_returned, left_on
from sundog.workflows.settle import settle_one
from sundog.workflows.start_host import start_host

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sundog.workflows.conductor import Conductor
    from sundog.workflows.devices.cleaning import Cleaning
    from sundog.workflows.hosts import HostBook
    from sundog.workflows.ports import ServiceRecord

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The pulse of a service; ``begin`` hands a job over and returns at once.

    Without ``cleaning`` no device is cleaned.
    ``settled`` is told each server that was taken up, to record how it went.
    """

    conductor: Conductor
    hosts: HostBook
    begin: Callable[[Callable[[], object]], None]
    begin_delete: Callable[[UUID], None]
    settled: Callable[[UUID], None]
    cleaning: Cleaning | None = None

    def beat(self) -> None:
        """Look at every host, take up the servers that waited, clean devices."""
        self.look()
        for server_id, why in self.conductor.waiting.take().items():
            self.begin(partial(self._take_up, server_id, why))
        for host in self.conductor.agents:
            if self.cleaning is not None and self.cleaning.is_due(host):
                self.begin(partial(self.cleaning.clean, host))
        for service in self.hosts.service_list():
            self._clean_moves(service)
        tidy_all(self.conductor, self.begin)

    def look(self) -> None:
        """Scan every host and report what changed; one that is away holds up none.

        A host that is away keeps its inventory, and gets no new servers.
        """
        for name in self.conductor.agents:
            try:
                self._look_at(name)
            except SundogError as error:
                if self.hosts.lost.get(name) != str(error):
                    LOG.warning("Host %s: %s", name, error)
                self.hosts.lose(name, str(error))
            except Exception:
                LOG.exception("Looking at host %s failed", name)
                self.hosts.lose(name, "looking at it failed; the service's log has why")
            else:
                if name in self.hosts.lost:
                    LOG.info("Host %s answers", name)
                self.hosts.find(name)

    def _look_at(self, name: str) -> None:
        if self.conductor.fleet.state(name) is None:
            agent = self.conductor.agents[name]
            start_host(self.conductor, self.hosts, agent.report())
        else:
            self.conductor.reports.heard_of(self.conductor.refresh(name))

    def _clean_moves(self, service: ServiceRecord) -> None:
        """Let go of what servers that went elsewhere have left on a host."""
        host = service.host
        if self.hosts.is_up(service) and left_on(self.conductor, host):
            self.begin(partial(clean_returned, self.conductor, host))

    def _take_up(self, server_id: UUID, why: str) -> None:
        with self.conductor.locks.of(server_id):
            settle_one(self.conductor, server_id, self.begin_delete, why)
            self.settled(server_id)
