"""VFs are wanted where a rule says how many."""

import pytest

from sundog.core.devices.device import DeviceKind, PciFunction
from sundog.core.devices.device_spec import parse_device_specs
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.vfs import vfs_wanted

NIC = PciAddress.parse("0000:3b:00.0")


def nic(kind: DeviceKind = DeviceKind.PF, unavailable: str = "") -> PciFunction:
    return PciFunction(
        address=NIC,
        vendor_id="8086",
        product_id="1572",
        kind=kind,
        total_vfs=8,
        unavailable=unavailable,
    )


@pytest.mark.parametrize(
    ("rule", "function", "wanted"),
    [
        ('{"product_id": "1572", "sriov_numvfs": 4}', nic(), {NIC: 4}),
        ('{"product_id": "1572", "sriov_numvfs": 64}', nic(), {NIC: 8}),
        ('{"product_id": "1572"}', nic(), {}),
        ('{"product_id": "154c", "sriov_numvfs": 4}', nic(), {}),
        ('{"product_id": "1572", "sriov_numvfs": 4}', nic(DeviceKind.PCI), {}),
        ('{"product_id": "1572", "sriov_numvfs": 4}', nic(unavailable="?"), {}),
    ],
)
def test_vfs_are_wanted_of_readable_pfs_that_a_rule_names(
    rule: str, function: PciFunction, wanted: dict[PciAddress, int]
) -> None:
    """Never more than the PF can have, never of what is no PF or cannot be read."""
    assert vfs_wanted([function], parse_device_specs([rule])) == wanted
