"""A Placement that is away, broken or closed to us is told as unavailable."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from tests.clients.listening import listening

from sundog.core.errors import UnavailableError
from sundog.core.hosts.provider_tree import Inventory, Provider, ProviderTree
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.sessions import inside_session, token_session
from sundog.workflows.ports import Owner

if TYPE_CHECKING:
    from tests.fakes.placement_front import Front

    from sundog.edges.placement.embedded import EmbeddedPlacement

OWNER = Owner(project_id="demo", user_id="ann")
TREE = ProviderTree.of(
    [Provider(uuid=uuid4(), name="h", inventories={"VGPU": Inventory.of(1)})]
)


def _claim(ledger: PlacementLedger) -> None:
    ledger.claim(uuid4(), {uuid4(): {"VGPU": 1}}, OWNER)


def test_nobody_listening_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody answers here
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        ledger = PlacementLedger(token_session(address, "admin"))
        for ask in (
            lambda: _claim(ledger),
            ledger.check,
            lambda: ledger.report(TREE),
            lambda: ledger.release(uuid4()),
            lambda: ledger.allocation(uuid4()),
            lambda: ledger.consumers(uuid4()),
        ):
            with pytest.raises(UnavailableError, match="cannot be reached"):
                ask()


def test_who_asks_whether_it_is_there_asks_it_once_a_second(front: Front) -> None:
    """Many creates at once cost one question; after a failure each asks anew."""
    now, status = 100.0, ""
    front.before = lambda _: status or None
    ledger = PlacementLedger(inside_session(front), clock=lambda: now)
    for _ in range(3):
        ledger.check()
    assert front.asked == ["GET /resource_providers"]
    now, status = now + 1.0, "500 Internal Server Error"
    for _ in range(2):
        with pytest.raises(UnavailableError, match="failed: 500"):
            ledger.check()
    status = ""
    ledger.allocation(uuid4())
    now += 0.9
    ledger.check()
    assert len(front.asked) == 4


def test_a_failure_inside_placement_is_unavailable(
    ledger: PlacementLedger, front: Front
) -> None:
    front.before = lambda _: "500 Internal Server Error"
    with pytest.raises(UnavailableError, match="failed: 500 as the test says"):
        _claim(ledger)
    with pytest.raises(UnavailableError, match="failed: 500"):
        ledger.report(TREE)


def test_an_answer_that_is_no_json_is_unavailable(
    ledger: PlacementLedger, front: Front
) -> None:
    """Something else listens there, or a proxy stands between."""
    front.before = lambda _: "200 OK"
    front.body = b"<html>"
    with pytest.raises(UnavailableError, match="did not answer in JSON"):
        _claim(ledger)


def test_an_answer_of_another_shape_is_no_crash(
    ledger: PlacementLedger, front: Front
) -> None:
    front.before = lambda _: "502 Bad Gateway"
    front.body = b'["no", "errors"]'
    with pytest.raises(UnavailableError, match="failed: 502"):
        _claim(ledger)


def test_a_token_that_is_not_let_in_is_told(placement: EmbeddedPlacement) -> None:
    with listening(placement) as address:
        ledger = PlacementLedger(token_session(address, "stranger"))
        with pytest.raises(UnavailableError, match=r"403 .*\[placement\] credentials"):
            ledger.release(uuid4())
