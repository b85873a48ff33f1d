"""Devices attached and detached, failing or cut off at every single step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from lxml import etree
from tests.drills.databases import Databases
from tests.drills.fuse import CutOffError, Fuse
from tests.drills.parts import FLAVOR, SLICE, Machine, Process
from tests.drills.parts import plugs as plugs_of

from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import HostRefusedError, UnavailableError
from sundog.core.lives.instance_action import Asked
from sundog.core.lives.plug import PlugState
from sundog.core.lives.server import Phase, ServerEvent
from sundog.edges.simulation.host_model import Fault, FaultKind
from sundog.workflows.actions.book import Call
from sundog.workflows.devices.plug import tidy_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T4 = PciAddress.parse("0000:17:00.0")
V100 = PciAddress.parse("0000:65:00.0")
ONE, BOTH, TWO = ["vGPU/0"], ["vGPU/0", "v100+1/0"], ["vGPU/0", "vGPU+1/0"]
FEWEST_STEPS = 7


def do(work: Callable[[], object]) -> None:
    work()


class Plugs:
    """A process with one server, and what is done with its devices."""

    def __init__(self, process: Process, server: UUID) -> None:
        self.process = process
        self.server = server
        self.book = plugs_of(process.actions)

    def call(self) -> Call:
        asked = Asked(request_id=f"req-{uuid4()}", user_id="u", project_id="p")
        return Call(server_id=self.server, asked=asked)

    def attach(self, devices: str = "vGPU:1") -> str:
        """Attach; returns why it failed, empty when it did not."""
        self.book.attach(self.call(), devices)
        return self.told()

    def detach(self, slot: str) -> str:
        self.book.detach(self.call(), slot)
        return self.told()

    def told(self) -> str:
        """Return how the last action went."""
        return self.process.history.list(self.server)[0].events[0].error

    def slots(self, state: PlugState = PlugState.ATTACHED) -> list[str]:
        claim = self.process.store.claims.get(self.server)
        devices = claim.assignment.devices if claim else ()
        return [share.slot for share in devices if share.plug is state]

    def guest_has(self) -> int:
        """Count what libvirt says that the guest has."""
        holders = self.process.machine.guests.holders()
        return list(holders.values()).count(self.server)

    def check(self, where: str, *expected: list[str]) -> None:
        """Everything agrees, and the server has one of what is expected."""
        process = self.process
        assert process.disagreements() == [], where
        assert process.phase(self.server) is Phase.ACTIVE, where
        slots = self.slots()
        assert slots in expected, where
        assert self.slots(PlugState.ATTACHING) == [], where
        assert self.slots(PlugState.DETACHING) == [], where
        assert self.guest_has() == len(slots), where
        ids = {slot.rpartition("/")[0] for slot in slots}
        server = process.store.servers.get(self.server)
        assert all(one.id in ids for one in server.attached), where
        ledger = process.conductor.ledger.allocation(self.server)
        charged = sum(one.get("VGPU", 0) for one in ledger.values())
        assert charged == sum("vGPU" in slot for slot in slots), where


def started(process: Process) -> Plugs:
    process.start()
    server = uuid4()
    assert process.boot(server, SLICE) is Phase.ACTIVE
    return Plugs(process, server)


def attach_job(plugs: Plugs) -> str:
    return plugs.attach()


def detach_job(plugs: Plugs) -> str:
    return plugs.detach("vGPU+1/0")


JOBS = [(attach_job, TWO), (detach_job, ONE)]


def steps_of(process: Process, fuse: Fuse, job: Callable[[Plugs], str]) -> list[str]:
    """Return the steps that a job takes when nothing goes wrong."""
    plugs = ready(process, job)
    before = len(fuse.steps)
    assert job(plugs) == ""
    steps = fuse.steps[before:]
    process.delete(plugs.server)
    assert len(steps) >= FEWEST_STEPS
    return steps


def ready(process: Process, job: Callable[[Plugs], str]) -> Plugs:
    server = uuid4()
    assert process.boot(server, SLICE) is Phase.ACTIVE
    plugs = Plugs(process, server)
    if job is detach_job:
        assert plugs.attach() == ""
    return plugs


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[Databases]:
    """Open databases that outlive a test's processes."""
    with Databases(tmp_path) as opened:
        yield opened


@dataclass(frozen=True)
class Kill:
    """A job that is killed, what is there once it is done, and what the host does."""

    job: Callable[[Plugs], str]
    done: list[str]
    reboots: bool

    def end(self, databases: Databases, machine: Machine, lasts: int) -> Plugs:
        """Begin it, and end the process after so many steps."""
        fuse = Fuse()
        with Process(databases, machine, fuse) as process:
            process.start()
            plugs = ready(process, self.job)
            fuse.lasts = len(fuse.steps) + lasts
            with pytest.raises(CutOffError):
                self.job(plugs)
        return plugs


