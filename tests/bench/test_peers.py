"""Questions to programs that run in an environment of their own."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest
from bench.peers.environment import PeerError, ask

READY = 'import json, sys, time; job = json.load(sys.stdin); print("{}", flush=True)\n'


def _ask(folder: Path, script: str, seconds: float = 30) -> object:
    peer = folder / "peer.py"
    peer.write_text(READY + dedent(script))
    return ask(peer, {"question": 6}, seconds, Path(sys.executable))


def test_a_peer_answers_a_job(tmp_path: Path) -> None:
    """JSON in, JSON out."""
    script = 'print(json.dumps({"answer": 7 * job["question"]}))'
    assert _ask(tmp_path, script) == {"answer": 42}


def test_a_peer_that_runs_away_is_stopped(tmp_path: Path) -> None:
    """Then there is no answer."""
    assert _ask(tmp_path, "time.sleep(60)", 0.1) is None


def test_a_peer_that_fails_is_quoted(tmp_path: Path) -> None:
    """Its last words say why."""
    with pytest.raises(PeerError, match="no such fleet"):
        _ask(tmp_path, 'raise SystemExit("no such fleet")')
