"""From what a scan of a host found to a host file's model of it.

What a scan does not tell is left out: classes, names of vendors, and whether a card
makes one type (or vGPUs of one size) at a time, unless those on it show it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sundog.core.devices.capacity import one_type_shown, type_uses
from sundog.core.devices.device import DeviceKind
from sundog.core.errors import BadConfigurationError
from sundog.core.hosts.pages import SMALL_PAGE_KB
from sundog.edges.simulation.functions import routing_id
from sundog.edges.simulation.host_model import (
    CardModel,
    CellModel,
    HostModel,
    MdevModel,
    Sharing,
    TypeModel,
    VfsModel,
    VgpuModel,
    VgpuTypeModel,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sundog.core.devices.device import Mdev, PciFunction, VgpuPart
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.hosts.host_snapshot import Cell, HostFacts

_DISPLAY, _NETWORK = "0x030200", "0x020000"
_UNNAMED = "ffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class VfRule:
    """What a PF says of VFs that it does not have yet: sysfs's ``sriov_*``."""

    offset: int
    stride: int
    product: str


def model_of(facts: HostFacts, vf_rules: Mapping[PciAddress, VfRule]) -> HostModel:
    """Return a model whose simulated host has the same cells and cards.

    Raises BadConfigurationError for a host that no host file can describe.
    """
    _check_cells(facts)
    mdevs = facts.mdevs
    vfs: dict[PciAddress, list[PciFunction]] = {}
    for function in facts.functions:
        if function.parent is not None:
            vfs.setdefault(function.parent, []).append(function)
    shared = Counter(
        each.iommu_group for each in facts.functions if each.parent is None
    )
    return HostModel(
        name=facts.name,
        description="captured",
        disk_gb=facts.disk_gb,
        libvirt_version=facts.libvirt_version,
        qemu_version=facts.qemu_version,
        cells=tuple(_cell(each) for each in facts.cells),
        cards=tuple(
            _card(each, vfs.get(each.address, []), mdevs, vf_rules, shared)
            for each in facts.functions
            if each.parent is None and not each.unavailable
        ),
        cpu_shared_set=_shared_set(facts.cells),
        cpu_dedicated_set=_union(facts.cells, "dedicated") or None,
    )


def _check_cells(facts: HostFacts) -> None:
    problems = [
        f"cell {cell.id} is not numbered as a host file numbers cells: from 0 in order"
        for number, cell in enumerate(facts.cells)
        if cell.id != number
    ]
    problems += [f"{each.where}: {each.reason}" for each in facts.problems]
    if problems:
        raise BadConfigurationError(*problems)


def _cell(cell: Cell) -> CellModel:
    huge_kb = sum(pool.size_kb * pool.total for pool in cell.pages)
    return CellModel(
        id=cell.id,
        socket=cell.socket or 0,
        cores=cell.siblings,
        memory_mb=cell.memory_mb + -(-huge_kb // 1024),
        pages=tuple(
            (pool.size_kb, pool.total)
            for pool in cell.pages
            if pool.size_kb > SMALL_PAGE_KB
        ),
        distances=tuple(value for _, value in sorted(cell.distances)),
    )


def _shared_set(cells: Sequence[Cell]) -> frozenset[int] | None:
    """Return the CPUs for floating vCPUs; None where all are and none is pinned."""
    shared, dedicated = _union(cells, "shared"), _union(cells, "dedicated")
    if not shared or (not dedicated and shared == _union(cells, "cpus")):
        return None
    return shared


def _union(cells: Sequence[Cell], part: str) -> frozenset[int]:
    return frozenset[int]().union(*(getattr(cell, part) for cell in cells))


def _card(
    function: PciFunction,
    vfs: Sequence[PciFunction],
    mdevs: Sequence[Mdev],
    vf_rules: Mapping[PciAddress, VfRule],
    shared: Counter[int | None],
) -> CardModel:
    # A group of its own has another number after each boot.
    group = function.iommu_group if shared[function.iommu_group] > 1 else None
    makers = [each for each in (function, *vfs) if each.mdev_types]
    return CardModel(
        address=function.address,
        vendor=function.vendor_id,
        product=function.product_id,
        product_name=function.product,
        pci_class=_NETWORK if function.netdevs else _DISPLAY,
        node=min(function.numa_nodes, default=None),
        iommu_group=group,
        driver=function.driver,
        netdev=next(iter(function.netdevs), ""),
        vfs=_vfs(function, vfs, vf_rules.get(function.address)),
        mdev=_mdev(makers, mdevs) if makers else None,
        vgpu=_vgpu([each.vgpu for each in vfs if each.vgpu is not None]),
    )


def _vfs(
    function: PciFunction, vfs: Sequence[PciFunction], rule: VfRule | None
) -> VfsModel | None:
    if function.kind is not DeviceKind.PF or not function.total_vfs:
        return None
    offset, stride = (rule.offset, rule.stride) if rule else _places(function, vfs)
    first = vfs[0] if vfs else None
    return VfsModel(
        count=function.total_vfs,
        at_boot=len(vfs),
        product=first.product_id if first else (rule.product if rule else _UNNAMED),
        product_name=first.product if first else "",
        driver=first.driver if first else "",
        netdev=_pattern(vfs),
        offset=offset,
        stride=stride,
    )


def _places(function: PciFunction, vfs: Sequence[PciFunction]) -> tuple[int, int]:
    """Return SR-IOV's first offset and stride as the VFs that are there show them."""
    ids = [routing_id(each.address) for each in vfs]
    offset = ids[0] - routing_id(function.address) if ids else 1
    return offset, ids[1] - ids[0] if len(ids) > 1 else 1


def _pattern(vfs: Sequence[PciFunction]) -> str:
    """Return the VFs' interface name with ``{n}`` for the VF's number, if it has."""
    names = [next(iter(each.netdevs), "") for each in vfs]
    if not names:
        return ""
    pattern = re.sub(r"0$", "{n}", names[0])
    told = [pattern.replace("{n}", str(number)) for number in range(len(names))]
    return pattern if "{n}" in pattern and told == names else ""


def _mdev(makers: Sequence[PciFunction], mdevs: Sequence[Mdev]) -> MdevModel:
    uses = type_uses(makers, mdevs)
    names = {each.id: each.name for maker in makers for each in maker.mdev_types}
    one_type = one_type_shown(makers, mdevs, uses) is True
    return MdevModel(
        types=tuple(
            TypeModel(
                id=use.id,
                instances=use.total,
                name=names[use.id],
                size_mb=use.size_mb,
            )
            for use in uses
        ),
        sharing=Sharing.ONE_TYPE if one_type else Sharing.MIXED,
        on_vfs=any(maker.parent is not None for maker in makers),
        device_api=makers[0].mdev_types[0].device_api,
    )


def _vgpu(parts: Sequence[VgpuPart]) -> VgpuModel | None:
    """Return the types that VFs may be set to; the largest is the whole card."""
    types = {
        kind.id: VgpuTypeModel(id=kind.id, name=kind.name, size_mb=kind.size_mb)
        for part in parts
        for kind in part.types
        if kind.size_mb
    }
    if not types:
        return None
    in_use = [types[part.current].size_mb for part in parts if part.current in types]
    largest = max(kind.size_mb for kind in types.values())
    return VgpuModel(
        memory_mb=max(largest, sum(in_use)),
        types=tuple(types.values()),
        mixed_sizes=len(set(in_use)) > 1,
    )
