"""Runs commands as a person types them, shows them, and checks how they end."""

from __future__ import annotations

import shlex
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence


class UnexpectedError(Exception):
    """A command ended as it should not, or said something else."""


@dataclass(frozen=True, slots=True)
class Play:
    """A command, the exit status that it must end with, and words it must say."""

    command: str
    status: int = 0
    says: str = ""


@dataclass(slots=True)
class Stage:
    """Where commands are run: their environment, and the terminal."""

    environ: dict[str, str]
    console: Console = field(default_factory=lambda: Console(highlight=False))
    started: float = field(default_factory=time.monotonic)
    commands: int = 0

    def title(self, text: str) -> None:
        """Begin a part of the story."""
        self.console.print()
        self.console.print(Text(f"── {text}", "bold cyan"))

    def say(self, text: str) -> None:
        """Tell the reader something."""
        self.console.print(Text(text, "dim"), soft_wrap=True)

    def run(self, command: str, status: int = 0, says: str = "") -> str:
        """Run one command and return what it said; raises UnexpectedError."""
        return self.together([Play(command, status, says)])[0]

    def together(self, plays: Sequence[Play], at_once: int = 2) -> list[str]:
        """Run some commands at once, showing them in order; raises UnexpectedError."""
        with ThreadPoolExecutor(max_workers=at_once) as pool:
            ends = [(play, pool.submit(self._run, play.command)) for play in plays]
            try:
                return [self._show(play, *end.result()) for play, end in ends]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _run(self, command: str) -> tuple[int, str]:
        done = subprocess.run(  # noqa: S603  # the story's own commands
            shlex.split(command),
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def _show(self, play: Play, status: int, said: str) -> str:
        self.commands += 1
        line = Text.assemble(("$ ", "dim"), (play.command, "bold"))
        self.console.print(line, soft_wrap=True)
        # As it came, with the colours that it has: boxes must not be wrapped again.
        if said.strip():
            self.console.out(said.rstrip("\n"), highlight=False)
        if status:
            self.console.print(Text(f"(exit status {status})", "yellow"))
        if status != play.status:
            raise UnexpectedError(
                f"'{play.command}' ended with status {status}, not {play.status}"
            )
        if play.says not in " ".join(said.split()):
            raise UnexpectedError(f"'{play.command}' did not say {play.says!r}")
        return said
