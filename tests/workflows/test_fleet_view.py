"""The view of the hosts that the conductor's threads share."""

from __future__ import annotations

from uuid import UUID

from tests.workflows.world import host

from sundog.core.choosing.taste import Taste
from sundog.core.requests.guest_request import GuestRequest
from sundog.workflows.fleet_view import FleetView

REQUEST = GuestRequest(vcpus=1, memory_mb=64)


def _view(among: int) -> FleetView:
    view = FleetView(Taste(), among)
    for name in ("a", "b", "c"):
        view.see(host(name))
    return view


def _chosen(among: int, number: int, tried: tuple[str, ...] = ()) -> str | None:
    assignment = _view(among).reserve(UUID(int=number), REQUEST, tried)
    return assignment.host if assignment else None


def test_one_chooser_takes_the_best_host() -> None:
    """Whatever the server's id."""
    assert {_chosen(1, number) for number in range(6)} == {"a"}


def test_choosers_among_several_best_hosts_part_by_the_servers_id() -> None:
    """The same server would take the same host again."""
    assert [_chosen(2, number) for number in range(4)] == ["a", "b", "a", "b"]
    assert {_chosen(9, number) for number in range(6)} == {"a", "b", "c"}


def test_a_host_that_was_tried_is_not_taken_again() -> None:
    """However many may be taken; with none left, none is."""
    assert {_chosen(2, number, ("a",)) for number in range(4)} == {"b", "c"}
    assert _chosen(2, 0, ("a", "b", "c")) is None
