"""A demo that was stopped in the middle is in nobody's way."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from demo.service import Service, ServiceError, free_port, leftover, make_anew, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def _process(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a process with these words on its command line alive meanwhile."""
    lines = "import sys; print(flush=True); sys.stdin.read()"
    process = subprocess.Popen(  # noqa: S603  # our own
        [sys.executable, "-c", lines, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    # Until it runs, the kernel does not tell its command line.
    process.stdout.readline()
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _left_behind(state: Path, process: subprocess.Popen[bytes]) -> None:
    state.mkdir()
    (state / "sundog.db").write_text("old")
    (state / "service.pid").write_text(str(process.pid))


def test_a_service_left_behind_is_ended_and_its_state_made_anew(tmp_path: Path) -> None:
    """The process that the pid file names is ours if it has our configuration."""
    state = tmp_path / "demo"
    with _process("--config", str(state / "local.conf")) as process:
        _left_behind(state, process)
        assert leftover(state) == process.pid
        # The kernel keeps an ended child until we ask for it.
        with _reaping(process):
            make_anew(state)
    assert process.returncode == -15
    assert list(state.iterdir()) == []


@contextmanager
def _reaping(process: subprocess.Popen[bytes]) -> Iterator[None]:
    waiting = Thread(target=process.wait)
    waiting.start()
    yield
    waiting.join()


def test_another_process_with_that_pid_is_left_alone(tmp_path: Path) -> None:
    """A pid may be somebody else's by now."""
    state = tmp_path / "demo"
    with _process("--config", "/etc/other.conf") as process:
        _left_behind(state, process)
        assert leftover(state) is None
        make_anew(state)
        assert process.poll() is None


@pytest.mark.parametrize("text", ["", "x", "99999999"])
def test_a_pid_file_of_nobody_is_no_service(tmp_path: Path, text: str) -> None:
    """A broken pid file, or one of a process that is gone."""
    (tmp_path / "service.pid").write_text(text)
    assert leftover(tmp_path) is None


def test_a_service_that_does_not_start_is_told_with_its_last_words(
    tmp_path: Path,
) -> None:
    """A bad configuration ends the demo with the service's own line."""
    config = tmp_path / "bad.conf"
    config.write_text("[pci]\nalias = {}\n")
    service = Service(state=tmp_path / "s", port=free_port(), config=config)
    with (
        pytest.raises(ServiceError, match=r"(?s)ended with status 2.*\[pci\] alias"),
        running(service, tmp_path / "log"),
    ):
        pass
    assert not (tmp_path / "s" / "service.pid").exists()


def test_no_other_cloud_shines_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the operator's shell says of clouds does not reach the demo's clients."""
    monkeypatch.setenv("OS_AUTH_URL", "http://elsewhere")
    environ = Service(state=tmp_path, port=1).environ()
    assert {key for key in environ if key.startswith("OS_")} == {
        "OS_CLIENT_CONFIG_FILE",
        "OS_CLOUD",
    }
