"""``/v1/audit`` tells what the audit finds, and mends what is safe."""

from __future__ import annotations

from tests.edges.rest.world import World, body_of
from tests.workflows.world import flavor

from sundog.core.lives.intent import PLANS

NOTHING: dict[str, list[object]] = {"disagreements": [], "jobs": []}


def test_a_charge_that_is_lost_is_told_then_mended() -> None:
    """Told, told again by a dry run, mended, gone."""
    world = World()
    [server] = world.audited.boot(flavor("one-vf", pci="vf:1"))
    assert body_of(world.call("GET", "/audit", base="/v1")) == NOTHING
    world.audited.ledger.release(server)
    line = f"what server {server} claims is not charged in Placement"
    lost = {
        "host": "a",
        "kind": "allocation-missing",
        "what": line,
        "repair": "write the allocation again",
        "server_id": str(server),
        "line": f"a: {line} (write the allocation again)",
        "mended": False,
        "problem": "",
    }
    assert body_of(world.call("GET", "/audit", base="/v1")) == NOTHING | {
        "disagreements": [lost]
    }
    for sent, mended in (({"dry_run": True}, False), ({}, True)):
        told = body_of(world.call("POST", "/audit", sent, base="/v1"))
        assert told == NOTHING | {"disagreements": [lost | {"mended": mended}]}
    assert body_of(world.call("POST", "/audit", {}, base="/v1")) == NOTHING


def test_jobs_under_way_are_named() -> None:
    """What was asked for, and the step that it is at, for as long as it takes."""
    world = World()
    [server] = world.audited.order(flavor("one-vf", pci="vf:1"))
    told = body_of(world.call("GET", "/audit", base="/v1"))
    [job] = told["jobs"]
    assert (job["server_id"], job["job"], job["at"]) == (str(server), "boot", 0)
    assert job["steps"] == list(PLANS["boot"].steps)
    assert job["line"].startswith(f"server {server}: boot, at: claim (1 of 4), since")
    world.audited.work()
    assert body_of(world.call("GET", "/audit", base="/v1")) == NOTHING


def test_placement_away_is_no_agreement() -> None:
    """A 503 that says when to come again, not an empty list."""
    world = World()
    world.audited.ledger.away = True
    answer = world.call("GET", "/audit", base="/v1")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
