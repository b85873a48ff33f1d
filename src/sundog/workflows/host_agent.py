"""A host's agent: the last judge, and the one who acts on devices and guests."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Final

from sundog.core.choosing.choose_host import check
from sundog.core.devices.health import used_once, withhold
from sundog.core.errors import HostRefusedError, SundogError
from sundog.core.guards.in_guests import in_guests
from sundog.core.guards.switches import switches
from sundog.core.guest_config import config_device, guest_config
from sundog.core.hosts.guest_part import HostShare, guest_part
from sundog.core.hosts.host_snapshot import Holding, HostState
from sundog.core.hosts.whitelist import HostPolicy, offer
from sundog.core.lives.claim import ClaimState
from sundog.core.lives.guest import GuestState
from sundog.core.lives.plug import PlugState
from sundog.workflows.devices.cards import CardMemory, NoMemory
from sundog.workflows.devices.health import HealthNotes, NoNotes
from sundog.workflows.devices.vf_orders import VfOrders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment, DeviceShare
    from sundog.core.devices.device import Source
    from sundog.core.devices.device_spec import DeviceSpec
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.hosts.host_snapshot import HostFacts, HostSnapshot
    from sundog.core.lives.figures import GuestFigures
    from sundog.workflows.devices.ports import (
        Consoles,
        DeviceBench,
        Guests,
        HostReader,
    )
    from sundog.workflows.moves.ports import Crossing
    from sundog.workflows.ports import BootOrder, ClaimStore

_KEPT: Final = "the guest has not let go of it"
_HAS_DEVICES: Final = frozenset({GuestState.RUNNING, GuestState.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTools:
    """The edges of one host, and what is noted of its devices and cards."""

    reader: HostReader
    bench: DeviceBench
    guests: Guests
    consoles: Consoles
    health: HealthNotes = field(default_factory=NoNotes)
    cards: CardMemory = field(default_factory=NoMemory)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRules:
    """What the operator says about a host."""

    specs: Sequence[DeviceSpec] = ()
    policy: HostPolicy = field(default_factory=HostPolicy)
    share: HostShare = field(default_factory=HostShare)


class LocalHost:
    """The agent of the host ``name`` (port ``HostAgent``).

    One lock for the host: what it checks stays true until it has acted.
    """

    def __init__(
        self,
        name: str,
        tools: HostTools,
        claims: ClaimStore,
        rules: HostRules,
        first_serial: int = 0,
    ) -> None:
        """Keep the tools; nothing is read or written yet.

        ``first_serial`` is above those of the agent's earlier lives.
        """
        self._name = name
        self._tools = tools
        self._claims = claims
        self._rules = rules
        self._lock = Lock()
        self._serials = itertools.count(first_serial)
        self._vf_orders = VfOrders()
        # The devices to be cleaned after each use, as of the last judgement.
        self._once: Mapping[PciAddress, tuple[str, ...]] = {}

    @property
    def name(self) -> str:
        """The host's name."""
        return self._name

    def objections(self, rules: HostRules) -> tuple[str, ...]:
        """Return why rules cannot be taken now, for what servers hold."""
        with self._lock:
            facts = self._tools.reader.scan()
            return switches(facts, rules.specs, self._holdings())

    def follow(self, rules: HostRules) -> None:
        """Take other rules; the next report enables the VFs that they ask for."""
        with self._lock:
            self._rules = rules
            self._vf_orders.forget()

    def report(self) -> HostSnapshot:
        """Scan the host and return its snapshot; enable VFs that rules ask for."""
        with self._lock:
            return self._complete_snapshot()

    def running(self) -> frozenset[UUID]:
        """Return the consumers whose guests run."""
        return self._tools.guests.running()

    def guest_devices(self) -> Mapping[UUID, frozenset[Source]]:
        """Return what each running guest has now."""
        return self._tools.guests.devices()

    def boot(self, order: BootOrder) -> HostSnapshot:
        """Check the assignment on the devices as they are, then act on it."""
        consumer = order.server.id
        with self._lock, ExitStack() as undo:
            holdings = self._holdings()
            snapshot = self._judge(consumer, order.assignment, holdings)
            if consumer in self._tools.guests.running():
                return snapshot
            for share in order.assignment.standing:
                undo.callback(self._tools.bench.free, consumer, share)
                self._prepare(consumer, share)
            undo.callback(self._tools.guests.stop, consumer)
            self._tools.guests.start(
                guest_config(
                    order.server, order.assignment, snapshot.cells, order.guest_cells
                )
            )
            after = self._snapshot(
                [*holdings, Holding(consumer=consumer, assignment=order.assignment)]
            )
            undo.pop_all()
            return after

    def prepare(self, order: BootOrder) -> None:
        """Check what a server holds on the devices as they are, and make it ready."""
        with self._lock:
            self._ready(order)

    def bring(
        self, order: BootOrder, state: GuestState, grace_seconds: float = 0.0
    ) -> HostSnapshot:
        """Bring a guest to a state, its devices ready.

        A guest that ends or stands still needs nothing of the host's other guests,
        so it is waited for outside the host's lock.
        """
        consumer, guests = order.server.id, self._tools.guests
        now = guests.state(consumer)
        match state:
            case GuestState.RUNNING:
                self._run(order, now)
            case GuestState.ABSENT:
                guests.stop(consumer)
            case GuestState.OFF if now is GuestState.ABSENT:
                pass
            case GuestState.OFF:
                guests.power_off(consumer, grace_seconds)
            case _ if now is state:
                pass
            case _ if now is not GuestState.RUNNING:
                raise HostRefusedError(
                    f"Host {self._name} refused: the guest is {now.value}, not running"
                )
            case GuestState.PAUSED:
                guests.pause(consumer)
            case _:
                guests.save(consumer)
        return self.report()

    def _run(self, order: BootOrder, now: GuestState) -> None:
        consumer, guests = order.server.id, self._tools.guests
        if now is GuestState.PAUSED:
            guests.unpause(consumer)
        elif now is not GuestState.RUNNING:
            with self._lock:
                snapshot = self._ready(order)
                if now is GuestState.SAVED:
                    guests.restore(consumer)
                    return
                guests.start(
                    guest_config(
                        order.server,
                        order.assignment,
                        snapshot.cells,
                        order.guest_cells,
                    )
                )

    def _ready(self, order: BootOrder) -> HostSnapshot:
        consumer = order.server.id
        assignment = replace(order.assignment, devices=order.assignment.standing)
        snapshot = self._judge(consumer, assignment, self._holdings())
        for share in assignment.devices:
            self._prepare(consumer, share)
        return snapshot

    def _prepare(self, consumer: UUID, share: DeviceShare) -> None:
        """Make a device ready, and note how that went."""
        health = self._tools.health
        if share.address in self._once:
            # Before its first use: whatever happens then, it is not as new any more.
            health.used(self._name, share.address, consumer)
        try:
            self._tools.bench.make_ready(consumer, share)
        except HostRefusedError as refused:
            if not self._learns():
                health.failed(self._name, share.address, str(refused))
            raise
        health.prepared(self._name, share.address)

    def attach(self, order: BootOrder) -> HostSnapshot:
        """Make the devices ready that are ATTACHING, and plug them into the guest."""
        consumer = order.server.id
        new = [s for s in order.assignment.devices if s.plug is PlugState.ATTACHING]
        held_back = self._tools.health.reasons(self._name, consumer)
        for share in new:
            if share.address in held_back:
                why = held_back[share.address]
                raise HostRefusedError(f"Host {self._name} refused: {why}")
        with self._lock:
            self._ready(order)
            if self._tools.guests.state(consumer) in _HAS_DEVICES:
                devices = [config_device(consumer, share) for share in new]
                self._tools.guests.attach(consumer, devices)
            return self._snapshot(self._holdings())

    def detach(
        self, order: BootOrder, patience: float
    ) -> tuple[Mapping[str, str], HostSnapshot]:
        """Take the devices out of the guest that are DETACHING, and give them back.

        The guest is waited for outside the host's lock.
        """
        consumer, guests = order.server.id, self._tools.guests
        old = [s for s in order.assignment.devices if s.plug is PlugState.DETACHING]
        gone = frozenset(share.slot for share in old)
        if guests.state(consumer) is not GuestState.ABSENT:
            devices = [config_device(consumer, share) for share in old]
            gone = guests.detach(consumer, devices, patience)
        left = {share.slot: _KEPT for share in old if share.slot not in gone}
        with self._lock:
            for share in old:
                if share.slot in gone:
                    try:
                        self._tools.bench.free(consumer, share)
                    except HostRefusedError as refused:
                        left[share.slot] = str(refused)
            return left, self._snapshot(self._holdings())

    def _learns(self) -> bool:
        """Look at what a refusal left: a card may show now that it mixes no types."""
        try:
            return self._tools.cards.learn(self._tools.reader.scan())
        except SundogError:
            return False

    def remove(self, consumer: UUID, assignment: Assignment) -> HostSnapshot:
        """Stop the guest, then give its devices back."""
        with self._lock:
            self._tools.guests.stop(consumer)
            for share in reversed(assignment.devices):
                self._tools.bench.free(consumer, share)
            others = [held for held in self._holdings() if held.consumer != consumer]
            return self._complete_snapshot(others)

    def console(self, consumer: UUID) -> str | None:
        """Return what a guest said on its console, None where it has none."""
        return self._tools.consoles.console(consumer)

    def figures(self, consumer: UUID) -> GuestFigures | None:
        """Return what a guest takes of the host, None while it does not run."""
        if consumer not in self._tools.guests.running():
            return None
        return self._tools.guests.figures(consumer)

    def free(self, consumer: UUID, devices: Sequence[DeviceShare]) -> HostSnapshot:
        """Give some devices of a guest that is off back."""
        with self._lock:
            for share in reversed(devices):
                self._tools.bench.free(consumer, share)
            return self._complete_snapshot()

    def send(self, order: BootOrder, dest: HostSnapshot, crossing: Crossing) -> None:
        """Send a running guest to another host; it takes its time without the lock."""
        config = guest_config(
            order.server, order.assignment, dest.cells, order.guest_cells
        )
        self._tools.guests.send(config, dest.name, crossing)

    def _judge(
        self, consumer: UUID, assignment: Assignment, holdings: Sequence[Holding]
    ) -> HostSnapshot:
        others = tuple(held for held in holdings if held.consumer != consumer)
        # What is held back is not offered anew; whose it is may start on it again.
        claim = self._claims.get(consumer)
        is_its = claim is not None and claim.state is ClaimState.ALLOCATED
        reasons = self._tools.health.reasons(self._name, consumer)
        snapshot = self._snapshot(others, {} if is_its else reasons, known=holdings)
        self._once = used_once(snapshot)
        state = HostState(snapshot=snapshot, holdings=others)
        # Before that nothing on its devices is its doing, whatever it looks like.
        reason = check(assignment, state, consumer if is_its else None)
        if reason:
            raise HostRefusedError(f"Host {self._name} refused: {reason}")
        return snapshot

    def _complete_snapshot(
        self, holdings: Sequence[Holding] | None = None
    ) -> HostSnapshot:
        """Scan, and again where VFs were missing that could be ordered.

        A PF may have been given back, or its driver loaded, since the last scan.
        """
        holdings = self._holdings() if holdings is None else holdings
        held = {s.address for h in holdings for s in h.assignment.devices}
        facts, specs = self._tools.reader.scan(), self._rules.specs
        ordered = self._vf_orders.give(facts, specs, held, self._tools.bench)
        return self._snapshot(holdings, facts=None if ordered else facts)

    def _holdings(self) -> list[Holding]:
        return [claim.holding for claim in self._claims.of_host(self._name)]

    def _snapshot(
        self,
        holdings: Sequence[Holding],
        reasons: Mapping[PciAddress, str] | None = None,
        *,
        facts: HostFacts | None = None,
        known: Sequence[Holding] = (),
    ) -> HostSnapshot:
        """Scan, unless ``facts`` are of now.

        ``reasons`` are why devices are not offered, by default as noted. What guests
        have by what is ``known``, by default the holdings, is theirs.
        """
        serial = next(self._serials)
        facts = self._tools.cards.complete(facts or self._tools.reader.scan())
        facts = guest_part(facts, self._rules.share)
        facts = replace(facts, problems=(*facts.problems, *self._vf_orders.problems))
        snapshot = offer(facts, self._rules.specs, self._rules.policy, holdings)
        if reasons is None:
            reasons = self._tools.health.reasons(self._name)
        holders = self._tools.guests.holders()
        taken = in_guests(facts.functions, holders, known or holdings)
        return replace(withhold(snapshot, {**reasons, **taken}), serial=serial)
