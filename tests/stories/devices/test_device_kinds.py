"""The stories of devices over a simulated host that was captured in the lab."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.lab.built import check_devices, check_provider_tree
from tests.lab.lab_host import ALIASES, RULES
from tests.stories.devices.device_stories import (
    KINDS,
    SCARCE,
    a_server_just_made_runs_again_after_a_loss_of_power,
    from_flavor_to_guest_and_back,
    plugged_in_and_out_while_the_guest_runs,
    required_stays_near_and_preferred_crosses,
    running_servers_run_again_after_a_loss_of_power,
    the_same_device_through_stop_start_and_reboot,
    the_same_device_through_suspend_and_resume,
)
from tests.stories.service import Service, open_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

CAPTURED = Path(__file__).parents[2] / "edges/libvirt/goldens/libvirt-11.3/host.toml"


@dataclass
class SimulatedGround:
    """A service over one simulated host; its guests run on libvirt's test driver."""

    folder: Path
    api: Service

    def check_guest(self, server: UUID) -> None:
        """Ask for the server: a guest of the test driver has nothing else to tell."""
        assert self.api.show(server)["status"] == "ACTIVE"

    def check_agreement(self) -> None:
        """Hold all records and the simulated kernel against each other."""
        self.api.check_agreement()

    def check_nothing_left(self) -> None:
        """Look for mdevs and functions of vfio-pci."""
        host = self.api.embedded.simulated["lab"]
        assert host.kernel.mdevs() == ()
        assert host.tools.guests.running() == frozenset()

    def lose_power(self) -> None:
        """Start a new service and a new kernel over the same state."""
        self.api.embedded.close()
        self.api = _open(self.folder)


def _open(folder: Path) -> Service:
    return open_service(
        folder,
        [f"lab={CAPTURED}"],
        [json.dumps(rule) for rule in RULES],
        [json.dumps(alias) for alias in ALIASES],
        **{"DEFAULT.reserved_host_memory_mb": 64},
    )


@pytest.fixture(name="ground")
def _ground(tmp_path: Path) -> Iterator[SimulatedGround]:
    ground = SimulatedGround(tmp_path, _open(tmp_path))
    yield ground
    ground.api.embedded.close()


@pytest.mark.parametrize("alias", KINDS)
def test_from_flavor_to_guest_and_back(ground: SimulatedGround, alias: str) -> None:
    """The main job, with an mdev and with a VF."""
    from_flavor_to_guest_and_back(ground, alias)


@pytest.mark.parametrize("alias", KINDS)
def test_the_same_device_through_stop_start_and_reboot(
    ground: SimulatedGround, alias: str
) -> None:
    """A server keeps its device through what is done to it."""
    the_same_device_through_stop_start_and_reboot(ground, alias)


@pytest.mark.parametrize("alias", KINDS)
def test_the_same_device_through_suspend_and_resume(
    ground: SimulatedGround, alias: str
) -> None:
    """It stays the server's while its guest is on the disk."""
    the_same_device_through_suspend_and_resume(ground, alias)


@pytest.mark.parametrize("alias", SCARCE)
def test_required_stays_near_and_preferred_crosses(
    ground: SimulatedGround, alias: str
) -> None:
    """The policies, with the CPUs near the devices taken."""
    required_stays_near_and_preferred_crosses(ground, alias)


@pytest.mark.parametrize("alias", KINDS)
def test_plugged_in_and_out_while_the_guest_runs(
    ground: SimulatedGround, alias: str
) -> None:
    """A running server gets a device more, and gives it back."""
    plugged_in_and_out_while_the_guest_runs(ground, alias)


def test_the_simulated_host_is_what_the_lab_is_built_of(
    ground: SimulatedGround,
) -> None:
    """As Sundog tells it, and as Placement has it."""
    check_devices(ground)
    check_provider_tree(ground)


def test_a_server_just_made_runs_again(ground: SimulatedGround) -> None:
    """Its device is made again."""
    a_server_just_made_runs_again_after_a_loss_of_power(ground, "slice")


def test_servers_run_again_after_a_loss_of_power(ground: SimulatedGround) -> None:
    """Both kinds are made again."""
    running_servers_run_again_after_a_loss_of_power(ground, KINDS)
