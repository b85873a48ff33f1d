"""Counts the scenarios that were tried and that were survived."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from _pytest.terminal import TerminalReporter

_NAME = "drill"
THOROUGH = bool(os.environ.get("SUNDOG_DRILLS"))


@pytest.fixture
def thorough() -> bool:
    """Whether to take all the time that it takes (``make drills``)."""
    return THOROUGH


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell each report the numbers of its scenarios, or what they are called."""
    report = yield
    for mark in item.iter_markers(_NAME):
        report.user_properties += [(_NAME, scenario) for scenario in mark.args]
    return report


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say how many scenarios were survived of those that were tried."""
    tried: dict[str, bool] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, scenario in getattr(report, "user_properties", ()):
                if name == _NAME:
                    so_far = tried.get(scenario, True)
                    tried[scenario] = so_far and outcome == "passed"
    if tried:
        lost = sorted((n for n in tried if not tried[n]), key=lambda n: (len(n), n))
        line = f"fault scenarios: survived {sum(tried.values())} of {len(tried)} tried"
        terminalreporter.write_line(f"{line}; lost: {', '.join(lost) or 'none'}")
