"""Killed after every single step of every job, the service is itself again.

The jobs are those of the tables that servers move along: one that is added there is
tried here.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import pytest
from tests.drills.conftest import THOROUGH
from tests.drills.databases import Databases
from tests.drills.fuse import CutOffError, Fuse
from tests.drills.parts import Machine, Process

from sundog.core.lives.intent import BOOT, PLANS
from sundog.core.lives.server import Phase, ServerEvent
from sundog.core.lives.server_life import ERRANDS, MOVE_EVENTS, SERVER_LIFE, Errand
from sundog.workflows.pulse.ended_guests import note_ended

ROOT = Path(__file__).parents[2]
BOOT_STEPS = 9
DELETE_STEPS = 9
# A job is done in fewer steps than this, or it never ends.
MOST_STEPS = 60


def _ways() -> dict[Phase, tuple[ServerEvent, ...]]:
    """Return how a server comes to where an errand is asked, from ACTIVE."""
    ways = {Phase.ACTIVE: (), Phase.ERROR: (ServerEvent.RESET_ERROR,)}
    for one in (*ERRANDS, *ERRANDS):
        if one.origin in ways:
            ways.setdefault(one.goal, (*ways[one.origin], one.asked))
    for (origin, event), phase in SERVER_LIFE.items():
        if event is ServerEvent.LOSE:
            ways.setdefault(phase, (*ways[origin], event))
    return ways


WAYS: Final = _ways()
MOVES: Final = frozenset(event.value for event in MOVE_EVENTS)


@dataclass(frozen=True)
class Job:
    """A job by the event that asks for it, on a server in a phase."""

    asked: str
    origin: Phase
    # Where its server may stand when it was cut off and the service started again.
    ends: frozenset[Phase]

    @property
    def name(self) -> str:
        return f"{self.asked} of one {self.origin.value}"

    def make(self, process: Process) -> UUID:
        """Make the server that it is asked of."""
        server = uuid4()
        if self.asked == BOOT:
            return server
        assert process.boot(server) is Phase.ACTIVE
        for event in WAYS[self.origin]:
            if event is ServerEvent.LOSE:
                process.machine.guests.power_off(server)
                note_ended(process.conductor, server)
            else:
                process.act(server, event)
        assert process.phase(server) is self.origin
        return server

    def do(self, process: Process, server: UUID) -> None:
        """Do it, to its end or until the process is cut off."""
        if self.asked == BOOT:
            process.boot(server)
        elif self.asked == ServerEvent.ASK_DELETE.value:
            process.delete(server)
        else:
            process.act(server, ServerEvent(self.asked))


def of_errand(errand: Errand) -> Job:
    ends = frozenset({errand.origin, errand.goal})
    return Job(errand.asked.value, errand.origin, ends)


DELETE = ServerEvent.ASK_DELETE.value
BOOTS = Job(BOOT, Phase.SCHEDULING, frozenset({Phase.ERROR, Phase.ACTIVE}))
DELETES = Job(DELETE, Phase.ACTIVE, frozenset({Phase.DELETED}))
JOBS: Final = (BOOTS, DELETES, *map(of_errand, ERRANDS))
# Each job once, in the phase in which it is asked first.
SAMPLE: Final = tuple({job.asked: job for job in reversed(JOBS)}.values())


def test_every_job_is_tried() -> None:
    """Each that has a plan, in each phase in which it may be asked."""
    assert {job.asked for job in JOBS} == set(PLANS)


def other_machine(folder: Path, job: Job) -> Machine | None:
    """Boot a second host for a job that needs one to move to."""
    events = {job.asked, *(event.value for event in WAYS.get(job.origin, ()))}
    return Machine.boot(folder, "other") if events & MOVES else None


def check_after(process: Process, where: str) -> None:
    """All agrees, no job is left over, and nothing leaks when all is deleted."""
    assert process.disagreements() == [], where
    process.force_down({})
    assert process.disagreements() == [], where
    for server in process.unfinished():
        process.delete(server)
    assert process.left() == [], where
    assert process.disagreements() == [], where


def cut_off(process: Process, fuse: Fuse, job: Job, steps: int) -> tuple[UUID, str]:
    """Do a job until the fuse has burnt; returns the last step, empty: it ended."""
    server = job.make(process)
    fuse.lasts = len(fuse.steps) + steps
    try:
        job.do(process, server)
    except CutOffError:
        return server, f"{job.name} cut off after step {steps}, {fuse.steps[-1]}"
    finally:
        fuse.lasts = None
    return server, ""


@pytest.mark.drill("F3", "F15", "F17")
@pytest.mark.parametrize("job", JOBS if THOROUGH else SAMPLE, ids=lambda job: job.name)
def test_a_job_may_be_cut_off_after_any_step(
    tmp_path: Path, job: Job, *, thorough: bool
) -> None:
    """However far it was, a start later everything agrees and nothing is lost."""
    number = JOBS.index(job)
    with Databases(tmp_path) as databases:
        machine, other = Machine.boot(tmp_path), other_machine(tmp_path, job)
        for reboots in (False, True) if thorough else (number % 2 == 0,):
            # The short form kills once a job, after another step from job to job.
            steps, where = 0 if thorough else number % 5, "at all"
            while where and (thorough or where == "at all"):
                steps += 1
                fuse = Fuse()
                with Process(databases, machine, fuse, other=other) as process:
                    process.start()
                    server, where = cut_off(process, fuse, job, steps)
                if reboots:
                    machine, other = (
                        Machine.boot(tmp_path),
                        other_machine(tmp_path, job),
                    )
                with Process(databases, machine, None, other=other) as again:
                    again.start()
                    # What was in a guest's memory may be gone, and is with its host.
                    is_lost = reboots or job.origin in (Phase.PAUSED, Phase.SUSPENDED)
                    ends = job.ends | ({Phase.SHUTOFF} if is_lost else set())
                    assert again.phase(server) in ends, where
                    check_after(again, where)
                assert steps < MOST_STEPS, "it never ends"


@pytest.mark.drill("F43")
@pytest.mark.parametrize(
    "job", JOBS if THOROUGH else (BOOTS, DELETES), ids=lambda job: job.name
)
def test_settling_may_be_cut_off_too(
    tmp_path: Path, job: Job, *, thorough: bool
) -> None:
    """The second start ends what the first had begun to mend, wherever it died."""
    with Databases(tmp_path) as databases:
        machine, other = Machine.boot(tmp_path), other_machine(tmp_path, job)
        for steps in range(1, MOST_STEPS) if thorough else (4,):
            fuse = Fuse()
            with Process(databases, machine, fuse, other=other) as process:
                process.start()
                cut_off(process, fuse, job, 7 if job is BOOTS else 2)
            again = Fuse(lasts=steps)
            with Process(databases, machine, again, other=other) as process:
                try:
                    process.start()
                except CutOffError:
                    is_cut = True
                else:
                    is_cut = False
            with Process(databases, machine, None, other=other) as process:
                process.start()
                check_after(process, f"settling cut off after {again.steps}")
            if not is_cut:
                break
        assert is_cut is not thorough, "it never ends" if thorough else "it did little"
        assert steps > 2


@pytest.mark.drill("F15")
@pytest.mark.parametrize(("job", "most"), [(BOOT, BOOT_STEPS), (DELETE, DELETE_STEPS)])
def test_kill_9_of_a_real_process(
    tmp_path: Path, job: str, most: int, *, thorough: bool
) -> None:
    """SIGKILL leaves no time to undo; its simulated host dies with it."""
    # A process of its own takes seconds to start: the others kill after each step.
    few = (most - 2,) if job == BOOT else ()
    for steps in range(1, most + 1, 3) if thorough else few:
        command = (sys.executable, "-m", "tests.drills.killed")
        values = (str(tmp_path), job, str(steps), str(uuid4()))
        ended = subprocess.run(  # noqa: S603 - our own script
            [*command, *values], cwd=ROOT, check=False, capture_output=True
        )
        assert ended.returncode == -9, ended.stderr
        with Process(tmp_path, Machine.boot(tmp_path)) as process:
            process.start()
            check_after(process, f"{job} killed after {steps}")
