"""Fault scenarios of what is told wrongly, late, or not at all."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests.drills.fuse import Fuse
from tests.drills.parts import SLICE, Machine, Process
from tests.stories.service import open_service

from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import UnavailableError
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.edges.libvirt.live.lasting_connection import LastingConnection
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.host_model import Fault, FaultKind
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host
from sundog.edges.storage.database import open_engine, writing

T4 = PciAddress.parse("0000:17:00.0")
LIBVIRT = {"LibvirtGuests", "SimulatedKernel"}


def phases(process: Process, count: int) -> list[Phase]:
    """Boot servers of a slice each; the T4 makes four."""
    return [process.boot(uuid4(), SLICE) for _ in range(count)]


@pytest.mark.drill("F28")
def test_f28_fewer_are_told_than_there_are(tmp_path: Path) -> None:
    """The kernel's word wins: what it says it cannot make is not tried."""
    machine = Machine.boot(tmp_path)
    with Process(tmp_path, machine) as process:
        process.start()
        machine.kernel.ask_fault(Fault(kind=FaultKind.SAYS_NONE, card=T4))
        process.heartbeat.beat()
        assert phases(process, 1) == [Phase.ERROR]
        assert machine.kernel.mdevs() == ()
        machine.kernel.clear_faults()
        process.heartbeat.beat()
        assert phases(process, 1) == [Phase.ACTIVE]
        assert process.disagreements() == []


@pytest.mark.drill("F28")
def test_f28_more_are_told_than_there_are(tmp_path: Path) -> None:
    """It is refused when it is made, and nothing of it is left."""
    machine = Machine.boot(tmp_path)
    with Process(tmp_path, machine) as process:
        process.start()
        machine.kernel.ask_fault(Fault(kind=FaultKind.SAYS_ROOM, card=T4))
        process.heartbeat.beat()
        assert phases(process, 5) == [Phase.ACTIVE] * 4 + [Phase.ERROR]
        assert len(machine.kernel.mdevs()) == 4
        assert process.disagreements() == []


@pytest.mark.drill("F29")
def test_f29_libvirt_goes_away_and_comes_back(tmp_path: Path) -> None:
    """Its host is down, keeps inventory and servers, and is taken up again."""
    fuse, one, other = Fuse(), uuid4(), uuid4()
    with Process(tmp_path, Machine.boot(tmp_path), fuse) as process:
        process.start()
        assert process.boot(one, SLICE) is Phase.ACTIVE
        root = process.agent.report().uuid
        before = process.conductor.ledger.providers(root)
        fuse.away = {*LIBVIRT}
        process.heartbeat.beat()
        assert [view.up for view in process.hosts.hosts()] == [False]
        assert process.conductor.ledger.providers(root) == before
        assert process.boot(other, SLICE) is Phase.ERROR
        assert process.act(one, ServerEvent.POWER_OFF) is Phase.POWERING_OFF
        [line] = [found for found in process.disagreements() if "answer" in found]
        assert "nothing is known of it" in line
        # The action is undone; the guest follows when it can be told to.
        process.heartbeat.beat()
        assert process.phase(one) is Phase.ACTIVE
        assert process.conductor.waiting.reasons.keys() == {one}
        fuse.away = set()
        process.heartbeat.beat()
        assert [view.up for view in process.hosts.hosts()] == [True]
        assert process.phase(one) is Phase.ACTIVE
        assert process.disagreements() == []
        assert process.boot(uuid4(), SLICE) is Phase.ACTIVE


@pytest.mark.drill("F29")
def test_f29_libvirt_is_away_when_the_service_starts(tmp_path: Path) -> None:
    """The service starts; its servers are what they were, and go on when it comes."""
    one, machine = uuid4(), Machine.boot(tmp_path)
    with Process(tmp_path, machine) as process:
        process.start()
        assert process.boot(one, SLICE) is Phase.ACTIVE
    fuse = Fuse(away={*LIBVIRT})
    with Process(tmp_path, machine, fuse) as process:
        process.start()
        assert process.phase(one) is Phase.ACTIVE
        fuse.away = set()
        process.heartbeat.beat()
        assert process.phase(one) is Phase.ACTIVE
        assert process.disagreements() == []
        assert process.delete(one) is Phase.DELETED
        assert process.left() == []


@pytest.mark.drill("F29")
def test_f29_libvirt_was_never_there(tmp_path: Path) -> None:
    """The host is told with libvirt's word, and taken up once its libvirt is there."""
    kernel = SimulatedKernel(read_host_file(shipped_host("small")))
    uri = write_test_host(kernel, tmp_path)
    file = Path(uri.removeprefix("test://"))
    away, lasting = file.rename(tmp_path / "away.xml"), LastingConnection(uri)
    machine = replace(Machine.of(kernel, lasting), versions=lasting.versions)
    with Process(tmp_path, machine) as process:
        process.start()
        unseen = process.conductor.fleet.unseen
        assert "failed to parse xml document" in unseen["small"]
        [line] = process.disagreements()[:1]
        assert "small: it does not answer, so nothing is known of it" in line
        early, late = uuid4(), uuid4()
        assert process.boot(early, SLICE) is Phase.ERROR
        fault = process.store.servers.get(early).fault
        assert fault is not None
        assert "1 host does not answer. To help: see to the host's libvirt." in (
            fault.message
        )
        process.heartbeat.beat()
        assert process.hosts.hosts() == []
        away.rename(file)
        process.heartbeat.beat()
        assert [view.up for view in process.hosts.hosts()] == [True]
        assert process.conductor.fleet.unseen == {}
        assert process.boot(late, SLICE) is Phase.ACTIVE
        assert machine.guests.running() == {late}
        assert process.disagreements() == []


