"""A process that kills itself, as ``kill -9`` does, after a number of steps.

``python -m tests.drills.killed FOLDER JOB STEPS SERVER``: JOB is ``boot`` or
``delete``. Ends with 0 when the job took fewer steps.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from uuid import UUID

from tests.drills.fuse import Fuse
from tests.drills.parts import Machine, Process


def main(folder: Path, job: str, steps: int, server: UUID) -> None:
    """Do a job on a new machine until the fuse ends the process."""
    fuse = Fuse(end=lambda: os.kill(os.getpid(), signal.SIGKILL))
    with Process(folder, Machine.boot(folder), fuse) as process:
        process.start()
        if job == "delete":
            process.boot(server)
        fuse.lasts = len(fuse.steps) + steps
        (process.delete if job == "delete" else process.boot)(server)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), UUID(sys.argv[4]))
