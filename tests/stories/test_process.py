"""`sundog up` as a process: it starts, follows signals, and says what is wrong."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

DEADLINE_SECONDS = 60.0
SUNDOG = str(Path(sys.executable).with_name("sundog"))
T4_RULE = 'device_spec = {"product_id": "1eb8", "mdev_type": "nvidia-232"}'


def write_configuration(folder: Path, *pci: str) -> Path:
    path = folder / "sundog.conf"
    lines = [
        "[DEFAULT]",
        f"state_path = {folder}",
        "osapi_compute_listen_port = 0",
        "[pci]",
        *pci,
        "[simulation]",
        "host_file = gpu1=small",
    ]
    path.write_text("\n".join(lines))
    return path


class Up:
    """A running `sundog up`; its log is followed in a file."""

    def __init__(self, configuration: Path) -> None:
        self._log = configuration.with_suffix(".log")
        with self._log.open("w") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                [SUNDOG, "up", "--config", str(configuration)],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def wait_for(self, words: str) -> str:
        """Wait until the log has a line with these words; returns it."""
        end = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < end:
            for line in self._log.read_text().splitlines():
                if re.search(words, line):
                    return line
            time.sleep(0.05)
        raise AssertionError(self._log.read_text())

    def devices(self) -> Any:
        line = self.wait_for(r"Serving 1 hosts on http")
        url = line.rpartition(" ")[2]
        with urllib.request.urlopen(f"{url}/v1/devices") as answer:  # noqa: S310 - loopback
            return json.load(answer)["devices"]


def test_rules_are_read_anew_and_the_end_is_clean(tmp_path: Path) -> None:
    """SIGHUP takes a new whitelist, keeps the old for a bad one; SIGTERM ends."""
    configuration = write_configuration(tmp_path, T4_RULE)
    with Up(configuration) as up:
        assert {row["device"]["type"] for row in up.devices()} == {"nvidia-232"}
        write_configuration(tmp_path, 'device_spec = {"vendor_id": "nope"}')
        up.process.send_signal(signal.SIGHUP)
        assert "vendor_id" in up.wait_for("Kept the old whitelist")
        write_configuration(tmp_path, T4_RULE.replace("232", "233"))
        up.process.send_signal(signal.SIGHUP)
        up.wait_for("Took the whitelist up anew")
        assert {row["device"]["type"] for row in up.devices()} == {"nvidia-233"}
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(DEADLINE_SECONDS) == 0
        up.wait_for("Stopped")


def test_taken_port_is_told_in_a_line(tmp_path: Path) -> None:
    """The second service on a port says which, and exits with 2."""
    with Up(write_configuration(tmp_path, T4_RULE)) as up:
        port = up.wait_for("Serving").rpartition(":")[2]
        other = tmp_path / "other"
        other.mkdir()
        second = write_configuration(other, T4_RULE)
        second.write_text(second.read_text().replace("port = 0", f"port = {port}"))
        ended = run(second)
    assert ended.returncode == 2
    assert f"osapi_compute_listen_port = {port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_second_service_on_one_state_is_told_in_a_line(tmp_path: Path) -> None:
    """It is refused with 2; a holder that was killed leaves no lock."""
    configuration = write_configuration(tmp_path, T4_RULE)
    with Up(configuration) as up:
        up.wait_for("Serving")
        ended = run(configuration)
        assert ended.returncode == 2
        [line] = ended.stderr.splitlines()
        assert f"state_path = {tmp_path}" in line
        assert f"process {up.process.pid}" in line
        up.process.kill()
        up.process.wait()
    with Up(configuration) as again:
        again.wait_for("Serving")


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Two bad rules, a bad alias and an unknown option: four lines, exit 2."""
    configuration = write_configuration(
        tmp_path,
        'device_spec = {"vendor_id": "10de", "address": "zz:00.0"}',
        'device_spec = {"vendor_id": "12345"}',
        'alias = {"name": "a", "product_id": "1eb8", "colour": "red"}',
        "device_specs = {}",
    )
    ended = run(configuration)
    assert ended.returncode == 2
    lines = ended.stderr.splitlines()
    assert len(lines) == 4
    for words in ("zz:00.0", "12345", "colour", "device_specs"):
        assert any(words in line for line in lines), words
    assert not (tmp_path / "sundog.db").exists()


def test_bad_host_files_are_all_told(tmp_path: Path) -> None:
    """Host files that are not there or are none are named, with exit 2."""
    configuration = write_configuration(tmp_path, T4_RULE)
    bad = f"{tmp_path}/missing.toml\nhost_file = {configuration}"
    text = configuration.read_text().replace("gpu1=small", bad)
    configuration.write_text(text)
    ended = run(configuration)
    assert ended.returncode == 2
    assert "missing.toml" in ended.stderr
    assert "sundog.conf" in ended.stderr
    assert "Traceback" not in ended.stderr


def run(configuration: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [SUNDOG, "up", "--config", str(configuration)],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )
