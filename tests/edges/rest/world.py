"""The REST edge over fakes, with a conductor that decides at once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tests.edges.rest.hosts import plain_host, rich_host
from tests.fakes.agent import FakeAgent
from tests.fakes.images import FakeImages
from tests.fakes.ledger import FakeLedger
from tests.fakes.membership import FakeMembership
from tests.fakes.shelf import FakeShelf
from tests.fakes.stores import (
    FakeClaims,
    FakeFlavors,
    FakeMigrations,
    FakeServers,
    FakeServices,
)
from tests.workflows.world import hosts as other_hosts
from tests.workflows.world import world as other_world
from werkzeug.test import Client

from sundog.core.choosing.taste import DEFAULT_TASTE
from sundog.core.devices.pci_address import PciAddress
from sundog.core.lives.claim import Claim, ClaimState
from sundog.core.lives.guest import GuestState
from sundog.core.lives.instance_action import InstanceAction
from sundog.core.lives.server import Fault, ServerEvent
from sundog.core.requests.alias import parse_aliases
from sundog.core.requests.extra_specs import guest_request
from sundog.edges.keys.key_maker import CryptographyKeys
from sundog.edges.rest.app import build_app
from sundog.edges.rest.ask import Books
from sundog.workflows.access.sign_in import OpenDoor
from sundog.workflows.actions.book import ActionBook
from sundog.workflows.actions.guest_views import GuestBook
from sundog.workflows.actions.history import History
from sundog.workflows.agreement.audit import AuditBook
from sundog.workflows.conductor import Conductor
from sundog.workflows.devices.health import DeviceBook, HealthBook
from sundog.workflows.devices.plug_book import PlugBook
from sundog.workflows.fleet_view import FleetView
from sundog.workflows.hosts import HostBook
from sundog.workflows.moves.book import MoveBook
from sundog.workflows.ports import Image, ServiceRecord
from sundog.workflows.projects.aggregates import AggregateBook
from sundog.workflows.projects.flavor_access import AccessBook
from sundog.workflows.projects.flavors import FlavorBook
from sundog.workflows.projects.groups import GroupBook
from sundog.workflows.projects.keypairs import KeypairBook
from sundog.workflows.projects.quotas import QuotaBook
from sundog.workflows.projects.zones import closed_to
from sundog.workflows.report_host import HostReport
from sundog.workflows.server_locks import ServerLocks
from sundog.workflows.servers import ServerBook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from werkzeug.test import TestResponse

    from sundog.core.projects.aggregates import Aggregates
    from sundog.workflows.access.sign_in import Door
    from sundog.workflows.ports import ServiceStore

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
IMAGE = Image(
    id="11111111-0000-4000-8000-000000000001",
    name="cirros",
    size=12345,
    disk_format="qcow2",
    checksum="ab" * 16,
    created=START,
    updated=START,
    min_ram_mb=64,
    properties={"hw_machine_type": "q35"},
)
OTHER_IMAGE = replace(
    IMAGE, id="11111111-0000-4000-8000-000000000002", name="debian", properties={}
)
ALIASES = (
    '{"name": "vGPU", "mdev_type": "nvidia-35", "numa_policy": "required"}',
    '{"name": "nic", "vendor_id": "8086", "device_type": "type-VF"}',
)


def body_of(response: TestResponse) -> Any:
    """Return a response's JSON, which must be there."""
    assert response.json is not None
    return response.json


class Ticker:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        """Start."""
        self._reads = 0

    def __call__(self) -> datetime:
        """Tell the time."""
        self._reads += 1
        return START + timedelta(seconds=self._reads)


class Names:
    """Fresh UUIDs, the same in every run."""

    def __init__(self, made: int = 0) -> None:
        """Start after so many."""
        self._made = made

    def __call__(self) -> UUID:
        """Make the next."""
        self._made += 1
        return UUID(int=(0xF00D << 112) | (4 << 76) | (8 << 60) | self._made)


def _now(work: Callable[[], object]) -> None:
    work()


def write_service(services: ServiceStore, service: ServiceRecord) -> None:
    """Write a service, whatever was there."""
    services.change(service.id, lambda _: service)


