"""Commands in the lab host, through its guest agent.

Source: https://www.qemu.org/docs/master/interop/qemu-ga-ref.html
"""

from __future__ import annotations

import base64
import fcntl
import json
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lab.stages import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.places import Place

_ANSWER_SECONDS: Final = 60.0
_PATH: Final = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Done:
    """How a command in the lab host ended."""

    status: int
    output: str
    errors: str


class Agent:
    """The lab host's guest agent; one at a time speaks with it."""

    def __init__(self, own: Place) -> None:
        """Speak with the agent of the lab host at ``own``."""
        self._own = own

    def answers(self, seconds: float = 2.0) -> bool:
        """Say whether the agent is there within some seconds."""
        try:
            self._ask("guest-ping", seconds=seconds)
        except (OSError, LabError):
            return False
        return True

    def run(
        self,
        command: str | Sequence[str],
        *,
        given: str = "",
        seconds: float = 300.0,
    ) -> Done:
        """Run a command to its end; a text is run by bash."""
        words = ["bash", "-c", command] if isinstance(command, str) else list(command)
        started = self._ask(
            "guest-exec",
            {
                "path": words[0],
                "arg": words[1:],
                "env": [_PATH, "HOME=/root", "LC_ALL=C.UTF-8"],
                "input-data": base64.b64encode(given.encode()).decode(),
                "capture-output": True,
            },
        )
        end = time.monotonic() + seconds
        pause = 0.05
        while time.monotonic() < end:
            told = self._ask("guest-exec-status", {"pid": started["pid"]})
            if told["exited"]:
                return Done(
                    told.get("exitcode", 128 + told.get("signal", 0)),
                    _text(told.get("out-data", "")),
                    _text(told.get("err-data", "")),
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)
        raise LabError(f"in the lab host {words} did not end in {seconds:.0f} s")

    def read(self, command: str | Sequence[str], *, seconds: float = 300.0) -> str:
        """Run a command that must succeed; returns what it said."""
        done = self.run(command, seconds=seconds)
        if done.status:
            said = (done.errors or done.output).strip()
            raise LabError(
                f"in the lab host {command} ended with {done.status}: {said}"
            )
        return done.output

    def _ask(
        self,
        what: str,
        arguments: dict[str, Any] | None = None,
        seconds: float = _ANSWER_SECONDS,
    ) -> Any:  # noqa: ANN401  what JSON holds
        with self._connection(seconds) as connection:
            # An answer to one that gave up waiting may still be under way.
            mark = time.monotonic_ns() & 0xFFFFFFFF
            _send(connection, "guest-sync-delimited", {"id": mark}, before=b"\xff")
            reader = connection.makefile("rb")
            while mark not in _answers(reader.readline()):
                pass
            _send(connection, what, arguments or {})
            answer = json.loads(reader.readline().lstrip(b"\xff") or b"{}")
        if "return" not in answer:
            reason = answer.get("error", {}).get("desc", "no answer")
            raise LabError(f"the lab host's agent refused {what}: {reason}")
        return answer["return"]

    @contextmanager
    def _connection(self, seconds: float) -> Iterator[socket.socket]:
        with (self._own.folder / "agent.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(seconds)
                try:
                    connection.connect(str(self._own.agent))
                except OSError as error:
                    raise LabError("no lab host runs; make lab boots one") from error
                yield connection


def _send(
    connection: socket.socket, what: str, arguments: dict[str, Any], before: bytes = b""
) -> None:
    message = json.dumps({"execute": what, "arguments": arguments})
    connection.sendall(before + message.encode() + b"\n")


def _answers(line: bytes) -> list[Any]:
    if not line:
        raise LabError("the lab host's agent hung up")
    try:
        return [json.loads(line[line.rfind(b"\xff") + 1 :]).get("return")]
    except ValueError:
        return []


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode(errors="replace")
