"""What was recorded in the lab reads to the host that was captured there."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from tests.edges.libvirt.test_guest_xml import hostdevs

from sundog.core.devices.device import DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.guest_config import ConfigDevice
from sundog.edges.libvirt.capabilities_xml import CpuSets, read_cells
from sundog.edges.libvirt.guest_xml import METADATA
from sundog.edges.libvirt.node_devices import NodeDevices, read_node_devices
from sundog.edges.libvirt.plugging.ports import free_port
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel

GOLDENS = Path(__file__).parent / "goldens" / "libvirt-11.3"


def documents(name: str) -> list[str]:
    root = etree.fromstring((GOLDENS / name).read_bytes())
    return [etree.tostring(each, encoding="unicode") for each in root]


@pytest.fixture(scope="module")
def recorded() -> NodeDevices:
    """Read what libvirt printed while two servers held an mdev and a VF."""
    return read_node_devices(documents("node-devices.xml"))


def test_nothing_that_libvirt_printed_is_unreadable(recorded: NodeDevices) -> None:
    """No function is unavailable, and no document is a problem."""
    assert recorded.problems == ()
    assert not [each for each in recorded.functions if each.unavailable]


def test_the_recorded_functions_are_those_of_the_captured_host(
    recorded: NodeDevices,
) -> None:
    """With the same mdev made, what each type has left is the same, too."""
    kernel = SimulatedKernel(read_host_file(GOLDENS / "host.toml"))
    for mdev in recorded.mdevs:
        kernel.create_mdev(mdev.parent, mdev.type_id, mdev.uuid)
    simulated = read_node_devices(kernel.node_devices())
    assert simulated.functions
    known = {each.address: each for each in recorded.functions}
    for function in simulated.functions:
        real = known[function.address]
        for part in ("vendor_id", "product_id", "kind", "numa_nodes", "parent"):
            assert getattr(real, part) == getattr(function, part), function.address
        left = {kind.id: kind.available for kind in function.mdev_types}
        assert {kind.id: kind.available for kind in real.mdev_types} == left


def test_a_card_with_sriov_is_read_as_its_vfs(recorded: NodeDevices) -> None:
    """The VFs take mdevs, one each, of a budget in common; their PF takes none."""
    own = [each for each in recorded.functions if each.address.bus == 0x81]
    [pf] = [each for each in own if each.kind is DeviceKind.PF]
    vfs = [each for each in own if each.kind is DeviceKind.VF]
    assert not pf.mdev_types
    assert len(vfs) == 4
    [mdev] = recorded.mdevs
    for vf in vfs:
        left = {kind.id for kind in vf.mdev_types if kind.available}
        # The whole card is no longer there for anyone.
        most = {f"sundog_card-{size}g" for size in (1, 2, 3, 4, 8)}
        assert left == (set() if vf.address == mdev.parent else most)


def test_recorded_capabilities_have_four_cells_in_two_sockets() -> None:
    """CPUs with their siblings, huge pages and sockets."""
    text = (GOLDENS / "capabilities.xml").read_text(encoding="utf-8")
    cells = read_cells(text, CpuSets())
    assert [cell.socket for cell in cells] == [0, 0, 1, 1]
    assert [sorted(cell.cpus) for cell in cells] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    huge = [[p.total for p in cell.pages if p.size_kb == 2048] for cell in cells]
    assert huge == [[96]] * 4


# By the golden's name: whether libvirt binds each function, and its guest cell.
GUESTS = {
    "slice": [("no", 0)],
    "vf": [("yes", 0)],
    "pf": [("yes", 0)],
    "three-kinds": [("no", 0), ("yes", 0), ("yes", 0)],
    "two-cells": [("no", 0), ("no", 1)],
}


def guest(name: str) -> etree._Element:
    return etree.fromstring((GOLDENS / f"domain-{name}.xml").read_bytes())


def test_every_recorded_guest_is_read() -> None:
    """One that the lab records and nothing reads would be for show."""
    recorded = {path.name for path in GOLDENS.glob("domain-*.xml")}
    assert {f"domain-{name}.xml" for name in GUESTS} == recorded


@pytest.mark.parametrize("name", GUESTS)
def test_a_recorded_guest_has_what_its_record_names_on_its_cell(name: str) -> None:
    """Libvirt completed its definition, and put no device where we did not."""
    root = guest(name)
    records = root.iterfind(f"metadata/{{{METADATA}}}server/{{{METADATA}}}device")
    found = hostdevs(root)
    named = [each.get("mdev", each.get("address")) for each in records]
    assert [source for source, _, _ in found] == named
    assert [(managed, cell) for _, managed, cell in found] == GUESTS[name]


@pytest.mark.parametrize("name", GUESTS)
def test_a_recorded_guest_has_room_on_each_of_its_cells(name: str) -> None:
    """Its spare ports are empty, and so is the one of a device that is taken out."""
    for number, (_, cell) in enumerate(GUESTS[name]):
        root = guest(name)
        one = ConfigDevice(
            slot="more+1/0",
            alias="more",
            kind=DeviceKind.VF,
            address=PciAddress.parse("0000:62:10.2"),
            guest_cell=cell,
        )
        bus = f"0x{free_port(root, one):02x}"
        assert root.findall(f"devices/*/address[@bus='{bus}']") == []
        hostdev = root.findall("devices/hostdev")[number]
        port = int(hostdev.find("address").get("bus"), 16)
        hostdev.getparent().remove(hostdev)
        assert free_port(root, one) == port
