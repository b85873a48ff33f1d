"""The peers' own Python environment, and questions put to programs that run in it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

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
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as pip:
        # Its warnings would fill the pipe while nobody reads them.
        errors = _drained(pip)
        for count, line in enumerate(pip.stdout or ()):
            if count % 25 == 0:
                say(f"the peers are installed, once: {count:4} {line[:50].strip()}")
        code = pip.wait()
    if code:
        raise PeerError(f"pip failed: {_last_words(errors)}")
    stamp.write_text(wanted)
    return python


def ask(script: str, job: dict[str, Any], seconds: float) -> dict[str, Any] | None:
    """Run a peer's script on a job; None when it measures for longer than allowed.

    The time in which it builds what it needs does not count. Raises PeerError.
    """
    with subprocess.Popen(  # noqa: S603 - our own script
        [str(FOLDER / "bin" / "python"), str(HERE / script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"},
    ) as peer:
        errors, lines = _drained(peer), _lines(peer)
        try:
            if peer.stdin is not None:
                json.dump(job, peer.stdin)
                peer.stdin.close()
            _next(lines, SETUP_SECONDS, errors)
            answer: dict[str, Any] = _next(lines, seconds, errors)
        except BrokenPipeError:
            peer.wait()
            raise PeerError(_last_words(errors)) from None
        except Empty:
            return None
        finally:
            peer.kill()
    return answer


def _lines(peer: subprocess.Popen[str]) -> Queue[str | None]:
    lines: Queue[str | None] = Queue()

    def read() -> None:
        for line in peer.stdout or ():
            lines.put(line)
        lines.put(None)

    Thread(target=read, daemon=True).start()
    return lines


def _next(lines: Queue[str | None], seconds: float, errors: list[str]) -> Any:  # noqa: ANN401 - JSON
    line = lines.get(timeout=seconds)
    if line is None:
        raise PeerError(_last_words(errors))
    return json.loads(line)


def _drained(peer: subprocess.Popen[str]) -> list[str]:
    found: list[str] = []
    Thread(target=lambda: found.extend(peer.stderr or ()), daemon=True).start()
    return found


def _last_words(errors: list[str]) -> str:
    return " ".join("".join(errors).split())[-500:] or "it ended without a word"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if done.returncode:
        raise PeerError(f"{command}: {_last_words([done.stderr])}")
