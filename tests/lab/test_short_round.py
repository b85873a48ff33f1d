"""The short round, as CI runs it: from power on to a guest, a loss of power, clean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.lab.built import check_devices, check_provider_tree
from tests.stories.devices.device_stories import (
    KINDS,
    running_servers_run_again_after_a_loss_of_power,
)

if TYPE_CHECKING:
    from tests.lab.lab_ground import LabGround


def test_discovery_equals_what_was_built(ground: LabGround) -> None:
    """Each card, type, instance count, VF and node, and the tree in Placement."""
    check_devices(ground)
    check_provider_tree(ground)


def test_servers_with_an_mdev_and_a_vf_outlive_a_loss_of_power(
    ground: LabGround,
) -> None:
    """The main job with both kinds; each guest reports its device before and after."""
    running_servers_run_again_after_a_loss_of_power(ground, KINDS)
