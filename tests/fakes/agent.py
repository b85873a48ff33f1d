"""An agent whose host is a value: it keeps guests in memory and refuses on demand."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from sundog.core.choosing.assignment import mdev_uuid, source_of
from sundog.core.choosing.choose_host import check
from sundog.core.devices.device import Mdev
from sundog.core.errors import CancelledError, HostRefusedError, UnavailableError
from sundog.core.hosts.host_snapshot import Holding, HostSnapshot, HostState
from sundog.core.lives.figures import GuestFigures
from sundog.core.lives.guest import GuestState
from sundog.core.lives.plug import PlugState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment, DeviceShare
    from sundog.core.devices.device import Source
    from sundog.workflows.moves.ports import Crossing
    from sundog.workflows.ports import BootOrder


class FakeAgent:
    """The port ``HostAgent`` in memory.

    ``guests`` are those that were prepared or booted here, with what each has;
    ``started`` is what each was last started as.
    """

    def __init__(self, snapshot: HostSnapshot) -> None:
        self._snapshot = snapshot
        self._lock = Lock()
        self.guests: dict[UUID, Assignment] = {}
        self.states: dict[UUID, GuestState] = {}
        self.started: dict[UUID, BootOrder] = {}
        self.prepare_errors: list[Exception | None] = []
        self.bring_errors: list[Exception | None] = []
        self.refusals: list[str] = []
        self.plug_errors: list[Exception] = []
        self.unplug_errors: list[Exception] = []
        self.keeps: set[str] = set()
        self.removal_errors: list[Exception] = []
        self.away = False
        self.free_errors: list[Exception] = []
        self.send_errors: list[Exception] = []
        self.on_boot: Callable[[], None] | None = None
        self.on_send: Callable[[], None] | None = None
        self.peers: dict[str, FakeAgent] = {}

    @property
    def name(self) -> str:
        return self._snapshot.name

    def report(self) -> HostSnapshot:
        if self.away:
            raise UnavailableError(f"libvirt of {self.name} does not answer")
        with self._lock:
            self._snapshot = replace(self._snapshot, serial=self._snapshot.serial + 1)
            return self._snapshot

    def running(self) -> frozenset[UUID]:
        with self._lock:
            runs = {GuestState.RUNNING, GuestState.PAUSED}
            return frozenset(one for one in self.guests if self.states.get(one) in runs)

    def guest_devices(self) -> Mapping[UUID, frozenset[Source]]:
        return {
            one: frozenset(source_of(one, share) for share in self.guests[one].devices)
            for one in self.running()
        }

    def boot(self, order: BootOrder) -> HostSnapshot:
        consumer = order.server.id
        if self.on_boot is not None:
            self.on_boot()
        with self._lock:
            held = tuple(
                Holding(consumer=other, assignment=assignment)
                for other, assignment in self.guests.items()
                if other != consumer
            )
            state = HostState(snapshot=self._snapshot, holdings=held)
            reason = self.refusals.pop(0) if self.refusals else ""
            reason = reason or check(order.assignment, state)
            if reason:
                raise HostRefusedError(f"Host {self.name} refused: {reason}")
            self._have(consumer, order.assignment)
            self.states[consumer] = GuestState.RUNNING
            self.started[consumer] = order
        return self.report()

    def prepare(self, order: BootOrder) -> None:
        with self._lock:
            error = self.prepare_errors.pop(0) if self.prepare_errors else None
            if error is not None:
                raise error
            self._have(order.server.id, order.assignment)
            self.states.setdefault(order.server.id, GuestState.ABSENT)

    def bring(
        self, order: BootOrder, state: GuestState, grace_seconds: float = 0.0
    ) -> HostSnapshot:
        assert grace_seconds >= 0
        consumer = order.server.id
        with self._lock:
            error = self.bring_errors.pop(0) if self.bring_errors else None
            if error is not None:
                raise error
            now = self.states.get(consumer, GuestState.ABSENT)
            halts = state in (GuestState.PAUSED, GuestState.SAVED)
            if halts and now not in (state, GuestState.RUNNING):
                raise HostRefusedError(f"the guest is {now.value}, not running")
            if state is GuestState.RUNNING:
                self._have(consumer, order.assignment)
                if now in (GuestState.OFF, GuestState.ABSENT):
                    self.started[consumer] = order
            if (now, state) != (GuestState.ABSENT, GuestState.OFF):
                self.states[consumer] = state
        return self.report()

    def console(self, consumer: UUID) -> str | None:
        return "one\ntwo\x07\nthree\n" if consumer in self.guests else None

    def figures(self, consumer: UUID) -> GuestFigures | None:
        if consumer not in self.running():
            return None
        return GuestFigures(hypervisor="fake", cpu_ns=(7,), memory_kb=65536)

    def attach(self, order: BootOrder) -> HostSnapshot:
        with self._lock:
            if self.plug_errors:
                raise self.plug_errors.pop(0)
            self._plug(order, PlugState.ATTACHING, made=True)
        return self.report()

    def detach(
        self, order: BootOrder, patience: float
    ) -> tuple[Mapping[str, str], HostSnapshot]:
        assert patience >= 0
        with self._lock:
            if self.unplug_errors:
                raise self.unplug_errors.pop(0)
            self._plug(order, PlugState.DETACHING, made=False)
            leaving = {s.slot for s in order.assignment.restless}
        left = dict.fromkeys(leaving & self.keeps, "the guest keeps it")
        return left, self.report()

    def _plug(self, order: BootOrder, state: PlugState, *, made: bool) -> None:
        for share in order.assignment.devices:
            if share.plug is state and share.slot not in self.keeps:
                self._change_mdev(order.server.id, share, made=made)
        self.guests[order.server.id] = order.assignment

    def remove(self, consumer: UUID, assignment: Assignment) -> HostSnapshot:
        with self._lock:
            if self.removal_errors:
                raise self.removal_errors.pop(0)
            self.states.pop(consumer, None)
            self.guests.pop(consumer, None)
            for share in assignment.devices:
                self._change_mdev(consumer, share, made=False)
        return self.report()

    def free(self, consumer: UUID, devices: Sequence[DeviceShare]) -> HostSnapshot:
        with self._lock:
            if self.free_errors:
                raise self.free_errors.pop(0)
            assert self.states.get(consumer) is not GuestState.RUNNING
            for share in devices:
                self._change_mdev(consumer, share, made=False)
        return self.report()

    def send(self, order: BootOrder, dest: HostSnapshot, crossing: Crossing) -> None:
        consumer = order.server.id
        if self.on_send is not None:
            self.on_send()
        with self._lock:
            if self.send_errors:
                raise self.send_errors.pop(0)
            if crossing.abort.is_set():
                raise CancelledError("The migration was aborted.")
            peer = self.peers[dest.name]
            assert peer.guests[consumer] == order.assignment
            peer.states[consumer] = self.states.pop(consumer)
            del self.guests[consumer]

    def _have(self, consumer: UUID, assignment: Assignment) -> None:
        """Make what is not made yet; a device of another place is in the way."""
        for share in assignment.devices:
            self._change_mdev(consumer, share, made=True)
        self.guests[consumer] = assignment

    def _change_mdev(self, consumer: UUID, share: DeviceShare, *, made: bool) -> None:
        """Do as a card does whose types do not share: one fewer, or one more."""
        if not share.is_made:
            return
        uuid = mdev_uuid(consumer, share.slot)
        mdev = Mdev(uuid=uuid, type_id=share.type_id, parent=share.address)
        there = {one.uuid: one for one in self._snapshot.mdevs}
        if made and uuid in there and there[uuid] != mdev:
            raise HostRefusedError(f"the mdev {uuid} is there already")
        if (uuid in there) is made or (not made and there[uuid] != mdev):
            return
        others = tuple(one for one in self._snapshot.mdevs if one.uuid != uuid)
        step = -1 if made else 1
        self._snapshot = replace(
            self._snapshot,
            mdevs=(*others, mdev) if made else others,
            cards=tuple(
                replace(
                    card,
                    devices=tuple(
                        replace(device, available=device.available + step)
                        if (device.address, device.type_id)
                        == (share.address, share.type_id)
                        else device
                        for device in card.devices
                    ),
                )
                for card in self._snapshot.cards
            ),
        )
