"""What a real libvirt printed of a real kernel's devices is read, and captured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree
from tests.edges.libvirt.test_guest_xml import hostdevs

from sundog.core.devices.device import DeviceKind, PciFunction
from sundog.core.devices.device_spec import parse_device_specs
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.host_snapshot import HostFacts
from sundog.core.hosts.whitelist import HostPolicy, offer
from sundog.edges.libvirt.capabilities_xml import CpuSets, read_cells
from sundog.edges.libvirt.guest_xml import METADATA
from sundog.edges.libvirt.host_reader import HostIdentity, LibvirtHostReader
from sundog.edges.libvirt.node_devices import read_node_devices
from sundog.edges.simulation.capture import VfRule, model_of
from sundog.edges.simulation.host_file import parse_host
from sundog.edges.simulation.host_toml import host_toml
from sundog.edges.simulation.kernel import SimulatedKernel

LAB = Path(__file__).parent / "goldens" / "lab"
EVERYTHING = parse_device_specs(
    [
        '{"vendor_id": "1234", "mdev_type": "*"}',
        '{"vendor_id": "1b36", "product_id": "0010", "mdev_type": "*"}',
        '{"vendor_id": "*"}',
    ]
)
# ``sriov_offset``, ``sriov_stride`` and ``sriov_vf_device`` of the lab's PFs.
VF_RULES = {
    "0000:22:00.0": VfRule(offset=128, stride=2, product="10ca"),
    "0000:62:00.0": VfRule(offset=128, stride=2, product="10ca"),
    "0000:81:00.0": VfRule(offset=1, stride=1, product="0010"),
}
GIB = {"1g": 16, "2g": 8, "3g": 5, "4g": 4, "8g": 2, "16g": 1}


def describe(_parent: PciAddress, type_id: str) -> str:
    """Say what the lab card's driver says of a type."""
    size = type_id.rpartition("-")[2]
    return (
        f"num_heads=1, frl_config=60, framebuffer={int(size[:-1]) * 1024}M, "
        f"max_resolution=1024x768, max_instance={GIB[size]}"
    )


@pytest.fixture(scope="module")
def facts() -> HostFacts:
    """Read the lab host as a scan reads it."""
    root = etree.parse(LAB / "devices.xml").getroot()
    texts = [etree.tostring(each, encoding="unicode") for each in root]
    devices = read_node_devices(texts, describe)
    assert devices.problems == ()
    return HostFacts(
        name="labhost",
        uuid=UUID(int=1),
        cells=read_cells((LAB / "capabilities.xml").read_text(), CpuSets()),
        functions=devices.functions,
        mdevs=devices.mdevs,
        disk_gb=4,
        libvirt_version=11_003_000,
        qemu_version=10_000_013,
    )


def on_cards(facts: HostFacts) -> dict[str, PciFunction]:
    """Return the functions behind the expander buses, by address."""
    return {str(each.address): each for each in facts.functions if each.numa_nodes}


def test_cells_are_as_the_lab_was_built(facts: HostFacts) -> None:
    """Two sockets of two cells, two threads and huge pages of 2 MB on each."""
    told = [
        (cell.id, cell.socket, sorted(cell.cpus), len(cell.siblings), cell.pages[0])
        for cell in facts.cells
    ]
    assert [each[:4] for each in told] == [
        (0, 0, [0, 1], 1),
        (1, 0, [2, 3], 1),
        (2, 1, [4, 5], 1),
        (3, 1, [6, 7], 1),
    ]
    assert {(pool.size_kb, pool.total) for *_, pool in told} == {(2048, 96)}
    assert facts.cells[1].distances == ((0, 12), (1, 10), (2, 21), (3, 21))


def test_functions_are_as_the_lab_was_built(facts: HostFacts) -> None:
    """Each card with its kind, node and driver; VFs under their PF."""
    found = {
        address: (each.kind, min(each.numa_nodes), each.driver)
        for address, each in on_cards(facts).items()
        if each.parent is None
    }
    assert found == {
        "0000:21:00.0": (DeviceKind.PCI, 0, "sundog_card"),
        "0000:22:00.0": (DeviceKind.PF, 0, "igb"),
        "0000:23:00.0": (DeviceKind.PCI, 0, ""),
        "0000:41:00.0": (DeviceKind.PCI, 1, "sundog_card"),
        "0000:42:00.0": (DeviceKind.PCI, 1, ""),
        "0000:61:00.0": (DeviceKind.PCI, 2, "sundog_card"),
        "0000:62:00.0": (DeviceKind.PF, 2, "igb"),
        "0000:81:00.0": (DeviceKind.PF, 3, "sundog_card"),
    }
    vfs = [str(e.parent) for e in on_cards(facts).values() if e.kind is DeviceKind.VF]
    assert sorted(vfs) == ["0000:22:00.0"] * 2 + ["0000:62:00.0"] * 2 + (
        ["0000:81:00.0"] * 4
    )
    groups = [each.iommu_group for each in on_cards(facts).values()]
    assert None not in groups
    assert len(set(groups)) == len(groups)


def test_types_and_the_mdev_are_told(facts: HostFacts) -> None:
    """A VF of the SR-IOV card makes one; the mdev that was there took its share."""
    for address in ("0000:21:00.0", "0000:41:00.0", "0000:81:00.1"):
        types = on_cards(facts)[address].mdev_types
        assert {each.id.rpartition("-")[2]: each.total for each in types} == GIB
    (mdev,) = facts.mdevs
    assert (mdev.type_id, str(mdev.parent)) == ("sundog_card-2g", "0000:21:00.0")
    left = {t.id: t.available for t in on_cards(facts)["0000:21:00.0"].mdev_types}
    assert left["sundog_card-2g"] == 7
    assert left["sundog_card-16g"] == 0


def test_the_guest_is_told_as_it_was_defined() -> None:
    """Its mdev stands on guest cell 0, and its record names it."""
    root = etree.parse(LAB / "domain.xml").getroot()
    device = root.find(f"metadata/{{{METADATA}}}server/{{{METADATA}}}device")
    assert hostdevs(root) == [(device.get("mdev"), "no", 0)]
    assert root.find("numatune/memnode").get("nodeset") == "0"
    assert root.find("devices/serial/log").get("file").endswith("/console.log")


def test_the_lab_host_is_captured_as_a_host_file(facts: HostFacts) -> None:
    """The text is kept beside its source; simulated, it gives the same snapshot."""
    rules = {PciAddress.parse(at): rule for at, rule in VF_RULES.items()}
    text = host_toml(model_of(facts, rules))
    assert text == (LAB / "host.toml").read_text()
    model = parse_host(text)
    identity = HostIdentity(
        name="labhost",
        uuid=UUID(int=1),
        disk_gb=4,
        libvirt_version=model.libvirt_version,
        qemu_version=model.qemu_version,
    )
    simulated = LibvirtHostReader(identity, SimulatedKernel(model))
    again = replace(simulated.scan(), boot_id="", booted=None, mdevs=())
    empty = _without_mdevs(facts)
    policy = HostPolicy()
    assert offer(again, EVERYTHING, policy) == offer(empty, EVERYTHING, policy)


def _without_mdevs(facts: HostFacts) -> HostFacts:
    """Return the host as it is when its one mdev is gone."""
    functions = tuple(
        replace(
            each,
            mdev_types=tuple(
                replace(kind, available=kind.total or 0) for kind in each.mdev_types
            ),
        )
        if str(each.address) == "0000:21:00.0"
        else each
        for each in facts.functions
    )
    return replace(facts, functions=functions, mdevs=())
