"""A host's model, written as a host file; ``host_file`` reads it back the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from sundog.core.wording import version_text
from sundog.edges.simulation.host_model import Sharing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sundog.edges.simulation.host_model import (
        CardModel,
        CellModel,
        HostModel,
        MdevModel,
        TypeModel,
        VfsModel,
        VgpuModel,
    )

_DISPLAY: Final = "0x030200"
_UNITS: Final = ((1024 * 1024, "G"), (1024, "M"), (1, "K"))


def host_toml(host: HostModel) -> str:
    """Write a host; what has its default is left out."""
    lines = [*_host(host)]
    for cell in host.cells:
        lines += ["", "[[cells]]", *_cell(cell)]
    for card in host.cards:
        lines += ["", "[[cards]]", *_card(card)]
    return "\n".join(lines) + "\n"


def _host(host: HostModel) -> Iterator[str]:
    yield _text("name", host.name)
    if host.description:
        yield _text("description", host.description)
    yield f"disk_gb = {host.disk_gb}"
    yield _text("libvirt", version_text(host.libvirt_version))
    yield _text("qemu", version_text(host.qemu_version))
    for key, cpus in (
        ("cpu_shared_set", host.cpu_shared_set),
        ("cpu_dedicated_set", host.cpu_dedicated_set),
    ):
        if cpus:
            yield _text(key, _in_order(sorted(cpus)))


def _cell(cell: CellModel) -> Iterator[str]:
    threads = max((len(core) for core in cell.cores), default=1)
    even = all(len(core) == threads for core in cell.cores)
    cores = sorted(cell.cores, key=min)
    if not even:
        yield "# Its cores have unequal numbers of threads on line."
        threads, cores = 1, [frozenset({cpu}) for cpu in sorted(cell.cpus)]
    yield f"socket = {cell.socket}"
    ordered = [sorted(core)[thread] for thread in range(threads) for core in cores]
    yield _text("cpus", _in_order(ordered))
    if threads > 1:
        yield f"threads = {threads}"
    yield f"memory_mb = {cell.memory_mb}"
    if cell.reserved_mb:
        yield f"reserved_mb = {cell.reserved_mb}"
    pages = ", ".join(f"{_page(size)} = {count}" for size, count in cell.pages)
    if pages:
        yield f"pages = {{ {pages} }}"
    if cell.distances:
        yield f"distances = {list(cell.distances)}"


def _in_order(cpus: Sequence[int]) -> str:
    """Print numbers in the order given; runs that go up by one as runs."""
    runs: list[list[int]] = []
    for cpu in cpus:
        if runs and runs[-1][-1] == cpu - 1:
            runs[-1][1:] = [cpu]
        else:
            runs.append([cpu])
    return ",".join("-".join(map(str, run)) for run in runs)


def _page(size_kb: int) -> str:
    unit, letter = next(pair for pair in _UNITS if size_kb % pair[0] == 0)
    return f"{size_kb // unit}{letter}"


def _card(card: CardModel) -> Iterator[str]:
    yield _text("address", str(card.address))
    yield _text("vendor", card.vendor)
    yield _text("product", card.product)
    for key, text in (
        ("vendor_name", card.vendor_name),
        ("product_name", card.product_name),
        ("class", "" if card.pci_class == _DISPLAY else card.pci_class),
        ("driver", card.driver),
        ("netdev", card.netdev),
    ):
        if text:
            yield _text(key, text)
    if card.node is not None:
        yield f"node = {card.node}"
    if card.iommu_group is not None:
        yield f"iommu_group = {card.iommu_group}"
    if card.vfs is not None:
        yield from ("", "[cards.vfs]", *_vfs(card.vfs))
    if card.mdev is not None:
        yield from ("", "[cards.mdev]", *_mdev(card.mdev))
    if card.vgpu is not None:
        yield from ("", "[cards.vgpu]", *_vgpu(card.vgpu))


def _vfs(vfs: VfsModel) -> Iterator[str]:
    yield f"count = {vfs.count}"
    yield f"at_boot = {vfs.at_boot}"
    yield _text("product", vfs.product)
    for key, text in (
        ("product_name", vfs.product_name),
        ("driver", vfs.driver),
        ("netdev", vfs.netdev),
    ):
        if text:
            yield _text(key, text)
    yield f"offset = {vfs.offset}"
    yield f"stride = {vfs.stride}"


def _mdev(mdev: MdevModel) -> Iterator[str]:
    if mdev.sharing is not Sharing.MIXED:
        yield _text("sharing", mdev.sharing.value)
    if mdev.on_vfs:
        yield "on_vfs = true"
    if mdev.memory_mb is not None:
        yield f"memory_mb = {mdev.memory_mb}"
    yield _text("device_api", mdev.device_api)
    yield "types = ["
    yield from (f"  {{ {', '.join(_type(kind))} }}," for kind in mdev.types)
    yield "]"


def _vgpu(vgpu: VgpuModel) -> Iterator[str]:
    yield f"memory_mb = {vgpu.memory_mb}"
    if vgpu.mixed_sizes:
        yield "mixed_sizes = true"
    yield "types = ["
    for kind in vgpu.types:
        name, size = _text("name", kind.name), f"size_mb = {kind.size_mb}"
        yield f"  {{ id = {kind.id}, {name}, {size} }},"
    yield "]"


def _type(kind: TypeModel) -> Iterator[str]:
    yield _text("id", kind.id)
    if kind.name:
        yield _text("name", kind.name)
    if kind.size_mb is not None:
        yield f"size_mb = {kind.size_mb}"
    yield f"instances = {kind.instances}"


def _text(key: str, text: str) -> str:
    # A JSON string without what is not printable is a TOML string.
    shown = "".join(sign if sign.isprintable() else "?" for sign in text)
    return f"{key} = {json.dumps(shown, ensure_ascii=False)}"
