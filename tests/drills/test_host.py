"""Fault scenarios of a host: devices that fail, vanish, come back, or are others'."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from tests.drills.parts import SLICE, Machine, Process
from tests.stories.service import Service, open_service

from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import BadConfigurationError, UnavailableError
from sundog.core.lives.phases import Phase
from sundog.edges.simulation.host_model import Fault, FaultKind
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.storage.database import open_engine, writing
from sundog.edges.storage.state_lock import hold_state
from sundog.edges.storage.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

T4 = PciAddress.parse("0000:17:00.0")
RULES = (
    '{"product_id": "1eb8", "mdev_type": ["nvidia-232", "nvidia-233"]}',
    '{"product_id": "1db4"}',
)
ALIASES = (
    '{"name": "vGPU", "device_type": "type-MDEV", "mdev_type": "nvidia-232"}',
    '{"name": "half", "device_type": "type-MDEV", "mdev_type": "nvidia-233"}',
    '{"name": "v100", "product_id": "1db4"}',
)


@contextmanager
def running(folder: Path) -> Iterator[Service]:
    """Run a service over one small host: a T4 that is cut up, a whole V100."""
    service = open_service(folder, ["a=small"], RULES, ALIASES)
    with service.embedded:
        for name in ("vGPU", "half", "v100"):
            service.flavor(name, {"pci_passthrough:alias": f"{name}:1"})
        yield service


def ask_fault(service: Service, kind: FaultKind, **when: int) -> None:
    fault = Fault(kind=kind, card=T4, **when)
    service.embedded.simulated["a"].kernel.ask_fault(fault)


def outcome(service: Service, flavor: str) -> str:
    """Ask for a server; returns how it ended."""
    [one] = service.create(flavor)
    return next(
        str(server["status"]) for server in service.wait() if server["id"] == str(one)
    )


@pytest.mark.drill("F16")
def test_f16_a_host_that_was_rebooted_makes_devices_again(tmp_path: Path) -> None:
    """The same mdevs by name in other groups, and the guests run on them."""
    machine, server = Machine.boot(tmp_path), uuid4()
    with Process(tmp_path, machine) as process:
        process.start()
        assert process.boot(server) is Phase.ACTIVE
    before = machine.kernel.mdevs()
    after = Machine.boot(tmp_path)
    after.kernel.reboot()
    with Process(tmp_path, after) as process:
        process.start()
        made = after.kernel.mdevs()
        assert {each.uuid for each in made} == {each.uuid for each in before}
        assert {each.group for each in made}.isdisjoint(e.group for e in before)
        assert process.phase(server) is Phase.ACTIVE
        assert process.disagreements() == []


@pytest.mark.drill("F16")
def test_f16_what_cannot_be_made_again_is_told_and_held(tmp_path: Path) -> None:
    """The server is in ERROR with the reason, and nobody else gets its place."""
    machine, server = Machine.boot(tmp_path), uuid4()
    with Process(tmp_path, machine) as process:
        process.start()
        process.boot(server)
    after = Machine.boot(tmp_path)
    after.kernel.ask_fault(Fault(kind=FaultKind.CREATE_FAILS, card=T4))
    with Process(tmp_path, after) as process:
        process.start()
        record = process.store.servers.get(server)
        assert record.phase is Phase.ERROR
        assert record.fault is not None
        assert "Input/output error" in record.fault.message
        assert process.store.claims.get(server) is not None
        assert process.disagreements() == []
        after.kernel.clear_faults()
        assert process.delete(server) is Phase.DELETED
        assert process.left() == []


@pytest.mark.drill("F19")
def test_f19_a_second_agent_is_refused(tmp_path: Path) -> None:
    """One agent holds a host's state; the other is told who does."""
    with running(tmp_path), pytest.raises(BadConfigurationError, match="works there"):
        hold_state(tmp_path)


