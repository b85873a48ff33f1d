"""The lab's command: ``python -m lab up|down|shell|run|build``."""

from __future__ import annotations

import argparse
import sys

from lab.agent import Agent
from lab.boot import down, running, up
from lab.build import build
from lab.places import Built, place
from lab.shell import shell
from lab.stages import LabError, say


def main() -> int:
    """Do what was asked; a mistake is one line."""
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    parser.add_argument("what", choices=("build", "up", "down", "shell", "run"))
    parser.add_argument("script", nargs="?", help="bash, for run; else standard input")
    asked = parser.parse_args()
    try:
        return _do(asked.what, asked.script)
    except LabError as error:
        sys.stderr.write(f"sundog lab: {error}\n")
        return 1


def _do(what: str, script: str | None) -> int:
    built, own = Built(), place()
    if what == "down":
        down(own)
        return 0
    if what in {"build", "up"}:
        build(built)
    if what == "up" and not running(own):
        say("the lab host boots; a minute, more on a busy machine")
        say(f"ready after {up(built, own):.0f} s; make lab-shell gives a prompt")
    if what == "shell":
        shell(own)
    if what == "run":
        done = Agent(own).run(script if script is not None else sys.stdin.read())
        sys.stdout.write(done.output)
        sys.stderr.write(done.errors)
        return done.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
