"""The PCIe ports of a running guest that have room for another device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.errors import HostRefusedError

if TYPE_CHECKING:
    from sundog.core.guest_config import ConfigDevice
    from sundog.edges.libvirt.plugging.hostdevs import Element


def free_port(guest: Element, device: ConfigDevice) -> int:
    """Return an empty root port on the bus of the device's guest cell, by its index.

    A device without a cell sits on the default bus. Raises HostRefusedError when there
    is none: a running guest gets no new ports.
    """
    taken = {
        int(address.get("bus"), 16)
        for address in guest.iterfind("devices/*/address")
        if address.get("type") == "pci" and address.get("bus")
    }
    controllers = list(guest.iterfind("devices/controller"))
    buses = {
        int(each.get("index"))
        for each in controllers
        if each.findtext("target/node") == str(device.guest_cell)
    }
    if device.guest_cell is None:
        buses = {0}
    for each in controllers:
        index = int(each.get("index", "0"))
        is_port = each.get("model") == "pcie-root-port"
        if is_port and index not in taken and _bus_of(each) in buses:
            return index
    cell = device.guest_cell
    where = "outside its cells" if cell is None else f"on its cell {cell}"
    raise HostRefusedError(
        f"the guest has no free PCIe port {where} for {device.slot}; stop and start "
        "the server: it then starts with new ones"
    )


def _bus_of(controller: Element) -> int:
    """Return the bus that a port is on; one that is said to be nowhere is on the first.

    Libvirt seats it there, but its test driver does not write that down.
    """
    address = controller.find("address")
    return 0 if address is None else int(address.get("bus", "0"), 16)
