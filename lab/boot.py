"""Boot a lab host, watch that it comes up, and end it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.agent import Agent
from lab.machine import DISK_BYTES, arguments, in_place, qemu
from lab.stages import LabError, run, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.places import Built, Place

# Emulated on a busy machine a boot takes minutes; one that says nothing for this
# long has stopped, and is begun anew once.
SILENCE_SECONDS: Final = 240.0
READY_SECONDS: Final = 900.0
_TRIES: Final = 2
_PAUSE: Final = 0.25
_MOST_PAUSES: Final = 120


def up(built: Built, own: Place, wait: Callable[[float], None] = time.sleep) -> float:
    """Boot until the lab host is ready; returns the seconds it took."""
    if running(own):
        raise LabError(f"a lab host runs already ({own.folder}); make lab-down ends it")
    begin = time.monotonic()
    for attempt in range(1, _TRIES + 1):
        _start(built, own, wait)
        reason = _watch(own, wait)
        seconds = time.monotonic() - begin
        if not reason:
            _note(own, f"ready after {seconds:.0f} s")
            return seconds
        down(own, wait)
        if own.console.exists():
            own.console.replace(own.folder / "console-of-failed-boot.log")
        _note(own, f"try {attempt} of {_TRIES} failed: {reason}")
        say(f"boot: try {attempt} of {_TRIES} failed: {reason}")
    tail = "\n".join(_tail(own.console))
    raise LabError(f"the lab host did not come up; its console ends with:\n{tail}")


def down(own: Place, wait: Callable[[float], None] = time.sleep) -> None:
    """End the lab host as a loss of power does; not there is fine."""
    pid = running(own)
    if pid:
        os.kill(pid, signal.SIGKILL)
        while running(own):
            wait(_PAUSE)
    own.pid.unlink(missing_ok=True)


def running(own: Place) -> int:
    """Return the process that emulates the lab host; 0: it does not run."""
    try:
        pid = int(own.pid.read_text(encoding="utf-8"))
        status = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        command = _read(f"/proc/{pid}/cmdline")
    except (OSError, ValueError):
        return 0
    # Z: it ended, and only nobody has waited for it yet.
    return pid if status[0] != "Z" and str(own.console) in command else 0


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123  a path of the kernel's
        return file.read()


def _start(built: Built, own: Place, wait: Callable[[float], None]) -> None:
    (own.folder / "share").mkdir(parents=True, exist_ok=True)
    if not own.disk.exists():
        _make_disk(built, own)
    own.console.unlink(missing_ok=True)
    port = _free_port()
    command = [*qemu(built), *arguments(built, own, port)]
    modules = built.tree / "usr/lib/x86_64-linux-gnu/qemu"
    pid = _leave_running(command, own, str(modules))
    own.pid.write_text(pid, encoding="utf-8")
    own.port.write_text(str(port), encoding="utf-8")
    # Until it is QEMU, it is a shell, and for a moment nothing that can be known.
    for _ in range(_MOST_PAUSES):
        if running(own) or not Path(f"/proc/{pid}").exists():
            break
        wait(_PAUSE)


def _leave_running(command: list[str], own: Place, modules: str) -> str:
    """Start what outlives this process; returns its number."""
    script = 'setsid "$@" </dev/null >"$0" 2>&1 & echo $!'
    started = subprocess.run(  # noqa: S603  the lab's own command
        ("/bin/bash", "-c", script, str(own.folder / "qemu.log"), *command),
        env={"PATH": "/usr/bin:/bin", "QEMU_MODULE_DIR": modules},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return started.stdout.strip()


def _make_disk(built: Built, own: Place) -> None:
    unfinished = own.disk.with_suffix(".new")
    with unfinished.open("wb") as disk:
        disk.truncate(DISK_BYTES)
    format_it = in_place(built, "usr/sbin/mke2fs", "-q", "-t", "ext4", str(unfinished))
    run(format_it, own.folder / "disk.log")
    unfinished.rename(own.disk)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _watch(own: Place, wait: Callable[[float], None]) -> str:
    """Wait until it is ready; returns what went wrong, empty when nothing did."""
    begin = heard = time.monotonic()
    size = 0
    while time.monotonic() < begin + READY_SECONDS:
        if not running(own):
            log = _tail(own.folder / "qemu.log")
            return f"QEMU ended: {log[-1] if log else 'it said nothing'}"
        lines = _tail(own.console)
        if any(line.startswith("lab:") and line.endswith("ready") for line in lines):
            return "" if Agent(own).answers(60) else "its agent does not answer"
        now = own.console.stat().st_size if own.console.exists() else 0
        if now != size:
            size, heard = now, time.monotonic()
        if time.monotonic() > heard + SILENCE_SECONDS:
            return f"it was silent for {SILENCE_SECONDS:.0f} s"
        wait(_PAUSE)
    return f"it was not ready after {READY_SECONDS:.0f} s"


def _note(own: Place, how: str) -> None:
    with own.boots.open("a", encoding="utf-8") as log:
        log.write(f"{how}\n")


def _tail(path: Path, lines: int = 12) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines()[-lines:]]
