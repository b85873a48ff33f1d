"""Tests that need a lab host: ``make lab-test`` collects them, ``make test`` not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from lab.build import build
from lab.places import place
from tests.lab.lab_ground import LabGround
from tests.lab.lab_host import LabHost

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from _pytest.terminal import TerminalReporter

collect_ignore_glob = [] if os.environ.get("SUNDOG_LAB") else ["test_*.py"]


@pytest.fixture(scope="session")
def ground() -> Iterator[LabGround]:
    """Boot a lab host of the tests' own, and start Sundog in it."""
    host = LabHost(place("test"))
    build(host.built)
    host.make_new()
    try:
        host.boot()
        host.start_sundog()
        yield LabGround(host)
    finally:
        host.cut_power()


@pytest.fixture(autouse=True)
def _clean(ground: LabGround) -> Iterator[None]:
    """Let no test find servers of one that failed."""
    yield
    left = [one["id"] for one in ground.api.wait()]
    if left:
        ground.api.delete(left)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Tell how each boot of the lab host went: one that was tried twice is seen."""
    boots = place("test").boots
    if boots.exists():
        for line in boots.read_text(encoding="utf-8").splitlines():
            terminalreporter.write_line(f"lab host: {line}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    """Show with a failure what Sundog logged last."""
    report = yield
    if report.failed:
        host = LabHost(place("test"))
        report.sections.append(("Sundog's log in the lab host", host.sundog_log()))
    return report
