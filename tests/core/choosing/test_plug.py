"""Devices for a guest that is there: its cells stay, the policies hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.core.choosing.plain_hosts import (
    asked,
    cell,
    floating,
    gpu,
    held,
    host,
    of_type,
    parent,
    pinned,
)

from sundog.core.choosing.choose_host import check, fit_host
from sundog.core.choosing.fit_plug import PlugRequest, fit_plug, why_no_plug
from sundog.core.errors import ConflictError
from sundog.core.lives.plug import PlugEvent, PlugState
from sundog.core.requests.guest_request import NumaPolicy

if TYPE_CHECKING:
    from sundog.core.choosing.assignment import Assignment
    from sundog.core.hosts.host_snapshot import HostState
    from sundog.core.requests.guest_request import DeviceRequest, GuestRequest

REQUIRED, SOCKET, PREFERRED, LEGACY = NumaPolicy
# Cells 0 and 1 are one socket; cell 2 is another. The guest fits into cell 0 only.
CELLS = (
    cell(0, socket=0),
    cell(1, socket=0, dedicated=0),
    cell(2, socket=1, dedicated=0),
)
FLOATS = floating()


def running(state: HostState, request: GuestRequest) -> tuple[Assignment, HostState]:
    """Boot a guest; returns what it has, and the host that holds it."""
    found = fit_host(request, state)
    assert found is not None
    return found, held(state, found)


def plug(mine: Assignment, *devices: DeviceRequest, apart: bool = False) -> PlugRequest:
    return PlugRequest(devices=devices, held=mine, isolate=apart)


@pytest.mark.parametrize(
    ("nodes", "allowed"),
    [
        ((0,), {REQUIRED, SOCKET, LEGACY, PREFERRED}),
        ((), {LEGACY, PREFERRED}),
        ((1,), {SOCKET, PREFERRED}),
        ((2,), {PREFERRED}),
    ],
)
@pytest.mark.parametrize("policy", NumaPolicy)
def test_a_policy_holds_against_the_cells_that_the_guest_has(
    policy: NumaPolicy, nodes: tuple[int, ...], allowed: set[NumaPolicy]
) -> None:
    """The columns are those of a boot, and nothing else of the guest changes."""
    mine, state = running(host(gpu(1, *nodes), cells=CELLS), pinned())
    request = plug(mine, asked(policy))
    grown = fit_plug(request, state)
    assert (grown is not None) == (policy in allowed)
    if grown is None:
        assert "that its NUMA policy allows for a guest on cell 0" in why_no_plug(
            request, state
        )
        return
    [share] = grown.devices
    assert replace(grown, devices=()) == mine
    assert share.guest_cell == (0 if nodes == (0,) else None)
    assert share.plug is PlugState.ATTACHING
    assert check(grown, replace(state, holdings=())) == ""


def test_the_nearest_is_taken_first() -> None:
    """Also for a guest that floats: near the cells that it is charged to."""
    cards = gpu(1, 2), gpu(2, 1), gpu(3, 0)
    for request in (pinned(), floating()):
        mine, state = running(host(*cards, cells=CELLS), request)
        home = {share.host_cell for share in mine.cells}
        grown = fit_plug(plug(mine, asked(PREFERRED)), state)
        assert grown is not None
        assert grown.devices[0].numa_nodes == home


@pytest.mark.parametrize("policy", [REQUIRED, SOCKET])
def test_a_guest_that_floats_cannot_be_bound_while_it_is_there(
    policy: NumaPolicy,
) -> None:
    """The way out is told."""
    mine, state = running(host(gpu(1, 0)), FLOATS)
    request = plug(mine, asked(policy))
    assert fit_plug(request, state) is None
    assert why_no_plug(request, state) == (
        f"vGPU has the NUMA policy {policy.value}, but the guest floats over the cells "
        "of one; use a flavor with hw:numa_nodes=1"
    )


def test_what_the_guest_has_is_not_free() -> None:
    """Its own devices count like everybody's."""
    mine, state = running(host(gpu(1, 0)), pinned(asked()))
    request = plug(mine, asked(request_id="vGPU-9"))
    assert fit_plug(request, state) is None
    assert why_no_plug(request, state) == (
        "one needs 1 free vGPU, has 0; delete a server that holds vGPU, or add hosts "
        "with it"
    )


def test_several_are_fitted_together() -> None:
    """One card serves both types only within its budget."""
    cards = parent(1, 0, a=4, b=8)
    mine, state = running(host(cards, cells=CELLS), pinned())
    both = asked(want=of_type("a"), count=2), asked(request_id="b", want=of_type("b"))
    assert fit_plug(plug(mine, both[0]), state) is not None
    assert fit_plug(plug(mine, both[1]), state) is not None
    request = plug(mine, *both)
    assert fit_plug(request, state) is None
    assert why_no_plug(request, state) == (
        "one cannot give vGPU and b together: they share a card, its budget or its "
        "types; free a card with vGPU and b"
    )


def test_isolated_groups_stay_on_cards_of_their_own() -> None:
    """What is attached does not share a card with what is there."""
    cards = parent(1, 0, a=1), parent(2, 0, a=1)
    mine, state = running(host(*cards), pinned(asked(want=of_type("a"))))
    more = asked(request_id="vGPU+1", want=of_type("a"))
    grown = fit_plug(plug(mine, more, apart=True), state)
    assert grown is not None
    assert len({share.card for share in grown.devices}) == 2
    full = replace(state, snapshot=replace(state.snapshot, cards=cards[:1]))
    assert fit_plug(plug(mine, more), full) is not None
    assert fit_plug(plug(mine, more, apart=True), full) is None


def test_a_device_moves_along_its_life() -> None:
    """It is held until its guest has let go, and moves only along the table."""
    mine, state = running(host(gpu(1, 0), cells=CELLS), pinned())
    grown = fit_plug(plug(mine, asked()), state)
    assert grown is not None
    [slot] = [share.slot for share in grown.restless]
    steady = grown.plugging({slot}, PlugEvent.FINISH)
    assert (steady.restless, steady.standing) == ((), steady.devices)
    leaving = steady.plugging({slot}, PlugEvent.DETACH)
    assert (leaving.devices, leaving.standing) == (leaving.restless, ())
    assert leaving.plugging({slot}, PlugEvent.KEEP) == steady
    assert leaving.plugging({slot}, PlugEvent.LET_GO) == mine
    with pytest.raises(ConflictError, match="cannot let go while attached"):
        steady.plugging({slot}, PlugEvent.LET_GO)
