"""The peers' own Python environment, and questions put to programs that run in it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import deque
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HERE: Final = Path(__file__).parent
FOLDER: Final = HERE.parents[1] / ".cache" / "bench-peers"
CONSTRAINTS: Final = HERE / "constraints.txt"
WANTED: Final = ("nova==34.0.0", "openstack-placement==16.0.0", "SQLAlchemy<2.1")
SETUP_SECONDS: Final = 180


class PeerError(RuntimeError):
    """A peer failed; the message has its last words."""


def install(say: Callable[[str], None]) -> Path:
    """Return the environment's Python; the first time, install what is wanted."""
    python, stamp = FOLDER / "bin" / "python", FOLDER / ".installed"
    wanted = hashlib.sha256(
        (str(FOLDER) + repr(WANTED)).encode() + CONSTRAINTS.read_bytes()
    ).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    say("the peers are installed, once: an environment")
    FOLDER.parent.mkdir(exist_ok=True)
    _run([sys.executable, "-m", "venv", "--clear", str(FOLDER)])
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--progress-bar=off", "-c", str(CONSTRAINTS), *WANTED]
    with subprocess.Popen(  # noqa: S603 - fixed words
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        said = deque[str](maxlen=5)
        for count, line in enumerate(pip.stdout or ()):
            said.append(line)
            if count % 25 == 0:
                say(f"the peers are installed, once: {count:4} {line[:50].strip()}")
        code = pip.wait()
    if code:
        raise PeerError(f"pip failed: {_last_words(said)}")
    stamp.write_text(wanted)
    return python


def ask(
    script: Path | str,
    job: dict[str, Any],
    seconds: float,
    python: Path = FOLDER / "bin" / "python",
) -> dict[str, Any] | None:
    """Run a peer's script on a job; None when it measures for longer than allowed.

    The time in which it builds what it needs does not count. Raises PeerError.
    """
    command = [str(python), str(HERE / script)]
    with _started(command) as peer, _reading(peer) as (lines, errors):
        try:
            _tell(peer, job)
            _next(lines, SETUP_SECONDS, errors)
            answer: dict[str, Any] = _next(lines, seconds, errors)
        except Empty:
            return None
    return answer


def _started(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own script
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"},
    )


def _tell(peer: subprocess.Popen[str], job: dict[str, Any]) -> None:
    if peer.stdin is None:
        return
    # A peer that ended early is found out when its answer is read.
    with suppress(BrokenPipeError):
        json.dump(job, peer.stdin)
    with suppress(BrokenPipeError):
        peer.stdin.close()


@contextmanager
def _reading(
    peer: subprocess.Popen[str],
) -> Iterator[tuple[Queue[str | None], list[str]]]:
    """Read what a peer says, in threads that end with it: at the latest here."""
    lines: Queue[str | None] = Queue()
    errors: list[str] = []

    def read() -> None:
        for line in peer.stdout or ():
            lines.put(line)
        lines.put(None)

    threads = [
        Thread(target=read),
        Thread(target=lambda: errors.extend(peer.stderr or ())),
    ]
    for thread in threads:
        thread.start()
    try:
        yield lines, errors
    finally:
        peer.kill()
        for thread in threads:
            thread.join()


def _next(lines: Queue[str | None], seconds: float, errors: list[str]) -> Any:  # noqa: ANN401 - JSON
    line = lines.get(timeout=seconds)
    if line is None:
        raise PeerError(_last_words(errors))
    return json.loads(line)


def _last_words(errors: Iterable[str]) -> str:
    return " ".join("".join(errors).split())[-500:] or "it ended without a word"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if done.returncode:
        raise PeerError(f"{command}: {_last_words([done.stderr])}")
