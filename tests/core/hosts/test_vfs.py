"""VFs are wanted where a rule says how many."""

from dataclasses import replace

import pytest

from sundog.core.devices.device import DeviceKind, PciFunction
from sundog.core.devices.device_spec import parse_device_specs
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.vfs import vfs_missing, vfs_wanted

NIC = PciAddress.parse("0000:3b:00.0")


def nic(
    kind: DeviceKind = DeviceKind.PF, unavailable: str = "", driver: str = "i40e"
) -> PciFunction:
    return PciFunction(
        address=NIC,
        vendor_id="8086",
        product_id="1572",
        kind=kind,
        total_vfs=8,
        unavailable=unavailable,
        driver=driver,
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


def test_vfs_are_missing_where_none_are_and_nobody_has_the_pf() -> None:
    specs = parse_device_specs(['{"product_id": "1572", "sriov_numvfs": 4}'])
    one = replace(
        nic(DeviceKind.VF), address=PciAddress.parse("0000:3b:02.0"), parent=NIC
    )
    assert vfs_missing([nic()], specs, ()) == {NIC: 4}
    assert vfs_missing([nic(driver="")], specs, ()) == {NIC: 4}
    assert vfs_missing([replace(nic(), total_vfs=0)], specs, ()) == {}
    assert vfs_missing([nic(), one], specs, ()) == {}
    assert vfs_missing([nic()], specs, {NIC}) == {}
    assert vfs_missing([nic(driver="vfio-pci")], specs, ()) == {}