@pytest.mark.drill("F20")
def test_f20_garbage_is_never_read_as_free(tmp_path: Path) -> None:
    """The card that cannot be read is not offered; the other one is."""
    with running(tmp_path) as service:
        ask_fault(service, FaultKind.GARBAGE)
        service.embedded.beat()
        assert outcome(service, "vGPU") == "ERROR"
        assert outcome(service, "v100") == "ACTIVE"
        service.check_agreement()


@pytest.mark.drill("F21", "F37", "F38")
def test_f21_f37_f38_a_card_falls_off_the_bus_and_comes_back(tmp_path: Path) -> None:
    """Mid-scan or later: the others go on; repaired, it is offered again."""
    with running(tmp_path) as service:
        ask_fault(service, FaultKind.VANISHES, after_scans=1)
        service.embedded.beat()
        service.embedded.beat()
        assert outcome(service, "vGPU") == "ERROR"
        assert outcome(service, "v100") == "ACTIVE"
        service.check_agreement()
        service.embedded.simulated["a"].kernel.clear_faults()
        service.embedded.beat()
        assert outcome(service, "vGPU") == "ACTIVE"
        service.check_agreement()


@pytest.mark.drill("F37")
def test_f37_the_guest_of_a_lost_card_is_named(tmp_path: Path) -> None:
    """Its server is told to have lost its device; its claim stays held."""
    with running(tmp_path) as service:
        assert outcome(service, "vGPU") == "ACTIVE"
        ask_fault(service, FaultKind.VANISHES)
        service.embedded.beat()
        [told] = service.call("GET", "/v1/audit")["disagreements"]
        assert told["kind"] == "device-missing"
        assert str(T4) in told["line"]


@pytest.mark.drill("F22")
def test_f22_an_mdev_of_others_is_counted_and_left(tmp_path: Path) -> None:
    """It takes a place of four, is told, and outlives heal."""
    with running(tmp_path) as service:
        kernel, foreign = service.embedded.simulated["a"].kernel, uuid4()
        kernel.create_mdev(T4, "nvidia-232", foreign)
        service.embedded.beat()
        ids = service.create("vGPU", count=4)
        states = sorted(server["status"] for server in service.wait())
        assert states == ["ACTIVE"] * 3 + ["ERROR"]
        service.delete(ids)
        service.call("POST", "/v1/audit", {})
        assert [mdev.uuid for mdev in kernel.mdevs()] == [foreign]


@pytest.mark.drill("F24")
def test_f24_a_driver_that_is_slow_to_let_go_is_waited_for(tmp_path: Path) -> None:
    """Busy twice, then free: the delete ends well."""
    with running(tmp_path) as service:
        [one] = service.create("vGPU")
        service.wait()
        ask_fault(service, FaultKind.SLOW_RELEASE, times=2)
        service.delete([one])
        service.check_agreement()


@pytest.mark.drill("F24")
def test_f24_a_driver_that_never_lets_go_is_not_forced(tmp_path: Path) -> None:
    """The device stays its server's until the driver has let go of it."""
    machine, one = Machine.boot(tmp_path), uuid4()
    with Process(tmp_path, machine) as process:
        process.start()
        assert process.boot(one, SLICE) is Phase.ACTIVE
        machine.kernel.ask_fault(Fault(kind=FaultKind.SLOW_RELEASE, card=T4))
        assert process.delete(one) is Phase.ERROR
        fault = process.store.servers.get(one).fault
        assert fault is not None
        assert "cannot be removed: Device or resource busy" in fault.message
        assert len(machine.kernel.mdevs()) == 1
        assert process.store.claims.get(one) is not None
        assert process.disagreements() == []
    with Process(tmp_path, machine) as process:
        process.start()
        assert process.store.claims.get(one) is not None
        assert process.disagreements() == []
        machine.kernel.clear_faults()
        assert process.delete(one) is Phase.DELETED
        assert process.left() == []


def test_a_write_that_is_silently_lost_is_found(tmp_path: Path) -> None:
    """The kernel says yes and makes nothing: reading back finds it."""
    with running(tmp_path) as service:
        ask_fault(service, FaultKind.CREATE_IGNORED, times=1)
        assert outcome(service, "vGPU") == "ERROR"
        assert outcome(service, "vGPU") == "ACTIVE"
        service.check_agreement()


