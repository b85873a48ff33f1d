"""Node-device XML is read as libvirt documents it; a bad reading never raises."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from sundog.core.devices.device import DeviceKind, Mdev, MdevType, PciFunction
from sundog.core.devices.pci_address import PciAddress
from sundog.edges.libvirt.node_devices import read_node_device, read_node_devices

GOLDENS = Path(__file__).parent / "goldens"
SCHEMA = Path("/usr/share/libvirt/schemas/nodedev.rng")
DEVICES = sorted(
    path.stem for path in GOLDENS.glob("*.xml") if path.stem != "capabilities"
)


def golden(name: str) -> str:
    return (GOLDENS / f"{name}.xml").read_text()


@pytest.mark.parametrize("name", DEVICES)
def test_goldens_are_libvirts_language(name: str) -> None:
    """Libvirt's own schema accepts each document."""
    schema = etree.RelaxNG(etree.parse(SCHEMA))
    schema.assertValid(etree.parse(GOLDENS / f"{name}.xml"))


def test_pf() -> None:
    """A function with virt_functions is a PF, whether VFs are enabled or not."""
    assert read_node_device(golden("pf_x710")) == PciFunction(
        address=PciAddress.parse("0000:3b:00.0"),
        vendor_id="8086",
        product_id="1572",
        kind=DeviceKind.PF,
        product="Ethernet Controller X710 for 10GbE SFP+",
        numa_nodes=frozenset({0}),
        iommu_group=41,
        driver="i40e",
        total_vfs=64,
    )
    bare = read_node_device(golden("pf_without_vfs"))
    assert isinstance(bare, PciFunction)
    assert (bare.kind, bare.total_vfs) == (DeviceKind.PF, 64)


def test_vf_with_its_network_device() -> None:
    """A VF knows its PF; the interface comes from the net device on it."""
    found = read_node_devices([golden("net_vf_x710"), golden("vf_x710")])
    (vf,) = found.functions
    assert (vf.kind, vf.parent) == (DeviceKind.VF, PciAddress.parse("3b:00.0"))
    assert vf.netdevs == ("ens1f0v1",)
    assert not found.problems


def test_mdev_parent() -> None:
    """Types come with the kernel's word now; descriptions add total and size."""
    texts = {"nvidia-231": "framebuffer=2G, max_instance=8", "nvidia-232": "?"}
    asked = []

    def describe(address: PciAddress, type_id: str) -> str:
        asked.append(address)
        return texts[type_id]

    (gpu,) = read_node_devices([golden("gpu_t4")], describe).functions
    assert gpu.kind is DeviceKind.PCI
    assert gpu.mdev_types == (
        MdevType(
            id="nvidia-231", name="GRID T4-2Q", available=7, total=8, size_mb=2048
        ),
        MdevType(id="nvidia-232", name="GRID T4-4Q", available=0),
    )
    assert set(asked) == {gpu.address}


def test_mdevs_of_newer_and_older_libvirt() -> None:
    """An mdev is known by its uuid element, or by its name before that existed."""
    found = read_node_devices([golden("mdev_t4"), golden("mdev_older_libvirt")])
    parent = PciAddress.parse("0000:84:00.0")
    assert found.mdevs == (
        Mdev(
            uuid=UUID("4b20d080-1b54-4048-85b3-a6a62d165c01"),
            type_id="nvidia-231",
            parent=parent,
            iommu_group=150,
        ),
        Mdev(
            uuid=UUID("783e6dbb-ea0e-411f-94e2-717eaad438bf"),
            type_id="nvidia-231",
            parent=parent,
            iommu_group=151,
        ),
    )


def test_unknown_node_is_unknown() -> None:
    """Node -1 is no node, never 0; a domain may have more than 16 bits."""
    (gpu,) = read_node_devices([golden("gpu_unknown_node_wide_domain")]).functions
    assert gpu.numa_nodes == frozenset()
    assert str(gpu.address) == "10000:01:00.0"


def test_bridges_and_other_devices_are_passed_over() -> None:
    """What nobody can hand out is no device and no problem."""
    disk = "<device><name>block_sda</name><capability type='storage'/></device>"
    found = read_node_devices([golden("bridge"), disk])
    assert found.functions == ()
    assert found.problems == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<bus>132</bus>", "<bus>x</bus>"),
        ("<bus>132</bus>", "<bus>999</bus>"),
        ("<slot>0</slot>", ""),
        ("id='0x10de'", "id='0x10de10de'"),
        ("id='0x10de'", "id='nvidia'"),
        ("<availableInstances>7<", "<availableInstances>-1<"),
        ("<availableInstances>7<", "<availableInstances>many<"),
        ("<numa node='1'/>", "<numa node='one'/>"),
        ("</device>", ""),
        ("<capability type='pci'>", "<capability type='pci'>&lt;<"),
    ],
)
def test_an_unreadable_function_is_unavailable_with_its_reason(
    before: str, after: str
) -> None:
    """It keeps its address, is never offered, and stops nobody else."""
    text = golden("gpu_t4")
    assert before in text
    found = read_node_devices([text.replace(before, after), golden("vf_x710")])
    vf, gpu = found.functions
    assert gpu.address == PciAddress.parse("0000:84:00.0")
    assert "cannot be used" in gpu.unavailable
    assert "\n" not in gpu.unavailable
    assert not vf.unavailable
    assert [each.where for each in found.problems] == ["0000:84:00.0"]


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
@settings(max_examples=100, derandomize=True)
def test_no_text_at_all_raises(text: str) -> None:
    """Garbage is a problem, or an unavailable function; it is never offered."""
    found = read_node_devices([text])
    assert len(found.problems) == 1
    assert all(function.unavailable for function in found.functions)


def test_a_vf_without_a_pf_is_unavailable() -> None:
    """A VF whose PF is not told cannot be charged to a card."""
    root = etree.fromstring(golden("vf_x710").encode())
    physical = root.find(".//capability[@type='phys_function']")
    physical.remove(physical[0])
    (vf,) = read_node_devices([etree.tostring(root, encoding="unicode")]).functions
    assert "PF is not told" in vf.unavailable


def test_an_mdev_of_another_bus_is_a_problem() -> None:
    """An mdev whose parent is no PCI function is told and not touched."""
    text = golden("mdev_t4").replace("pci_0000_84_00_0</parent>", "css_0_0_1</parent>")
    found = read_node_devices([text])
    assert found.mdevs == ()
    assert found.problems[0].where.startswith("mdev_4b20d080")


def test_a_document_without_a_capability_is_a_problem() -> None:
    """A device that does not say what it is, is told by its name."""
    found = read_node_devices(["<device><name>pci_x</name></device>"])
    assert [each.where for each in found.problems] == ["pci_x"]
    assert "no capability" in found.problems[0].reason
