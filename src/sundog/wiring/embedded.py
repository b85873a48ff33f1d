"""The embedded service: API, conductor, Placement and all agents in one process."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sundog.edges.images.image_folder import ImageFolder
from sundog.edges.rest.app import build_app
from sundog.edges.storage.state_lock import hold_state
from sundog.edges.storage.store import Store, open_store
from sundog.wiring.books import Needs, build_books
from sundog.wiring.hosts import open_hosts
from sundog.wiring.outside import build_door, now, open_placement, read_people
from sundog.wiring.pulse import heartbeat
from sundog.wiring.real import follow_guests, real_host_name
from sundog.wiring.rules import follow_rules
from sundog.wiring.simulated import SimulatedHost, host_models
from sundog.workflows.actions.recorded import end_cut_off
from sundog.workflows.conductor import Conductor
from sundog.workflows.fleet_view import FleetView
from sundog.workflows.jobs import Jobs
from sundog.workflows.report_host import HostReport
from sundog.workflows.server_locks import ServerLocks
from sundog.workflows.settle import settle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from wsgiref.types import WSGIApplication

    from sundog.edges.rest.ask import Books
    from sundog.settings.tree import Settings
    from sundog.workflows.host_agent import LocalHost
    from sundog.workflows.ports import Ledger
    from sundog.workflows.pulse.heartbeat import Heartbeat


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """A service in this process; close it when done, or use ``with``.

    ``simulated`` gives the kernels of simulated hosts, to ask faults of.
    """

    app: WSGIApplication
    books: Books
    conductor: Conductor
    agents: Mapping[str, LocalHost]
    simulated: Mapping[str, SimulatedHost]
    jobs: Jobs
    heartbeat: Heartbeat
    closing: ExitStack

    def start(self) -> None:
        """Take the hosts up and settle what an earlier life left."""
        self.heartbeat.look()
        servers, history = self.conductor.servers, self.books.actions.history
        end_cut_off(servers, history)
        settle(self.conductor, self.books.servers.begin_delete)
        end_cut_off(servers, history)

    def beat(self) -> None:
        """Scan every host, report what changed, take up what waited."""
        self.heartbeat.beat()

    def follow_rules(self, settings: Settings) -> None:
        """Apply a whitelist that was read anew, at once.

        Raises BadConfigurationError, and changes nothing, where it would turn a held
        PF into VFs or the other way round. A host that is away takes it up later.
        """
        follow_rules(self.agents, settings)
        self.beat()

    def close(self) -> None:
        """Finish the jobs that were begun, then close everything."""
        self.closing.close()

    def __enter__(self) -> Self:
        """Return the service itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def build_embedded(settings: Settings) -> Embedded:
    """Build the service; nothing is scanned before ``start``.

    Raises BadConfigurationError with everything that is wrong, UnavailableError
    while the database is away.
    """
    models = host_models(settings.simulated_hosts, real_host_name(settings))
    images, people = ImageFolder(settings.images), read_people(settings)
    settings.state_path.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opening:
        opening.callback(hold_state(settings.state_path))
        store = open_store(settings.database)
        opening.callback(store.close)
        placement = open_placement(settings, opening)
        hosts = open_hosts(settings, models, store, images, opening)
        jobs = opening.enter_context(Jobs())
        conductor = _conductor(settings, store, placement.ledger, hosts.agents)
        if hosts.real is not None:
            opening.callback(follow_guests(hosts.real, conductor, jobs).stop)
        books = build_books(
            Needs(
                settings=settings,
                store=store,
                images=images,
                conductor=conductor,
                jobs=jobs,
                door=build_door(settings, people, store),
                health=hosts.health,
                membership=placement.membership,
            )
        )
        return Embedded(
            app=build_app(books, placement.mounts),
            books=books,
            conductor=conductor,
            agents=hosts.agents,
            simulated=hosts.simulated,
            jobs=jobs,
            heartbeat=heartbeat(conductor, books, jobs, hosts.health, opening),
            closing=opening.pop_all(),
        )


def _conductor(
    settings: Settings, store: Store, ledger: Ledger, agents: Mapping[str, LocalHost]
) -> Conductor:
    fleet = FleetView(settings.taste)
    return Conductor(
        servers=store.servers,
        claims=store.claims,
        migrations=store.migrations,
        ledger=ledger,
        fleet=fleet,
        agents=agents,
        reports=HostReport(ledger, fleet, store.services, now),
        aliases=settings.pci.aliases,
        clock=now,
        locks=ServerLocks(),
        max_attempts=settings.max_attempts,
        resize_in_place=settings.resize_in_place,
        detach_seconds=settings.detach_seconds,
        groups=store.groups,
        aggregates=store.aggregates,
    )
