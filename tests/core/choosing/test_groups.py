"""Requests of one numbered group share a card; groups may be kept apart."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.core.choosing.brute_force import best_crossing
from tests.core.choosing.plain_hosts import asked, floating, host, of_type, parent
from tests.core.choosing.small_hosts import any_request, any_snapshot
from tests.core.choosing.test_exact import crossing

from sundog.core.choosing.choose_host import fit_host
from sundog.core.hosts.host_snapshot import HostState

if TYPE_CHECKING:
    from sundog.core.requests.guest_request import DeviceRequest

A_AND_B = (parent(1, 0, a=1), parent(2, 0, b=1))


def one(name: str, group: str, request_id: str = "") -> DeviceRequest:
    """Ask for one mdev of a type, in a group."""
    found = asked(want=of_type(name), request_id=request_id or f"{group}:{name}")
    return replace(found, group=group, same_card=True)


def test_a_group_of_several_requests_keeps_to_one_card() -> None:
    """Two cards that have a type each are not enough; one that has both is."""
    request = floating(one("a", "g"), one("b", "g"))
    assert fit_host(request, host(*A_AND_B)) is None
    found = fit_host(request, host(*A_AND_B, parent(3, 0, a=1, b=1)))
    assert found is not None
    assert {share.card.bus for share in found.devices} == {3}


@pytest.mark.parametrize("isolate", [True, False])
def test_isolation_is_between_groups(isolate: bool) -> None:  # noqa: FBT001 - a case
    """One group stays on its card; two groups need two, and an alias a third."""
    both = parent(1, 0, a=1, b=1), parent(2, 0, a=1, b=1)
    first, second = ([one(name, group) for name in "ab"] for group in "gh")
    alone = replace(floating(*first), isolate_groups=isolate)
    assert fit_host(alone, host(both[0])) is not None
    two = replace(floating(*first, *second), isolate_groups=isolate)
    assert (fit_host(two, host(both[0])) is None) is isolate
    found = fit_host(two, host(*both))
    assert found is not None
    cards = {share.slot[0]: share.card.bus for share in found.devices}
    assert (len(set(cards.values())) == 2) is isolate
    three = replace(two, devices=(*two.devices, one("a", "")))
    assert (fit_host(three, host(*both)) is None) is isolate


def test_groups_agree_with_trying_everything() -> None:
    """Random groups fit exactly when some way of giving them cards exists."""
    tried = 0
    for seed in range(700):
        random = Random(seed)  # noqa: S311 - test data, no secret
        state = HostState(snapshot=any_snapshot(random))
        request = any_request(random, state.snapshot)
        groups = [d.group for d in request.devices if d.group]
        if len(groups) > 1:
            assert crossing(request, state) == best_crossing(request, state)
            tried += 1
    assert tried > 40
