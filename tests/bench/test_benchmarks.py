"""Every benchmark runs, with tiny sizes and without the peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.peers.answers import Peers
from bench.table import NOTHING

from bench import bench_choose, bench_choosers, bench_exact, bench_scan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.table import Row

NOBODY = Peers(on=False)


def quiet(_text: str) -> None:
    """Say nothing."""


def by_size(rows: Iterable[Row]) -> dict[str, str]:
    """Return what was measured of Sundog."""
    return {row.size: row.ours for row in rows}


def test_choosing_is_measured() -> None:
    """Every row has a figure of ours, and none of peers that are not there."""
    sizes = bench_choose.Sizes(hosts=(2, 3), rounds=4, rare=100, memory=2, vfs=16)
    rows = list(bench_choose.rows(NOBODY, quiet, sizes))
    assert {"2 hosts, 2 unlike", "16 host cells"} <= {row.size for row in rows}
    for row in rows:
        assert row.ours != NOTHING
        assert {row.nova, row.placement, row.ratio} == {NOTHING}


def test_exactness_is_measured() -> None:
    """And on a few cases, nothing is wrong."""
    sizes = bench_exact.Sizes(own=40, shared=40)
    rows = list(bench_exact.rows(NOBODY, quiet, sizes))
    wrong = [row for row in rows if row.size != "that fit"]
    assert len(wrong) == 6
    assert {row.ours for row in wrong} == {"0"}
    assert all(int(row.ours) > 0 for row in rows if row.size == "that fit")


def test_two_choosers_fill_a_host_to_its_last_device() -> None:
    """Each device has one server; Placement and the claims agree."""
    sizes = bench_choosers.Sizes(choosers=2, hosts=1)
    found = by_size(bench_choosers.rows(quiet, sizes))
    assert found["1 hosts, 16 devices"] == "16 placed"
    assert found["oversold, lost"] == "0 oversold, 0 lost"
    assert float(found["claims per second"]) > 0


def test_scanning_is_measured() -> None:
    """One call lists the host; a card that changed is one more, and no more."""
    calls = [
        row.ours.rpartition(", ")[2]
        for row in bench_scan.rows(quiet, vfs_of_each_nic=4, rounds=3)
    ]
    assert calls[:2] == ["1 calls", "2 calls"]
    assert int(calls[2].split()[0]) > 18
