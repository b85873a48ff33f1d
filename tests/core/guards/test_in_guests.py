"""What a running guest has is nobody else's, whoever gave it away."""

from __future__ import annotations

from uuid import UUID

from tests.core.hosts.tree_hosts import holding, share

from sundog.core.choosing.assignment import mdev_uuid
from sundog.core.devices.device import Device, DeviceKind, PciFunction
from sundog.core.devices.pci_address import PciAddress
from sundog.core.guards.in_guests import in_guests

ALICE, BOB = UUID(int=1), UUID(int=2)
PF, FIRST, SECOND, ALONE = (
    PciAddress.parse(f"0000:{place}")
    for place in ("3b:00.0", "3b:00.1", "3b:00.2", "65:00.0")
)


def function(address: PciAddress, parent: PciAddress | None = None) -> PciFunction:
    return PciFunction(
        address=address,
        vendor_id="8086",
        product_id="154c",
        kind=DeviceKind.VF if parent else DeviceKind.PF,
        parent=parent,
    )


NIC = (function(PF), function(FIRST, PF), function(SECOND, PF), function(ALONE))


def test_a_vf_in_a_guest_keeps_its_pf_back_and_no_other_vf() -> None:
    assert in_guests(NIC, {FIRST: BOB}, ()) == {
        FIRST: f"guest {BOB} has {FIRST}",
        PF: f"guest {BOB} has its VF {FIRST}",
    }


def test_a_pf_in_a_guest_keeps_its_vfs_back() -> None:
    assert in_guests(NIC, {PF: BOB}, ()) == {
        PF: f"guest {BOB} has {PF}",
        FIRST: f"guest {BOB} has its PF, {PF}",
        SECOND: f"guest {BOB} has its PF, {PF}",
    }


def test_what_is_claimed_for_the_guest_that_has_it_is_known() -> None:
    """Claimed for another it is not: two cannot have it."""
    device = Device(
        address=ALONE,
        kind=DeviceKind.PCI,
        vendor_id="10de",
        product_id="1db4",
        resource_class="CUSTOM_X",
    )
    held = holding(share(device, ALONE, 0))
    assert in_guests(NIC, {ALONE: held.maker}, [held]) == {}
    assert in_guests(NIC, {ALONE: BOB}, [held]).keys() == {ALONE}


def test_an_mdev_is_counted_where_it_is_made() -> None:
    """So is a function that no scan has found."""
    gone = PciAddress.parse("0000:99:00.0")
    assert in_guests(NIC, {mdev_uuid(ALICE, "d/0"): BOB, gone: BOB}, ()) == {}
