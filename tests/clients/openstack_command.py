"""The real ``openstack`` command, loaded once and forked for each call.

Loading it takes a second and a half, which is most of what a call costs; the demo
starts it as people do, each time anew.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stdout, suppress
from io import StringIO
from typing import IO, TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def own_environ() -> dict[str, str]:
    """Return this process's variables but those that clients go by."""
    return {key: text for key, text in os.environ.items() if key[:3] != "OS_"}


class Openstack:
    """The command, as a process that forks for each call. One call at a time."""

    def __init__(self, orders: IO[str], answers: IO[str], folder: Path) -> None:
        """Take its standard input and output, and a folder for what calls print."""
        self._orders, self._answers, self._folder = orders, answers, folder

    def __call__(
        self, environ: Mapping[str, str], *words: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end with nothing but these variables."""
        out, err = self._folder / "out", self._folder / "err"
        order = {"words": words, "environ": dict(environ)}
        paths = {"out": str(out), "err": str(err)}
        print(json.dumps(order | paths), file=self._orders, flush=True)
        status = int(self._answers.readline())
        said, told = out.read_text("utf-8"), err.read_text("utf-8")
        return subprocess.CompletedProcess(words, status, said, told)


@pytest.fixture(name="openstack_command", scope="session")
def openstack_command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Openstack]:
    """Load the command once for all tests of a session."""
    folder = tmp_path_factory.mktemp("openstack")
    with subprocess.Popen(  # noqa: S603 - this file
        [sys.executable, __file__],
        cwd=folder,
        env=own_environ() | {"HOME": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        yield Openstack(process.stdin, process.stdout, folder)


def _serve() -> None:
    from openstackclient import shell  # noqa: PLC0415  only this process loads it

    # What the first call loads, all later ones have.
    with redirect_stdout(StringIO()), suppress(SystemExit):
        shell.main(["server", "list", "--help"])
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _call(shell.main, **json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _call(main: Any, *, words: list[str], environ: Any, out: str, err: str) -> None:
    status = 1
    signal.alarm(60)
    try:
        os.environ.clear()
        os.environ.update(environ)
        for number, path in ((0, os.devnull), (1, out), (2, err)):
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(path, flags, 0o600), number)
        status = main(words) or 0
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve()