KILLS = [Kill(job, done, reboots) for job, done in JOBS for reboots in (False, True)]


@pytest.mark.drill("F15", "F45")
@pytest.mark.parametrize("kill", KILLS)
def test_it_is_killed_after_each_step(
    tmp_path: Path, databases: Databases, kill: Kill, *, thorough: bool
) -> None:
    """An attach is undone, or was done already; a detach goes on."""
    fuse, machine = Fuse(), Machine.boot(tmp_path)
    with Process(databases, machine, fuse) as process:
        process.start()
        steps = steps_of(process, fuse, kill.job)
    # The short form kills once, after another step from drill to drill.
    short = [1 + 2 * KILLS.index(kill)]
    for lasts in range(1, len(steps) + 1) if thorough else short:
        where = f"cut off after step {lasts}: {steps[lasts - 1]}"
        plugs = kill.end(databases, machine, lasts)
        machine = Machine.boot(tmp_path) if kill.reboots else machine
        with Process(databases, machine) as again:
            again.start()
            plugs = Plugs(again, plugs.server)
            undone = kill.done if "ClaimTable.put" in steps[:lasts] else TWO
            plugs.check(where, kill.done, undone if kill.job is detach_job else ONE)
            assert plugs.attach("v100") == "", where
            again.delete(plugs.server)
            assert again.left() == [], where


class Mishap:
    """Lets one step go wrong: before it is taken, or after."""

    def __init__(self, fuse: Fuse, step: int, error: Exception) -> None:
        self._left = step
        self._error = error
        fuse.mishap = self

    def __call__(self, _: str) -> None:
        self._left -= 1
        if self._left == 0:
            raise self._error


@pytest.mark.drill("F4", "F45")
@pytest.mark.parametrize("error", [HostRefusedError("no"), UnavailableError("away")])
@pytest.mark.parametrize("job", [attach_job, detach_job])
def test_each_step_fails(
    tmp_path: Path, job: Callable[[Plugs], str], error: Exception, *, thorough: bool
) -> None:
    """Before it or after it: what is left agrees, at the latest once it is tidied."""
    fuse = Fuse()
    with Process(tmp_path, Machine.boot(tmp_path), fuse) as process:
        process.start()
        steps = steps_of(process, fuse, job)
        for number in range(
            1 if thorough else 3, 2 * len(steps) + 1, 1 if thorough else 5
        ):
            plugs = ready(process, job)
            Mishap(fuse, number, error)
            told = ""
            try:
                told = job(plugs)
            except (HostRefusedError, UnavailableError):
                # The store itself failed before anything was begun, or to note it.
                fuse.mishap = lambda _: None
                process.start()
            where = f"half step {number}, {steps[(number - 1) // 2]}: {told}"
            fuse.mishap = lambda _: None
            tidy_all(process.conductor, do)
            plugs.check(where, ONE, TWO)
            assert plugs.attach("v100") == "", where
            process.delete(plugs.server)
            assert process.left() == [], where


def never_lets_go(machine: Machine, card: PciAddress = T4) -> None:
    machine.kernel.ask_fault(Fault(kind=FaultKind.UNPLUG_IGNORED, card=card))


@pytest.mark.drill("F41")
@pytest.mark.parametrize("slot", ["vGPU/0", "v100+1/0"])
def test_a_guest_never_lets_go(tmp_path: Path, slot: str) -> None:
    """The device is held, and nobody else's, until libvirt says that it is gone."""
    machine = Machine.boot(tmp_path)
    with Process(tmp_path, machine) as process:
        plugs = started(process)
        assert plugs.attach("v100") == ""
        never_lets_go(machine)
        never_lets_go(machine, V100)
        assert f"{slot} is held until it can be given back" in plugs.detach(slot)
        server = plugs.server
        held = (plugs.slots(PlugState.DETACHING), plugs.guest_has())
        assert held == ([slot], 2)
        assert process.phase(server) is Phase.ACTIVE
        assert process.disagreements() == []
        other = uuid4()
        process.boot(other, SLICE)
        assert "needs 1 free v100, has 0" in Plugs(process, other).attach("v100")
        tidy_all(process.conductor, do)
        assert plugs.slots(PlugState.DETACHING) == [slot]
    with Process(tmp_path, machine) as again:
        again.start()
        plugs = Plugs(again, server)
        assert plugs.slots(PlugState.DETACHING) == [slot]
        assert again.disagreements() == []
        machine.kernel.clear_faults()
        tidy_all(again.conductor, do)
        plugs.check("let go", [one for one in BOTH if one != slot])
        assert again.store.servers.get(server).detached == {slot} - {"v100+1/0"}
        for one in (server, other):
            again.delete(one)
        assert again.left() == []