@pytest.mark.drill("F27")
def test_f27_the_first_mdev_decides_the_type_of_the_others(tmp_path: Path) -> None:
    """What no longer fits is refused with the reason, and fits when it is empty."""
    with running(tmp_path) as service:
        [one] = service.create("vGPU")
        service.wait()
        assert outcome(service, "half") == "ERROR"
        service.check_agreement()
        service.delete([one])
        assert outcome(service, "half") == "ACTIVE"
        service.check_agreement()


@pytest.mark.drill("F42")
def test_f42_a_stopped_server_keeps_its_place(tmp_path: Path) -> None:
    """Whoever waits for its device is refused; it starts again on its own."""
    with running(tmp_path) as service:
        [one] = service.create("v100")
        service.wait()
        service.act(one, "os-stop")
        service.wait()
        assert outcome(service, "v100") == "ERROR"
        service.act(one, "os-start")
        assert service.show(one)["status"] == "ACTIVE"
        service.check_agreement()


@pytest.mark.drill("F46")
def test_f46_a_host_of_many_vfs_is_read_once_a_report(tmp_path: Path) -> None:
    """256 VFs on a host, all offered: none of them is asked for by itself."""
    text = shipped_host("two-socket-8-cards").read_text(encoding="utf-8")
    many = tmp_path / "many.toml"
    many.write_text(text.replace("count = 32", "count = 128"), encoding="utf-8")
    rules = ['{"vendor_id": "8086", "product_id": "154c"}']
    service = open_service(tmp_path, [f"a={many}"], rules, ALIASES)
    with service.embedded:
        kernel, asked = service.embedded.simulated["a"].kernel, []
        every, one = kernel.node_devices, kernel.node_device

        def all_of_them() -> Sequence[str]:
            asked.append("all")
            return every()

        def by_itself(name: str) -> str | None:
            asked.append(name)
            return one(name)

        kernel.node_devices = all_of_them  # type: ignore[method-assign]  # it counts
        kernel.node_device = by_itself  # type: ignore[method-assign]  # same
        for _ in range(3):
            service.embedded.beat()
        assert service.embedded.books.audit.audit() == ()
        assert asked == ["all"] * 4
        rows = service.call("GET", "/v1/devices")["devices"]
        assert len(rows) == 256


@pytest.mark.drill("F50")
def test_f50_tables_are_upgraded_under_living_guests(tmp_path: Path) -> None:
    """What a Sundog of before wrote is taken up: guests run on, history is kept."""
    machine, one = Machine.boot(tmp_path), uuid4()
    with Process(tmp_path, machine) as process:
        process.start()
        assert process.boot(one, SLICE) is Phase.ACTIVE
        told = process.history.list(one)
    engine = open_engine(f"sqlite:///{tmp_path}/sundog.db")
    with writing(engine) as connection:
        for step in (
            "DROP INDEX ix_shelves_kind_is_over",
            "ALTER TABLE shelves DROP COLUMN is_over",
            "UPDATE alembic_version SET version_num = '0003'",
        ):
            connection.exec_driver_sql(step)
    engine.dispose()
    with Process(tmp_path, machine) as process:
        process.start()
        assert machine.guests.running() == {one}
        assert process.history.list(one) == told
        assert process.disagreements() == []
        assert process.delete(one) is Phase.DELETED
        assert process.left() == []


@pytest.mark.drill("F50")
def test_f50_a_newer_record_is_not_guessed_at(tmp_path: Path) -> None:
    """A service that was downgraded refuses the newer tables and names the way."""
    with Process(tmp_path, Machine.boot(tmp_path)) as process:
        process.start()
        assert process.boot(uuid4(), SLICE) is Phase.ACTIVE
    url = f"sqlite:///{tmp_path}/sundog.db"
    engine = open_engine(url)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(UnavailableError, match="run the Sundog that upgraded"):
        open_store(url)
