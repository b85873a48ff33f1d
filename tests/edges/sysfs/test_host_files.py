"""What a check-up reads of the kernel's files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.edges.sysfs.tree import Tree, write

from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.checkup import Findings
from sundog.edges.sysfs.host_files import read_findings, vf_rules

if TYPE_CHECKING:
    from pathlib import Path

NIC = "0000:3b:00.0"


def test_a_hosts_files_are_read(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    folder = tree.function(NIC, "i40e")
    for name, text in (("numvfs", "2"), ("totalvfs", "64"), ("vf_device", "10")):
        write(folder / f"sriov_{name}", text)
    write(folder / "sriov_offset", "16")
    write(folder / "sriov_stride", "1")
    for group in range(3):
        (tmp_path / f"sys/kernel/iommu_groups/{group}").mkdir(parents=True)
    (tmp_path / "sys/module/vfio_pci").mkdir(parents=True)
    nodes = tmp_path / "sys/devices/system/node"
    for node, count in ((0, 96), (1, 0)):
        write(nodes / f"node{node}/hugepages/hugepages-2048kB/nr_hugepages", str(count))
    write(nodes / "possible", "0-1")
    write(tmp_path / "dev/kvm", "x")
    assert read_findings(tmp_path) == Findings(
        iommu_groups=3,
        modules=frozenset({"vfio_pci"}),
        has_mdev_bus=True,
        has_kvm=True,
        pages={2048: {0: 96, 1: 0}},
        vfs={NIC: (2, 64)},
    )
    # The kernel prints the VFs' product without its leading zeros.
    assert vf_rules(tmp_path) == {PciAddress.parse(NIC): (16, 1, "0010")}


def test_a_host_without_any_of_it_has_nothing(tmp_path: Path) -> None:
    """Nothing raises."""
    assert read_findings(tmp_path) == Findings()
    assert vf_rules(tmp_path) == {}


def test_files_that_may_not_be_written_are_told(tmp_path: Path) -> None:
    """One stands for all; root may write every one that the kernel lets be written."""
    tree = Tree(tmp_path)
    file = tree.function(NIC) / "sriov_numvfs"
    write(file, "0")
    file.chmod(0o400)
    told = () if os.geteuid() == 0 else (f"/sys/bus/pci/devices/{NIC}/sriov_numvfs",)
    assert read_findings(tmp_path).closed == told
