"""All benchmarks, each beside what it is measured against: ``make bench``."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from bench.peers.answers import Peers
from bench.peers.environment import PeerError, install
from bench.table import progress, show

from bench import bench_choose, bench_choosers, bench_exact, bench_scan

if TYPE_CHECKING:
    from bench.table import Say


def main() -> None:
    say, start = progress(), time.monotonic()
    peers = _peers(say)
    rows = [
        *bench_choose.rows(peers, say),
        *bench_exact.rows(peers, say),
        *bench_choosers.rows(say),
        *bench_scan.rows(say),
    ]
    say("servers per second, end to end")
    # A process of its own: it tells how much memory the service takes.
    subprocess.run([sys.executable, "-m", "bench.bench_boot"], check=True)
    show(rows)
    print(f"measured in {time.monotonic() - start:.0f} s")


def _peers(say: Say) -> Peers:
    try:
        install(say)
    except PeerError as error:
        print(f"Without the peers: {error}", file=sys.stderr)
        return Peers(on=False)
    return Peers()


if __name__ == "__main__":
    main()
