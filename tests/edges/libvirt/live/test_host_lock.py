"""A host has one agent, whatever folders two of them have."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from sundog.core.errors import BadConfigurationError
from sundog.edges.libvirt.live.host_lock import hold_host

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys, time
from pathlib import Path
from sundog.edges.libvirt.live.host_lock import hold_host
let_go = hold_host(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_the_second_is_refused_with_the_holder_named(tmp_path: Path) -> None:
    """However often; another host's agent is none of its."""
    let_go = hold_host(tmp_path)
    for _ in range(3):
        with pytest.raises(BadConfigurationError, match=f"process {os.getpid()}"):
            hold_host(tmp_path)
    hold_host(tmp_path / "other")()
    let_go()
    hold_host(tmp_path)()


def test_a_holder_that_was_killed_leaves_no_lock(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BadConfigurationError, match=f"process {other.pid}"):
            hold_host(tmp_path)
        other.send_signal(signal.SIGKILL)
        other.wait()
        hold_host(tmp_path)()
