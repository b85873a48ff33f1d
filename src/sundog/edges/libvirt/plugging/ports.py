"""The PCIe ports of a running guest that have room for another device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.errors import HostRefusedError

if TYPE_CHECKING:
    from sundog.core.guest_config import ConfigDevice
    from sundog.edges.libvirt.plugging.hostdevs import Element


def free_port(guest: Element, device: ConfigDevice) -> int | None:
    """Return an empty root port on the bus of the device's guest cell, by its index.

    None leaves it to libvirt, for a device without a cell. Raises HostRefusedError
    when there is none: a running guest gets no new ports.
    """
    if device.guest_cell is None:
        return None
    taken = {
        int(address.get("bus"), 16)
        for address in guest.iterfind("devices/*/address")
        if address.get("type") == "pci" and address.get("bus")
    }
    controllers = list(guest.iterfind("devices/controller"))
    buses = {
        each.get("index")
        for each in controllers
        if each.findtext("target/node") == str(device.guest_cell)
    }
    for each in controllers:
        address = each.find("address")
        if each.get("model") != "pcie-root-port" or address is None:
            continue
        if str(int(address.get("bus", "0"), 16)) not in buses:
            continue
        index = int(each.get("index"))
        if index not in taken:
            return index
    raise HostRefusedError(
        f"the guest has no free PCIe port on its cell {device.guest_cell} for "
        f"{device.slot}; stop and start the server: it then starts with new ones"
    )
