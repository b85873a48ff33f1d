"""Killed after every single step of a job, the service is itself again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from tests.drills.parts import CutOffError, Fuse, Machine, Process

from sundog.core.lives.server import Phase

ROOT = Path(__file__).parents[2]
BOOT_STEPS = 9
DELETE_STEPS = 10


def check_after(folder: Path, machine: Machine, job: str, where: str) -> None:
    """Start anew: all agrees, the job ended or is undone, and nothing leaks."""
    with Process(folder, machine) as again:
        again.start()
        assert again.disagreements() == [], where
        for server in again.unfinished():
            phase = again.phase(server)
            assert phase is Phase.ERROR or job == "boot", (where, phase)
            again.delete(server)
        assert again.left() == [], where
        assert again.disagreements() == [], where


def cut_off(process: Process, fuse: Fuse, job: str, steps: int) -> str:
    """Do a job until the fuse has burnt; returns the last step, empty: it ended."""
    server = uuid4()
    if job == "delete":
        assert process.boot(server) is Phase.ACTIVE
    fuse.lasts = len(fuse.steps) + steps
    try:
        (process.delete if job == "delete" else process.boot)(server)
    except CutOffError:
        return f"{job} cut off after step {steps}, {fuse.steps[-1]}"
    return ""


@pytest.mark.drill("F3", "F15")
@pytest.mark.parametrize("reboots", [False, True], ids=["host lives", "host reboots"])
@pytest.mark.parametrize(
    ("job", "least"), [("boot", BOOT_STEPS), ("delete", DELETE_STEPS)]
)
def test_a_job_may_be_cut_off_after_any_step(
    tmp_path: Path, job: str, least: int, *, reboots: bool, thorough: bool
) -> None:
    """However far it was, a start later everything agrees and nothing is lost."""
    machine, steps, where = Machine.boot(tmp_path), 0, "at all"
    while where:
        steps += 1 if thorough else 4
        fuse = Fuse()
        with Process(tmp_path, machine, fuse) as process:
            process.start()
            where = cut_off(process, fuse, job, steps)
        if where:
            machine = Machine.boot(tmp_path) if reboots else machine
            check_after(tmp_path, machine, job, where)
    assert steps > least


@pytest.mark.drill("F43")
@pytest.mark.parametrize("job", ["boot", "delete"])
def test_settling_may_be_cut_off_too(
    tmp_path: Path, job: str, *, thorough: bool
) -> None:
    """The second start ends what the first had begun to mend, wherever it died."""
    machine, cuts = Machine.boot(tmp_path), 0
    for steps in range(1, 30) if thorough else (4,):
        fuse = Fuse()
        with Process(tmp_path, machine, fuse) as process:
            process.start()
            assert cut_off(process, fuse, job, 7 if job == "boot" else 2)
        again = Fuse(lasts=steps)
        with Process(tmp_path, machine, again) as process:
            try:
                process.start()
            except CutOffError:
                cuts += 1
            else:
                break
        check_after(tmp_path, machine, job, f"settling cut off after {again.steps}")
    assert cuts > (4 if thorough else 0)


@pytest.mark.drill("F15")
@pytest.mark.parametrize(
    ("job", "most"), [("boot", BOOT_STEPS), ("delete", DELETE_STEPS)]
)
def test_kill_9_of_a_real_process(
    tmp_path: Path, job: str, most: int, *, thorough: bool
) -> None:
    """SIGKILL leaves no time to undo; its simulated host dies with it."""
    few = (most - 2,) if job == "boot" else ()
    for steps in range(1, most + 1) if thorough else few:
        command = (sys.executable, "-m", "tests.drills.killed")
        values = (str(tmp_path), job, str(steps), str(uuid4()))
        ended = subprocess.run(  # noqa: S603 - our own script
            [*command, *values], cwd=ROOT, check=False, capture_output=True
        )
        assert ended.returncode == -9, ended.stderr
        machine = Machine.boot(tmp_path)
        check_after(tmp_path, machine, job, f"{job} killed after {steps}")
