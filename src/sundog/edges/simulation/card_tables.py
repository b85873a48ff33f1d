"""The ``[[cards]]`` of a host file."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.simulation.functions import vf_address
from sundog.edges.simulation.host_model import (
    CardModel,
    MdevModel,
    Sharing,
    TypeModel,
    VfsModel,
    VgpuModel,
    VgpuTypeModel,
)

if TYPE_CHECKING:
    from sundog.edges.simulation.table import Table

MOST_CARDS: Final = 256
MOST_VFS: Final = 256
MOST_TYPES: Final = 64
_MOST_MB: Final = 16 * 1024 * 1024
_PCI_ID: Final = re.compile(r"[0-9a-f]{4}", re.ASCII)
_CLASS: Final = re.compile(r"0x[0-9a-f]{6}", re.ASCII)
_NOWHERE: Final = PciAddress(0, 0, 0, 0)


def read_cards(host: Table, cells: frozenset[int]) -> tuple[CardModel, ...]:
    """Read all cards; each address of a table makes a card."""
    cards: list[CardModel] = []
    for table in host.tables("cards", MOST_CARDS):
        addresses = _addresses(table)
        model = _card(table)
        if model.node is not None and model.node not in cells:
            table.problem("node", f"there is no cell {model.node}")
        cards += [replace(model, address=address) for address in addresses]
    if len(cards) > MOST_CARDS:
        host.problem("cards", f"must be at most {MOST_CARDS}, not {len(cards)}")
    _check_addresses(host, cards)
    return tuple(cards)


def _addresses(table: Table) -> list[PciAddress]:
    addresses = []
    for item in table.items("address", MOST_CARDS):
        try:
            addresses.append(PciAddress.parse(str(item)))
        except ValueError as error:
            table.problem("address", str(error))
    if not addresses:
        table.problem("address", "is missing; write one, or a list of some")
    return addresses


def _card(table: Table) -> CardModel:
    card = CardModel(
        address=_NOWHERE,
        vendor=table.parsed("vendor", _pci_id, ""),
        product=table.parsed("product", _pci_id, ""),
        vendor_name=table.text("vendor_name", ""),
        product_name=table.text("product_name", ""),
        pci_class=_class(table),
        node=table.number("node", 0, 64) if table.has("node") else None,
        iommu_group=(
            table.number("iommu_group", 0, 999) if table.has("iommu_group") else None
        ),
        driver=table.text("driver", ""),
        netdev=table.text("netdev", ""),
        vfs=_vfs(table.table("vfs")),
        mdev=_mdev(table.table("mdev")),
        vgpu=_vgpu(table.table("vgpu")),
    )
    table.done()
    if card.mdev is not None and card.mdev.on_vfs and card.vfs is None:
        table.problem("mdev.on_vfs", "needs vfs; write vfs = { count = …, … }")
    if card.vgpu is not None and card.vfs is None:
        table.problem("vgpu", "needs vfs; write vfs = { count = …, … }")
    if card.vgpu is not None and card.mdev is not None:
        table.problem("vgpu", "stands beside mdev; a card makes one or the other")
    return card


def _pci_id(text: str) -> str:
    low = text.lower().removeprefix("0x")
    if not _PCI_ID.fullmatch(low):
        raise ValueError(f"{text!r:.20} is not a PCI id of 4 hex digits")
    return low


def _class(table: Table) -> str:
    text = table.text("class", "0x030200").lower()
    if not _CLASS.fullmatch(text):
        table.problem("class", f"{text!r:.20} is not a PCI class like 0x030200")
    return text


def _vfs(table: Table | None) -> VfsModel | None:
    if table is None:
        return None
    count = table.number("count", 1, MOST_VFS)
    vfs = VfsModel(
        count=count,
        at_boot=table.number("at_boot", 0, count, count),
        product=table.parsed("product", _pci_id, ""),
        product_name=table.text("product_name", ""),
        driver=table.text("driver", ""),
        netdev=table.text("netdev", ""),
        offset=table.number("offset", 1, 0xFFFF, 1),
        stride=table.number("stride", 1, 0xFF, 1),
    )
    if vfs.netdev and "{n}" not in vfs.netdev:
        table.problem("netdev", "must hold {n}, which stands for the VF's number")
    table.done()
    return vfs


def _mdev(table: Table | None) -> MdevModel | None:
    if table is None:
        return None
    has_memory = table.has("memory_mb")
    memory = table.number("memory_mb", 1, _MOST_MB) if has_memory else None
    types = tuple(_type(each) for each in table.tables("types", MOST_TYPES))
    ways = [sharing.value for sharing in Sharing]
    mdev = MdevModel(
        types=types,
        sharing=Sharing(table.choice("sharing", ways, Sharing.MIXED.value)),
        on_vfs=table.flag("on_vfs", default=False),
        memory_mb=memory,
        device_api=table.text("device_api", "vfio-pci"),
    )
    table.done()
    if not types:
        table.problem("types", "are missing; write at least one")
    if len({each.id for each in types}) != len(types):
        table.problem("types", "name an id twice")
    for each in types:
        wanted = (each.size_mb or 0) * each.instances
        if memory is not None and wanted > memory:
            table.problem(
                "memory_mb",
                f"{memory} does not hold the {each.instances} instances of "
                f"{each.size_mb} that {each.id} promises",
            )
    return mdev


def _type(table: Table) -> TypeModel:
    kind = TypeModel(
        id=table.text("id"),
        instances=table.number("instances", 1, 1024),
        name=table.text("name", ""),
        size_mb=(
            table.number("size_mb", 1, _MOST_MB) if table.has("size_mb") else None
        ),
    )
    table.done()
    return kind


def _vgpu(table: Table | None) -> VgpuModel | None:
    if table is None:
        return None
    memory = table.number("memory_mb", 1, _MOST_MB)
    types = tuple(_vgpu_type(each) for each in table.tables("types", MOST_TYPES))
    vgpu = VgpuModel(
        memory_mb=memory,
        types=types,
        mixed_sizes=table.flag("mixed_sizes", default=False),
    )
    table.done()
    if not types:
        table.problem("types", "are missing; write at least one")
    if len({each.id for each in types}) != len(types):
        table.problem("types", "name an id twice")
    for each in types:
        if each.size_mb > memory:
            table.problem("memory_mb", f"{memory} does not hold one {each.name}")
    return vgpu


def _vgpu_type(table: Table) -> VgpuTypeModel:
    kind = VgpuTypeModel(
        id=str(table.number("id", 1, 10**6)),
        name=table.text("name"),
        size_mb=table.number("size_mb", 1, _MOST_MB),
    )
    table.done()
    return kind


def _check_addresses(host: Table, cards: list[CardModel]) -> None:
    seen: set[PciAddress] = set()
    for card in cards:
        numbers = range(card.vfs.count if card.vfs else 0)
        try:
            own = [card.address, *(vf_address(card, number) for number in numbers)]
        except ValueError as error:
            host.problem("cards", str(error))
            continue
        for address in own:
            if address in seen:
                host.problem("cards", f"two functions are at {address}")
            seen.add(address)
