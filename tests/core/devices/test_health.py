"""A device that fails, or that the operator holds, is offered no more."""

from __future__ import annotations

from dataclasses import replace

from tests.core.hosts.tree_hosts import GPU, PF, host, mixed_gpu, nic, vf

from sundog.core.devices.device import DeviceTags
from sundog.core.devices.health import DeviceHealth, used_once, withhold

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


def test_what_was_used_once_waits_for_its_cleaning() -> None:
    """Two cleanings that fail are enough; then people are waited for."""
    used = replace(GOOD, used_by="s1")
    assert used.why_not == "used by s1, and not cleaned since"
    assert (used.waits_for_cleaning, used.is_good) == (True, False)
    once = used.uncleaned("it smokes")
    assert once.why_not == "used, and its cleaning failed: it smokes"
    assert once.waits_for_cleaning
    assert not once.uncleaned("it smokes").waits_for_cleaning
    assert replace(used, held=True, reason="fan").uncleaned("no").reason == "fan"
    assert GOOD.is_good
    assert not GOOD.waits_for_cleaning


def test_the_devices_to_be_cleaned_are_those_of_rules_that_say_so() -> None:
    card = nic()
    tags = DeviceTags(one_time_use=True, cleaning_command=("/bin/scrub",))
    devices = (replace(card.devices[0], tags=tags), *card.devices[1:])
    there = host(replace(card, devices=devices), mixed_gpu())
    assert used_once(there) == {PF: ("/bin/scrub",)}


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
