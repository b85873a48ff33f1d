"""How figures are shown."""

from __future__ import annotations

import pytest
from bench.table import NOTHING, Row, p99, show, shown, spread, times


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, NOTHING),
        (0.000012, "12 µs"),
        (0.00123, "1.23 ms"),
        (0.2, "200 ms"),
        (72.0, "72.00 s"),
    ],
)
def test_seconds_are_shown_in_their_unit(seconds: float | None, text: str) -> None:
    """From microseconds to seconds."""
    assert shown(seconds) == text


def test_the_spread_is_median_and_99th_percentile() -> None:
    """Of a hundred, all but the slowest are at or below it."""
    seconds = [n / 1000 for n in range(1, 101)]
    assert 0.099 <= p99(seconds) < 0.1
    assert spread(seconds) == f"50.5 ms, p99 {shown(p99(seconds))}"


def test_a_ratio_says_how_many_times_longer() -> None:
    """A peer that is faster is below 1."""
    assert times(2.0, 0.001) == "2,000 \N{MULTIPLICATION SIGN}"
    assert times(0.5, 1.0) == "0.5 \N{MULTIPLICATION SIGN}"


def test_equal_work_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Its sizes stand below each other."""
    show([Row(work="choosing", size="10"), Row(work="choosing", size="100")])
    printed = capsys.readouterr().out
    assert printed.count("choosing") == 1
    assert " 100 " in printed
