"""A function whose IOMMU group the host uses cannot be given away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.core.hosts.test_whitelist import GPU, PF, VFS

from sundog.core.devices.device_spec import parse_device_specs
from sundog.core.devices.pci_address import PciAddress
from sundog.core.guards.isolation import isolated

if TYPE_CHECKING:
    from sundog.core.devices.device import PciFunction

WHOLE = '{"product_id": "1eb8"}'
TYPES = '{"product_id": "1eb8", "mdev_type": "nvidia-35"}'
CARD = replace(GPU, iommu_group=7)
SOUND = replace(
    GPU,
    address=PciAddress(0, 0x84, 0, 1),
    product_id="10f8",
    mdev_types=(),
    iommu_group=7,
    driver="snd_hda_intel",
)


def reason(rule: str, *functions: PciFunction) -> str:
    """Return why the first function is not offered."""
    return isolated(functions, parse_device_specs([rule]))[0].unavailable


def test_a_mate_that_the_host_uses_keeps_a_function_back() -> None:
    told = reason(WHOLE, CARD, SOUND)
    assert told.startswith(f"IOMMU group 7 has {SOUND.address}, too, which the host")
    assert "(driver snd_hda_intel)" in told


@pytest.mark.parametrize("driver", ["", "vfio-pci", "pcieport"])
def test_a_mate_without_a_driver_of_the_host_is_harmless(driver: str) -> None:
    assert reason(WHOLE, CARD, replace(SOUND, driver=driver)) == ""


def test_functions_of_other_groups_or_of_none_do_not_matter() -> None:
    assert reason(WHOLE, CARD, replace(SOUND, iommu_group=8)) == ""
    assert reason(WHOLE, replace(CARD, iommu_group=None), SOUND) == ""


def test_mates_that_are_offered_too_may_go_to_the_same_guest() -> None:
    assert reason('{"vendor_id": "10de"}', CARD, SOUND) == ""


def test_a_card_that_makes_mdevs_stays_with_the_host() -> None:
    """Its own driver makes them: nothing of the group is given away."""
    assert reason(TYPES, CARD, SOUND) == ""


def test_a_vf_beside_its_pf_is_not_isolated() -> None:
    """A slot without ACS has PF and VFs in one group."""
    vf, pf = (replace(one, iommu_group=3, driver="i40e") for one in (VFS[0], PF))
    told = reason('{"product_id": "154c"}', vf, pf)
    assert f"has {PF.address}, too" in told


def test_what_cannot_be_read_keeps_that_reason() -> None:
    assert reason(WHOLE, replace(CARD, unavailable="half read"), SOUND) == "half read"
