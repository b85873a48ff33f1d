"""Fault scenarios of moves: what is left behind, and what never begins."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from tests.drills.fuse import Fuse
from tests.drills.parts import FLAVOR, Machine, Process

from sundog.core.errors import HostRefusedError
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.workflows.moves.ports import MigrationQuery

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID


def where(process: Process, server: UUID) -> str | None:
    return process.store.servers.get(server).host


@pytest.mark.drill("F13")
def test_f13_the_old_host_returns_and_drops_its_side(tmp_path: Path) -> None:
    """Evacuated while its host was down: there its guest and devices are given back."""
    one, here = uuid4(), Machine.boot(tmp_path)
    with Process(tmp_path, here, other=Machine.boot(tmp_path, "other")) as process:
        process.start()
        assert process.boot(one) is Phase.ACTIVE
        old = where(process, one)
        assert process.act(one, ServerEvent.EVACUATE) is Phase.ACTIVE
        assert where(process, one) not in (old, None)
        left = next(each for each in process.machines if each.name == old)
        assert left.guests.running() == {one}
        process.force_down(set())
        assert left.guests.running() == frozenset()
        assert left.kernel.mdevs() == ()
        assert process.disagreements() == []
        assert process.delete(one) is Phase.DELETED
        assert process.left() == []


@pytest.mark.drill("F39", "F45")
def test_f39_a_live_migration_ends_after_the_destination_was_reserved(
    tmp_path: Path,
) -> None:
    """Its devices there cannot be made: it goes on here, and nothing is left there."""
    struck: list[str] = []

    def mishap(step: str) -> None:
        if step.endswith(".create_mdev") and is_moving:
            struck.append(step)
            raise HostRefusedError("the destination fails")

    one, is_moving = uuid4(), False
    fuse = Fuse(mishap=mishap)
    other = Machine.boot(tmp_path, "other")
    with Process(tmp_path, Machine.boot(tmp_path), fuse, other=other) as process:
        process.start()
        assert process.boot(one) is Phase.ACTIVE
        old, is_moving = where(process, one), True
        process.act(one, ServerEvent.MIGRATE_LIVE)
        is_moving = False
        assert struck
        assert process.phase(one) is Phase.ACTIVE
        assert where(process, one) == old
        assert process.disagreements() == []
        assert process.delete(one) is Phase.DELETED
        assert process.left() == []


@pytest.mark.drill("F40")
def test_f40_a_destination_without_the_devices_is_refused(tmp_path: Path) -> None:
    """Another guest has the card there: nothing is begun, here all goes on."""
    one, two = uuid4(), uuid4()
    other = Machine.boot(tmp_path, "other")
    with Process(tmp_path, Machine.boot(tmp_path), other=other) as process:
        process.start()
        assert [process.boot(each) for each in (one, two)] == [Phase.ACTIVE] * 2
        before = where(process, one)
        assert before != where(process, two)
        assert process.act(one, ServerEvent.MIGRATE_LIVE) is Phase.ACTIVE
        assert where(process, one) == before
        [tried] = process.store.migrations.list(MigrationQuery(server_id=one))
        assert (tried.status, tried.new) == ("error", None)
        assert process.disagreements() == []


@pytest.mark.drill("F44")
@pytest.mark.parametrize("end", [ServerEvent.CONFIRM, ServerEvent.REVERT])
def test_f44_resize_between_device_flavors(tmp_path: Path, end: ServerEvent) -> None:
    """From a flavor of three devices to one of one, and back: nothing is left over."""
    one = uuid4()
    other = Machine.boot(tmp_path, "other")
    with Process(tmp_path, Machine.boot(tmp_path), other=other) as process:
        process.start()
        assert process.boot(one, FLAVOR) is Phase.ACTIVE
        assert process.act(one, ServerEvent.RESIZE) is Phase.RESIZED
        assert process.disagreements() == []
        assert process.act(one, end) is Phase.ACTIVE
        claim = process.store.claims.get(one)
        assert claim is not None
        expected = 1 if end is ServerEvent.CONFIRM else 3
        assert len(claim.assignment.devices) == expected
        assert process.disagreements() == []
        assert process.delete(one) is Phase.DELETED
        assert process.left() == []
