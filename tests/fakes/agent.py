"""An agent whose host is a value: it keeps guests in memory and refuses on demand."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from sundog.core.choosing.assignment import Assignment, mdev_uuid
from sundog.core.choosing.choose_host import check
from sundog.core.devices.device import Mdev
from sundog.core.errors import HostRefusedError, UnavailableError
from sundog.core.hosts.host_snapshot import Holding, HostSnapshot, HostState
from sundog.core.lives.figures import GuestFigures
from sundog.core.lives.guest import GuestState

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sundog.workflows.ports import BootOrder


class FakeAgent:
    """The port ``HostAgent`` in memory."""

    def __init__(self, snapshot: HostSnapshot) -> None:
        self._snapshot = snapshot
        self._lock = Lock()
        self.guests: dict[UUID, Assignment] = {}
        self.states: dict[UUID, GuestState] = {}
        self.prepare_errors: list[Exception | None] = []
        self.bring_errors: list[Exception | None] = []
        self.refusals: list[str] = []
        self.removal_errors: list[Exception] = []
        self.away = False
        self.on_boot: Callable[[], None] | None = None

    @property
    def name(self) -> str:
        return self._snapshot.name

    def start(self) -> HostSnapshot:
        return self.report()

    def report(self) -> HostSnapshot:
        if self.away:
            raise UnavailableError(f"libvirt of {self.name} does not answer")
        with self._lock:
            self._snapshot = replace(self._snapshot, serial=self._snapshot.serial + 1)
            return self._snapshot

    def running(self) -> frozenset[UUID]:
        with self._lock:
            runs = {GuestState.RUNNING, GuestState.PAUSED}
            return frozenset(
                consumer
                for consumer in self.guests
                if self.states.get(consumer, GuestState.RUNNING) in runs
            )

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
            if consumer not in self.guests:
                self.guests[consumer] = order.assignment
                self.states[consumer] = GuestState.RUNNING
                self._change_mdevs(consumer, order.assignment, made=True)
        return self.report()

    def prepare(self, order: BootOrder) -> None:
        with self._lock:
            error = self.prepare_errors.pop(0) if self.prepare_errors else None
            if error is not None:
                raise error
            if order.server.id not in self.guests:
                self.guests[order.server.id] = order.assignment
                self.states[order.server.id] = GuestState.ABSENT
                self._change_mdevs(order.server.id, order.assignment, made=True)

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
            if consumer not in self.guests and state is GuestState.RUNNING:
                self.guests[consumer] = order.assignment
                self._change_mdevs(consumer, order.assignment, made=True)
            if (now, state) != (GuestState.ABSENT, GuestState.OFF):
                self.states[consumer] = state
        return self.report()

    def console(self, consumer: UUID) -> str | None:
        return "one\ntwo\x07\nthree\n" if consumer in self.guests else None

    def figures(self, consumer: UUID) -> GuestFigures | None:
        if consumer not in self.running():
            return None
        return GuestFigures(hypervisor="fake", cpu_ns=(7,), memory_kb=65536)

    def remove(self, consumer: UUID, assignment: Assignment) -> HostSnapshot:
        with self._lock:
            if self.removal_errors:
                raise self.removal_errors.pop(0)
            self.states.pop(consumer, None)
            if self.guests.pop(consumer, None) is not None:
                self._change_mdevs(consumer, assignment, made=False)
        return self.report()

    def _change_mdevs(
        self, consumer: UUID, assignment: Assignment, *, made: bool
    ) -> None:
        """Do as a card does whose types do not share: one fewer, or one more."""
        for share in assignment.devices:
            if not share.is_made:
                continue
            uuid = mdev_uuid(consumer, share.slot)
            mdev = Mdev(uuid=uuid, type_id=share.type_id, parent=share.address)
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
