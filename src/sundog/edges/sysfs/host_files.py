"""What a check-up reads of a host's kernel: IOMMU, modules, pages, VFs, rights."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.checkup import Findings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_findings(root: Path) -> Findings:
    """Read what the kernel's files below ``root`` tell; what lacks is not there."""
    pci = root / "sys/bus/pci/devices"
    return Findings(
        iommu_groups=len(_names(root / "sys/kernel/iommu_groups")),
        modules=frozenset(_names(root / "sys/module")),
        has_mdev_bus=(root / "sys/bus/mdev").is_dir(),
        has_kvm=os.access(root / "dev/kvm", os.R_OK | os.W_OK),
        pages=_pages(root / "sys/devices/system/node"),
        closed=_closed(root),
        vfs={
            name: (_number(pci / name / "sriov_numvfs"), total)
            for name in _names(pci)
            if (total := _number(pci / name / "sriov_totalvfs"))
        },
    )


def vf_rules(root: Path) -> Mapping[PciAddress, tuple[int, int, str]]:
    """Return each PF's first VF offset, its stride, and its VFs' product id."""
    found = {}
    for path in (root / "sys/bus/pci/devices").glob("*/sriov_vf_device"):
        pf = path.parent
        found[PciAddress.parse(pf.name)] = (
            _number(pf / "sriov_offset"),
            _number(pf / "sriov_stride"),
            path.read_text().strip().zfill(4),
        )
    return found


def _pages(nodes: Path) -> dict[int, dict[int, int]]:
    """Return page size in KiB -> cell -> how many."""
    pages: dict[int, dict[int, int]] = {}
    for node in _names(nodes):
        if not node.removeprefix("node").isdecimal():
            continue
        for pool in _names(nodes / node / "hugepages"):
            size = pool.removeprefix("hugepages-").removesuffix("kB")
            count = _number(nodes / node / "hugepages" / pool / "nr_hugepages")
            pages.setdefault(int(size), {})[int(node.removeprefix("node"))] = count
    return pages


def _closed(root: Path) -> tuple[str, ...]:
    """Return the files that we would write to and may not."""
    pci = root / "sys/bus/pci/devices"
    wanted = sorted(pci.glob("*/sriov_numvfs"))
    wanted += sorted(pci.glob("*/mdev_supported_types/*/create"))
    wanted += sorted(pci.glob("*/nvidia/current_vgpu_type"))
    return tuple(
        f"/{path.relative_to(root)}" for path in wanted if not os.access(path, os.W_OK)
    )[:1]


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0
