"""The stories of devices in the lab, each with an mdev and with a VF."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.stories.devices.device_stories import (
    KINDS,
    SCARCE,
    from_flavor_to_guest_and_back,
    plugged_in_and_out_while_the_guest_runs,
    required_stays_near_and_preferred_crosses,
    the_same_device_through_stop_start_and_reboot,
    the_same_device_through_suspend_and_resume,
)

if TYPE_CHECKING:
    from tests.lab.lab_ground import LabGround


@pytest.mark.parametrize("alias", KINDS)
def test_from_flavor_to_guest_and_back(ground: LabGround, alias: str) -> None:
    """The guest tells its device, and /proc its pins and its memory."""
    from_flavor_to_guest_and_back(ground, alias)


@pytest.mark.parametrize("alias", KINDS)
def test_the_same_device_through_stop_start_and_reboot(
    ground: LabGround, alias: str
) -> None:
    """The guest has it again each time."""
    the_same_device_through_stop_start_and_reboot(ground, alias)


@pytest.mark.parametrize("alias", KINDS)
def test_the_same_device_through_suspend_and_resume(
    ground: LabGround, alias: str
) -> None:
    """The guest tells that it went and that it came again."""
    the_same_device_through_suspend_and_resume(ground, alias)


@pytest.mark.parametrize("alias", KINDS)
def test_plugged_in_and_out_while_the_guest_runs(ground: LabGround, alias: str) -> None:
    """The guest tells what came, and that it went."""
    plugged_in_and_out_while_the_guest_runs(ground, alias)


@pytest.mark.parametrize("alias", SCARCE)
def test_required_stays_near_and_preferred_crosses(
    ground: LabGround, alias: str
) -> None:
    """The guest that crossed tells that its device is on none of its cells."""
    required_stays_near_and_preferred_crosses(ground, alias)
