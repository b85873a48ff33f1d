"""Audit and heal: what the records of every host say, and what can be mended safely."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sundog.core.agreement.check_records import disagreements, mdev_names
from sundog.core.agreement.records import (
    Disagreement,
    DisagreementKind,
    HostRecords,
    Repair,
    ServerWord,
)
from sundog.core.choosing.assignment import Assignment, DeviceShare
from sundog.core.devices.device import DeviceKind
from sundog.core.errors import HostRefusedError, SundogError
from sundog.core.hosts.allocation import allocation_of
from sundog.core.lives.plug import PlugState
from sundog.core.requests.server_request import all_requests
from sundog.workflows.actions.errand import hold_of
from sundog.workflows.delete_server import give_back
from sundog.workflows.moves.ports import MigrationQuery
from sundog.workflows.ports import Owner, ServerQuery

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from uuid import UUID

    from sundog.core.lives.intent import Intent
    from sundog.core.lives.server import Server
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.ports import HostAgent

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing:
    """What became of a disagreement: mended, or why not."""

    disagreement: Disagreement
    mended: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A job under way on a server, or one that waits to go on."""

    server_id: UUID
    host: str | None
    intent: Intent

    @property
    def line(self) -> str:
        """One line for people."""
        began = self.intent.began.isoformat(timespec="seconds")
        where = f"{self.host}: " if self.host else ""
        return f"{where}server {self.server_id}: {self.intent.line}, since {began}"


@dataclass(frozen=True, slots=True)
class AuditBook:
    """What the API may do about the records' agreement."""

    conductor: Conductor

    def audit(self) -> tuple[Disagreement, ...]:
        """Return every disagreement of every host, by host.

        A host that does not answer is one: unknown is not agreed. Placement that is
        away raises UnavailableError.
        """
        found: list[Disagreement] = []
        for name in sorted(self.conductor.agents):
            found += self.of_host(name)
        return (*found, *self._of_unknown_hosts())

    def _of_unknown_hosts(self) -> Iterator[Disagreement]:
        servers = self.conductor.servers.list(ServerQuery())
        hosts = Counter(server.host for server in servers if server.host)
        for name in sorted(hosts.keys() - self.conductor.agents.keys()):
            yield Disagreement(
                host=name,
                kind=DisagreementKind.HOST_UNKNOWN,
                what=f"{hosts[name]} servers are on it, and it is not configured",
            )

    def unfinished(self) -> tuple[Unfinished, ...]:
        """Return the jobs that are not at their end, the oldest first."""
        jobs = [
            Unfinished(server_id=server.id, host=server.host, intent=server.intent)
            for server in self.conductor.servers.list(ServerQuery())
            if server.intent is not None
        ]
        return tuple(sorted(jobs, key=lambda job: job.intent.began))

    def of_host(self, name: str) -> tuple[Disagreement, ...]:
        """Return the disagreements of one host."""
        agent = self.conductor.agents[name]
        try:
            records = collect(self.conductor, agent)
        except _SilentHostError as silent:
            what = f"it does not answer, so nothing is known of it: {silent}"
            kind = DisagreementKind.HOST_AWAY
            return (Disagreement(host=name, kind=kind, what=what),)
        return disagreements(records)

    def heal(self, *, dry_run: bool = False) -> tuple[Healing, ...]:
        """Make the safe repairs, each looked at again under its server's lock.

        What is reported only, and everything in a dry run, comes back unmended.
        """
        return tuple(
            Healing(disagreement=one)
            if dry_run or one.repair is Repair.NONE
            else self._heal(one)
            for one in self.audit()
        )

    def _heal(self, one: Disagreement) -> Healing:
        try:
            with ExitStack() as held:
                if one.consumer is not None:
                    held.enter_context(self.conductor.locks.of(one.consumer))
                if one in self.of_host(one.host):
                    _repair(self.conductor, one)
                    LOG.info("Healed: %s", one.line)
        except SundogError as error:
            return Healing(disagreement=one, problem=str(error))
        return Healing(disagreement=one, mended=True)


class _SilentHostError(SundogError):
    """A host did not answer."""