@dataclass
class World:
    """Books, and a client of the application over them."""

    flavors: FakeFlavors = field(default_factory=FakeFlavors)
    servers: FakeServers = field(default_factory=FakeServers)
    claims: FakeClaims = field(default_factory=FakeClaims)
    migrations: FakeMigrations = field(default_factory=FakeMigrations)
    services: FakeServices = field(default_factory=FakeServices)
    fleet: FleetView = field(default_factory=lambda: FleetView(DEFAULT_TASTE))
    clock: Ticker = field(default_factory=Ticker)
    door: Door | None = None

    def __post_init__(self) -> None:
        """Let two hosts report, and build the application."""
        self.addresses = frozenset({PciAddress.parse("0000:84:00.0")})
        self.looked_at: list[str] = []
        # A world of its own, where agents, stores and Placement play together.
        self.audited = other_world(*other_hosts("a"))
        self.aliases = parse_aliases(ALIASES)
        for snapshot in (rich_host(), plain_host()):
            self.fleet.see(snapshot)
            service = ServiceRecord(
                id=UUID(int=snapshot.uuid.int ^ (0xFF << 120)),
                host=snapshot.name,
                last_seen=START,
            )
            write_service(self.services, service)
        self.agents = {
            snapshot.name: FakeAgent(snapshot)
            for snapshot in (rich_host(), plain_host())
        }
        self.aggregates: FakeShelf[Aggregates] = FakeShelf()
        self.placement = FakeLedger()
        recorded = FakeShelf[InstanceAction](lambda one: not one.is_under_way)
        self.history = History(shelf=recorded, clock=self.clock)
        images = FakeImages((IMAGE, OTHER_IMAGE))
        quotas = QuotaBook(
            shelf=FakeShelf(), servers=self.servers, aliases=self.aliases
        )
        hosts = HostBook(
            services=self.services,
            fleet=self.fleet,
            flavors=self.flavors,
            images=images,
            aliases=self.aliases,
            clock=self.clock,
            down_after=1e9,
            aggregates=self.aggregates,
        )
        actions = ActionBook(
            conductor=self._conductor(),
            images=images,
            history=self.history,
            begin=_now,
        )
        self.books = Books(
            quotas=quotas,
            access=AccessBook(shelf=FakeShelf()),
            aggregates=AggregateBook(
                shelf=self.aggregates,
                services=self.services,
                servers=self.servers,
                fleet=self.fleet,
                membership=FakeMembership(
                    {state.snapshot.uuid for state in self.fleet.states()}
                ),
                clock=self.clock,
                new_id=Names(1 << 40),
            ),
            flavors=FlavorBook(self.flavors, self.aliases),
            servers=ServerBook(
                servers=self.servers,
                claims=self.claims,
                flavors=self.flavors,
                images=images,
                aliases=self.aliases,
                history=self.history,
                clock=self.clock,
                new_id=Names(),
                quotas=quotas,
                check_ledger=self.placement.check,
                begin_boot=self._boot_all,
                begin_delete=self._delete,
            ),
            hosts=hosts,
            actions=actions,
            moves=MoveBook(
                actions=actions,
                flavors=self.flavors,
                hosts=hosts,
                quotas=quotas,
                new_id=Names(1 << 48),
            ),
            plugs=PlugBook(actions=actions, quotas=quotas),
            audit=AuditBook(self.audited.conductor),
            devices=DeviceBook(
                HealthBook(FakeShelf()),
                lambda name: self.addresses if name == "host-a" else None,
                self.looked_at.append,
            ),
            guests=GuestBook(agents=self.agents),
            images=images,
            keypairs=KeypairBook(
                shelf=FakeShelf(), keys=CryptographyKeys(), clock=self.clock
            ),
            groups=GroupBook(
                shelf=FakeShelf(), servers=self.servers, new_id=Names(1 << 32)
            ),
            door=self.door or OpenDoor(self.clock),
        )
        self.app = build_app(self.books)
        self.client = Client(self.app)

    def _conductor(self) -> Conductor:
        """Return one whose hosts obey; what a create boots is not known to them."""
        ledger = FakeLedger()
        return Conductor(
            servers=self.servers,
            claims=self.claims,
            migrations=self.migrations,
            ledger=ledger,
            fleet=self.fleet,
            agents=self.agents,
            reports=HostReport(ledger, self.fleet, self.services, self.clock),
            aliases=self.aliases,
            clock=self.clock,
            locks=ServerLocks(),
            aggregates=self.aggregates,
        )

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        version: str = "2.100",
        headers: dict[str, str] | None = None,
        base: str = "/compute/v2.1",
    ) -> TestResponse:
        """Send a request; ``path`` is under ``base``."""
        sent = {"OpenStack-API-Version": f"compute {version}", **(headers or {})}
        data = None if body is None else json.dumps(body)
        kind = None if body is None else "application/json"
        return self.client.open(
            base + path, method=method, data=data, content_type=kind, headers=sent
        )

    def get(self, path: str, version: str = "2.100") -> Any:
        """Return the JSON of a document that must be there."""
        response = self.call("GET", path, version=version)
        assert response.status_code == 200, response.text
        return response.json

    def flavor(self, name: str, **specs: str) -> str:
        """Make a flavor with extra specs (``__`` for a colon); returns its id."""
        body = {"name": name, "ram": 512, "vcpus": 2, "disk": 1, "id": name}
        assert self.call("POST", "/flavors", {"flavor": body}).status_code == 200
        if specs:
            extra = {key.replace("__", ":"): value for key, value in specs.items()}
            path = f"/flavors/{name}/os-extra_specs"
            response = self.call("POST", path, {"extra_specs": extra})
            assert response.status_code == 200, response.text
        return name

    def server(self, name: str = "web", flavor: str = "m1", **more: Any) -> str:
        """Create a server; returns its id."""
        response = self.create(name=name, flavorRef=flavor, **more)
        assert response.status_code == 202, response.text
        return str(body_of(response)["server"]["id"])

    def create(self, version: str = "2.100", **fields: object) -> TestResponse:
        """Ask for a server, boldly: the fields given replace those of a good one."""
        good = {"name": "web", "flavorRef": "m1", "imageRef": IMAGE.id}
        body = {**good, "networks": "none", **fields}
        kept = {key: value for key, value in body.items() if value is not ...}
        return self.call("POST", "/servers", {"server": kept}, version=version)

    def run_guest(self, server_id: str) -> None:
        """Let the host of a server have its guest, too."""
        claim = self.claims.get(UUID(server_id))
        assert claim is not None
        agent = self.agents[claim.assignment.host]
        agent.guests[claim.consumer] = claim.assignment
        agent.states[claim.consumer] = GuestState.RUNNING

    def _boot_all(self, server_ids: Sequence[UUID]) -> None:
        for server_id in server_ids:
            self._boot(server_id)

    def _boot(self, server_id: UUID) -> None:
        server = self.servers.get(server_id)
        request = guest_request(server.flavor, server.image_properties, self.aliases)
        closed = closed_to(self.books.actions.conductor, server)
        wanted = server.wanted_host
        found = self.fleet.reserve(server_id, request, closed, wanted)
        now = self.clock()
        if found is None:
            why = self.fleet.why_not(request, closed)
            fault = Fault(code=500, message=why, created=now)
            self.servers.change(
                server_id,
                lambda old: replace(old.after(ServerEvent.FAIL, now), fault=fault),
            )
            return
        self.claims.put(
            Claim(consumer=server_id, assignment=found, state=ClaimState.ALLOCATED)
        )
        self.servers.change(
            server_id,
            lambda old: replace(
                old.after(ServerEvent.PLACE, now).after(ServerEvent.START, now),
                host=found.host,
                launched=now,
            ),
        )
        self.history.finish(server_id, "create", "", found.host)

    def _delete(self, server_id: UUID) -> None:
        server = self.servers.get(server_id)
        if server.host:
            self.fleet.drop(server_id, server.host)
        self.claims.remove(server_id)
        now = self.clock()
        self.servers.change(
            server_id,
            lambda old: replace(
                old.after(ServerEvent.FINISH_DELETE, now), terminated=now
            ),
        )
