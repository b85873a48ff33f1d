"""Stages of a build: each is done again only when what it is made from changed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class LabError(Exception):
    """What stands in the way, in one line, with the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One thing to build: ``made_from`` are files, folders and other text."""

    name: str
    about: str
    made_from: tuple[Path | str, ...]
    build: Callable[[], None]


def build_all(stages: Sequence[Stage], stamps: Path) -> float:
    """Build what is missing or out of date; returns the seconds that it took.

    A stage that is built anew makes those after it be built anew.
    """
    begin = time.monotonic()
    stamps.mkdir(parents=True, exist_ok=True)
    before = ""
    for number, stage in enumerate(stages, start=1):
        print_of_parts = _fingerprint((*stage.made_from, before))
        stamp = stamps / stage.name
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != print_of_parts:
            stamp.unlink(missing_ok=True)
            started = time.monotonic()
            say(f"({number}/{len(stages)}) {stage.about}")
            stage.build()
            say(f"({number}/{len(stages)}) took {time.monotonic() - started:.0f} s")
            stamp.write_text(print_of_parts, encoding="utf-8")
        before = print_of_parts
    return time.monotonic() - begin


def say(text: str) -> None:
    """Tell the user what goes on."""
    sys.stdout.write(f"sundog lab: {text}\n")
    sys.stdout.flush()


def run(command: Sequence[str], log: Path, **environment: str) -> None:
    """Run a command; its output goes into the log."""
    with log.open("ab") as output:
        output.write(f"$ {' '.join(command)}\n".encode())
        output.flush()
        done = subprocess.run(  # noqa: S603  the lab's own commands
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment or None,
            check=False,
        )
    if done.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace").strip()
        last = tail.splitlines()[-1]
        raise LabError(f"{command[0]} failed: {last}; all of it is in {log}")


def _fingerprint(parts: Sequence[Path | str]) -> str:
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            total.update(part.encode())
            continue
        files = [part] if part.is_file() else sorted(part.rglob("*"))
        for file in files:
            if file.is_file():
                total.update(f"\n{file.name} {file.stat().st_mode:o}\n".encode())
                total.update(file.read_bytes())
    return total.hexdigest()