def collect(conductor: Conductor, agent: HostAgent) -> HostRecords:
    """Read all records of one host.

    Servers are read before and after the rest: one that changed, or that a job
    works on, is moving.
    """
    before = _servers(conductor)
    try:
        snapshot, guests = agent.report(), agent.guest_devices()
    except SundogError as silent:
        raise _SilentHostError(str(silent)) from silent
    claims = {claim.consumer: claim for claim in conductor.claims.of_host(agent.name)}
    allocations = conductor.ledger.held(snapshot.uuid)
    providers = conductor.ledger.providers(snapshot.uuid)
    moves = conductor.migrations.list(MigrationQuery(is_over=False))
    after = _servers(conductor)
    moving = {
        key
        for key, server in after.items()
        if server.is_busy or server.intent or before.get(key) != server
    }
    return HostRecords(
        snapshot=snapshot,
        guests=guests,
        claims=claims,
        allocations=allocations,
        providers=providers,
        servers={
            key: ServerWord(phase=server.phase, host=server.host)
            for key, server in after.items()
        },
        mdev_names=_mdev_names(conductor, after.values()) if snapshot.mdevs else {},
        moves={one.id: one.server_id for one in moves},
        moving=frozenset(moving | {m.id for m in moves if m.server_id in moving}),
    )


def _servers(conductor: Conductor) -> Mapping[UUID, Server]:
    every = conductor.servers.list(ServerQuery(deleted=None))
    return {server.id: server for server in every}


def _mdev_names(
    conductor: Conductor, servers: Iterable[Server]
) -> dict[UUID, tuple[UUID, str]]:
    names: dict[UUID, tuple[UUID, str]] = {}
    for server in servers:
        try:
            request = all_requests(server, conductor.aliases)
        except SundogError:
            # Its alias is gone: what it made is not known as ours, and left alone.
            continue
        names |= mdev_names(server.id, request)
    return names


def _repair(conductor: Conductor, one: Disagreement) -> None:
    if one.repair is Repair.REPORT:
        conductor.reports.tell_again(conductor.agents[one.host].report())
    elif one.consumer is None:
        raise HostRefusedError(f"nothing says whom {one.kind.value} is about")
    elif one.repair is Repair.GIVE_BACK:
        claim = conductor.claims.get(one.consumer)
        if claim is not None:
            give_back(conductor, claim)
    elif one.repair is Repair.RELEASE:
        conductor.ledger.release(one.consumer)
    elif one.repair is Repair.WRITE:
        _write_allocation(conductor, one.consumer)
    elif one.repair is Repair.PLUG:
        _plug_in(conductor, one.consumer, one.slot)
    elif one.mdev is not None:
        parent = one.mdev.parent
        share = DeviceShare(
            slot=one.slot,
            alias="",
            kind=DeviceKind.MDEV,
            address=parent,
            card=parent,
            resource_class="",
            cost=0,
            type_id=one.mdev.type_id,
        )
        left = Assignment(host=one.host, devices=(share,))
        conductor.reports.take(conductor.agents[one.host].remove(one.consumer, left))


def _plug_in(conductor: Conductor, consumer: UUID, slot: str) -> None:
    """Give a running guest a device again that it lost; the claim has it all along."""
    hold = hold_of(conductor, conductor.servers.get(consumer))
    devices = tuple(
        replace(share, plug=PlugState.ATTACHING) if share.slot == slot else share
        for share in hold.claim.assignment.devices
    )
    assignment = replace(hold.claim.assignment, devices=devices)
    snapshot = hold.agent.attach(replace(hold.order, assignment=assignment))
    conductor.reports.take(snapshot)


def _write_allocation(conductor: Conductor, consumer: UUID) -> None:
    claim = conductor.claims.get(consumer)
    if claim is None:
        raise HostRefusedError(f"server {consumer} claims nothing any more")
    host = claim.assignment.host
    state = conductor.fleet.state(host)
    if state is None:
        raise HostRefusedError(f"the claim's host {host} is not known")
    moves = conductor.migrations.list(MigrationQuery(is_over=False))
    of_server = {one.id: one.server_id for one in moves}
    server = conductor.servers.get(of_server.get(consumer, consumer))
    allocation = allocation_of(claim.assignment, state.snapshot)
    owner = Owner(project_id=server.project_id, user_id=server.user_id)
    conductor.ledger.rewrite(consumer, allocation, owner)