@pytest.mark.drill("F30")
def test_f30_the_list_of_node_devices_is_stale(tmp_path: Path) -> None:
    """Nothing is given twice by it; when it is true again all agrees."""
    first, machine = uuid4(), Machine.boot(tmp_path)
    with Process(tmp_path, machine) as process:
        process.start()
        assert process.boot(first, SLICE) is Phase.ACTIVE
        process.heartbeat.beat()
        machine.kernel.ask_fault(Fault(kind=FaultKind.STALE, card=T4))
        assert process.delete(first) is Phase.DELETED
        ended = phases(process, 6)
        running = len(machine.guests.running())
        assert ended.count(Phase.ACTIVE) == running == len(machine.kernel.mdevs()) <= 4
        machine.kernel.clear_faults()
        process.heartbeat.beat()
        assert process.disagreements() == []
        phases(process, 4)
        assert len(machine.kernel.mdevs()) == 4
        assert process.disagreements() == []


@pytest.mark.drill("F49")
@pytest.mark.parametrize("days", [-400, 400])
def test_f49_the_clock_jumps(tmp_path: Path, days: int) -> None:
    """Servers live and die as ever; a host is up again with its next heartbeat."""
    jump = timedelta()

    def clock() -> datetime:
        return datetime.now(UTC) + jump

    one, machine = uuid4(), Machine.boot(tmp_path)
    with Process(tmp_path, machine, clock=clock) as process:
        process.start()
        assert process.boot(one) is Phase.ACTIVE
        jump = timedelta(days=days)
        process.heartbeat.beat()
        assert [view.up for view in process.hosts.hosts()] == [True]
        assert process.act(one, ServerEvent.POWER_OFF) is Phase.SHUTOFF
        assert process.act(one, ServerEvent.POWER_ON) is Phase.ACTIVE
        assert process.disagreements() == []
    with Process(tmp_path, machine, clock=clock) as process:
        jump = timedelta()
        process.start()
        assert process.phase(one) is Phase.ACTIVE
        assert process.delete(one) is Phase.DELETED
        assert process.left() == []


@pytest.mark.drill("F18")
@pytest.mark.parametrize("how", ["cut short", "of a newer version"])
def test_f18_a_record_that_cannot_be_read_is_not_guessed_at(
    tmp_path: Path, how: str
) -> None:
    """The start names it and does nothing; mended, it is what it was."""
    one, machine = uuid4(), Machine.boot(tmp_path)
    with Process(tmp_path, machine) as process:
        process.start()
        assert process.boot(one, SLICE) is Phase.ACTIVE

    def rewrite(document: str) -> str:
        engine = open_engine(f"sqlite:///{tmp_path}/sundog.db")
        with writing(engine) as connection:
            old = connection.exec_driver_sql("SELECT document FROM servers").scalar()
            new = document.replace("OLD", str(old)[:-1])
            connection.exec_driver_sql("UPDATE servers SET document = ?", (new,))
        engine.dispose()
        return str(old)

    kept = rewrite("OLD" if how == "cut short" else 'OLD, "colour": "red"}')
    with Process(tmp_path, machine) as process:
        with pytest.raises(UnavailableError, match=f"server {one} cannot be read"):
            process.start()
        assert machine.guests.running() == {one}
    assert json.loads(kept)["id"] == str(one)
    rewrite(kept)
    with Process(tmp_path, machine) as process:
        process.start()
        assert process.phase(one) is Phase.ACTIVE
        assert process.disagreements() == []


@pytest.mark.drill("F47")
def test_f47_eight_requests_of_eight_devices_are_bounded(tmp_path: Path) -> None:
    """What fits is found, what cannot fit is refused, in little memory."""
    rules = ['{"vendor_id": "8086", "product_id": "154c"}']
    alias = {"device_type": "type-VF", "product_id": "154c"}
    names = [f"vf{number}" for number in range(8)]
    aliases = [json.dumps({"name": name, **alias}) for name in names]
    service = open_service(tmp_path, ["a=two-socket-8-cards"], rules, aliases)
    with service.embedded:
        most = ",".join(f"{name}:8" for name in names)
        service.flavor("most", {"pci_passthrough:alias": most})
        near = {"hw:pci_numa_affinity_policy": "required", "hw:numa_nodes": "2"}
        service.flavor("near", {"pci_passthrough:alias": most, **near}, vcpus=2)
        tracemalloc.start()
        try:
            ids = service.create("most") + service.create("near")
            states = {server["id"]: server["status"] for server in service.wait()}
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert states[str(ids[0])] == "ACTIVE"
        assert peak < 64 << 20
        service.check_agreement()