@pytest.mark.drill("F41")
def test_a_guest_that_never_let_go_is_rebooted_with_its_host(tmp_path: Path) -> None:
    """It comes back without the device, and the device is free."""
    machine = Machine.boot(tmp_path)
    with Process(tmp_path, machine) as process:
        plugs = started(process)
        assert plugs.attach() == ""
        never_lets_go(machine)
        assert plugs.detach("vGPU/0") != ""
        server = plugs.server
    with Process(tmp_path, Machine.boot(tmp_path)) as again:
        again.start()
        Plugs(again, server).check("rebooted", ["vGPU+1/0"])


def changed_by_hand(
    machine: Machine, server: UUID, change: Callable[[etree._Element], None]
) -> None:
    """Change a guest's devices with libvirt's own calls, and start it anew."""
    domain = machine.connection.lookupByUUIDString(str(server))
    root = etree.fromstring(domain.XMLDesc())
    devices = root.find("devices")
    assert devices is not None
    change(devices)
    domain.destroy()
    machine.connection.defineXML(etree.tostring(root, encoding="unicode"))
    domain.create()


def without_slice(devices: etree._Element) -> None:
    devices.remove(devices.findall("hostdev[@type='mdev']")[0])


def with_v100(devices: etree._Element) -> None:
    devices.append(
        etree.fromstring(
            f"""
            <hostdev mode="subsystem" type="pci" managed="yes"><source>
              <address domain="0" bus="{V100.bus}" slot="0" function="0"/>
            </source></hostdev>"""
        )
    )


@pytest.mark.drill("F22")
def test_a_device_that_somebody_took_out_is_plugged_in_again(tmp_path: Path) -> None:
    """The claim says that the server has it; libvirt says that its guest has not."""
    machine = Machine.boot(tmp_path)
    with Process(tmp_path, machine) as process:
        plugs = started(process)
        changed_by_hand(machine, plugs.server, without_slice)
        [told] = process.audit.audit()
        assert (told.kind.value, told.slot) == ("device-unplugged", "vGPU/0")
        assert told.line.endswith(" (plug the device in again)")
        assert plugs.guest_has() == 0
        machine.kernel.ask_fault(Fault(kind=FaultKind.PLUG_FAILS, card=T4, times=1))
        [failed] = process.audit.heal()
        assert not failed.mended
        assert "no such host device" in failed.problem
        assert [done.mended for done in process.audit.heal()] == [True]
        plugs.check("mended", ONE)


@pytest.mark.drill("F23")
def test_a_device_that_somebody_put_in_is_told_and_stays(tmp_path: Path) -> None:
    """It is not taken out of a running guest; a hard reboot leaves it out."""
    machine = Machine.boot(tmp_path)
    with Process(tmp_path, machine) as process:
        plugs = started(process)
        changed_by_hand(machine, plugs.server, with_v100)
        [told] = process.audit.audit()
        assert (told.kind.value, told.repair.value) == (
            "device-unclaimed",
            "reported only",
        )
        assert f"has {V100}, which nobody claims" in told.what
        assert [done.mended for done in process.audit.heal()] == [False]
        assert plugs.guest_has() == 2
        # Nobody else gets it meanwhile: the host is the last judge.
        other = uuid4()
        assert process.boot(other, FLAVOR) is Phase.ERROR
        process.delete(other)
        assert process.act(plugs.server, ServerEvent.REBOOT_HARD) is Phase.ACTIVE
        plugs.check("rebooted", ONE)


@pytest.mark.drill("F27", "F45")
@pytest.mark.parametrize(
    "kind", [FaultKind.PLUG_FAILS, FaultKind.PLUG_IGNORED, FaultKind.CREATE_FAILS]
)
def test_the_last_of_several_devices_fails(tmp_path: Path, kind: FaultKind) -> None:
    """All are given back, and the next attempt gets all."""
    machine = Machine.boot(tmp_path)
    with Process(tmp_path, machine) as process:
        plugs = started(process)
        machine.kernel.ask_fault(Fault(kind=kind, card=T4, times=1))
        assert plugs.attach("v100:1,vGPU:1") != ""
        plugs.check(kind.value, ONE)
        assert plugs.attach("v100:1,vGPU:1") == ""
        plugs.check(kind.value, ["vGPU/0", "v100+1/0", "vGPU+1/0"])


@pytest.mark.drill("F1", "F6")
def test_two_servers_want_the_last_device(tmp_path: Path) -> None:
    """Another chooser's claim, or Placement's word, is found in time."""
    with Process(tmp_path, Machine.boot(tmp_path)) as process:
        plugs = started(process)
        other = uuid4()
        process.boot(other, SLICE)
        assert Plugs(process, other).attach("v100") == ""
        conductor = process.conductor
        # As a process sees it whose view is old.
        state = conductor.fleet.state("small")
        assert state is not None
        conductor.fleet.drop(other, "small")
        told = plugs.attach("v100")
        assert "needs 1 free v100, has 0" in told
        plugs.check("outbid", ONE)
        held = [line for line in process.left() if line.startswith("claim")]
        assert len(held) == 2
