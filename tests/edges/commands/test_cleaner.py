"""The operator's cleaning command, as a real process."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import UnavailableError
from sundog.edges.commands.cleaner import CommandCleaner

if TYPE_CHECKING:
    from pathlib import Path

DEVICE = PciAddress.parse("0000:17:00.0")


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def test_it_is_told_the_device(tmp_path: Path) -> None:
    """As its last argument and in its environment; nothing of ours is told it."""
    told = tmp_path / "told"
    command = shell(f'echo "$0 $SUNDOG_HOST $SUNDOG_ADDRESS ${{HOME-none}}" > {told}')
    assert CommandCleaner().clean(command, "gpu1", DEVICE) == ""
    assert told.read_text() == f"{DEVICE} gpu1 {DEVICE} none\n"


def test_why_it_failed_is_told_in_a_line() -> None:
    """Its status, and the end of what it said."""
    command = shell("echo scrubbing; echo 'no such card' >&2; exit 3")
    problem = CommandCleaner().clean(command, "gpu1", DEVICE)
    assert problem == "/bin/sh ended with 3: scrubbing no such card"
    quiet = CommandCleaner().clean(["/bin/false"], "gpu1", DEVICE)
    assert quiet == "/bin/false ended with 1: it said nothing"


def test_a_command_that_is_not_there_is_told() -> None:
    problem = CommandCleaner().clean(["/nowhere/clean"], "gpu1", DEVICE)
    assert problem.startswith("/nowhere/clean cannot be run: ")


def test_one_that_never_ends_is_ended_with_its_children() -> None:
    """The child holds the output open: it would be waited for for ever."""
    cleaner = CommandCleaner(most_seconds=0.1)
    problem = cleaner.clean(shell("sleep 600 & sleep 600"), "gpu1", DEVICE)
    assert problem == "/bin/sh did not end in 0.1 seconds"


def test_closing_ends_what_runs(tmp_path: Path) -> None:
    """It has neither failed nor gone well."""
    cleaner, begun, raised = CommandCleaner(), tmp_path / "begun", []

    def clean() -> None:
        with pytest.raises(UnavailableError, match="because the service stops"):
            cleaner.clean(shell(f"touch {begun}; sleep 600"), "gpu1", DEVICE)
        raised.append(True)

    thread = threading.Thread(target=clean)
    thread.start()
    while not begun.exists():
        time.sleep(0.01)
    cleaner.close()
    thread.join()
    assert raised
    with pytest.raises(UnavailableError):
        cleaner.clean(["/bin/sleep", "600", ";"], "gpu1", DEVICE)
