"""A device that fails, or that the operator holds, is offered no more."""

from __future__ import annotations

from dataclasses import replace

from tests.core.hosts.tree_hosts import GPU, PF, host, mixed_gpu, nic, vf

from sundog.core.devices.health import DeviceHealth, withhold

GOOD = DeviceHealth(host="h1", address=str(GPU))


def test_one_failure_is_forgiven_and_two_are_not() -> None:
    once = GOOD.failed("busy")
    assert once.why_not == ""
    assert once.failed("gone").why_not == "failed its preparation 2 times: gone"


def test_the_operators_reason_is_shown() -> None:
    held = replace(GOOD, held=True, reason="fan")
    assert held.failed("busy").why_not == "held by the operator: fan"
    silent = replace(held, reason="").why_not
    assert silent == "held by the operator: no reason given"


def test_what_is_held_back_is_not_offered() -> None:
    """All types of a function, one VF; what has a reason already keeps it."""
    card = nic()
    gone = replace(card.devices[1], unavailable="gone")
    card = replace(card, devices=(card.devices[0], gone, *card.devices[2:]))
    reasons = {GPU: "loud", vf(1): "late", vf(2): "odd"}
    seen = withhold(host(card, mixed_gpu()), reasons)
    told = [
        (device.address, device.unavailable)
        for each in seen.cards
        for device in each.devices
        if device.unavailable
    ]
    assert told == [(vf(1), "gone"), (vf(2), "odd"), (GPU, "loud"), (GPU, "loud")]
    assert seen.cards[0].devices[0].address == PF


def test_nothing_held_back_changes_nothing() -> None:
    there = host(nic())
    assert withhold(there, {}) is there
