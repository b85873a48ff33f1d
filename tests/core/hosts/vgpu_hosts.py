"""Hosts with vGPUs on VFs, and requests for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from sundog.core.devices.device import (
    Card,
    DeviceKind,
    MdevType,
    PciFunction,
    VgpuPart,
)
from sundog.core.devices.device_spec import parse_device_specs
from sundog.core.devices.pci_address import PciAddress
from sundog.core.devices.vgpu import types_of_cards, with_known_types
from sundog.core.hosts.host_snapshot import (
    Cell,
    Holding,
    HostFacts,
    HostSnapshot,
)
from sundog.core.hosts.whitelist import HostPolicy, offer
from sundog.core.requests.guest_request import (
    DeviceRequest,
    DeviceWant,
    GuestRequest,
    NumaPolicy,
)

if TYPE_CHECKING:
    from sundog.core.choosing.assignment import Assignment

ROOT = UUID(int=1)
ONE = UUID(int=7)
CARD = PciAddress(0, 0x17, 0, 0)
TYPES = (
    MdevType(id="1152", name="NVIDIA L40S-8Q", available=1, size_mb=8192),
    MdevType(id="1155", name="NVIDIA L40S-24Q", available=1, size_mb=24576),
    MdevType(id="1156", name="NVIDIA L40S-48Q", available=1, size_mb=49152),
)
ANY = '{"vgpu_type": "*", "one_type": false}'
PF = PciFunction(
    address=CARD,
    vendor_id="10de",
    product_id="26b9",
    kind=DeviceKind.PF,
    product="L40S",
    numa_nodes=frozenset({0}),
    total_vfs=8,
)


def vf(number: int, current: str = "") -> PciFunction:
    """Return a VF of an empty card, or one that is set while the others list all."""
    types = (MdevType(id=current),) if current else TYPES
    return PciFunction(
        address=PciAddress(0, 0x17, 0, 4 + number),
        vendor_id="10de",
        product_id="26b9",
        kind=DeviceKind.VF,
        parent=CARD,
        numa_nodes=frozenset({0}),
        vgpu=VgpuPart(current=current, types=types),
    )


def card_of(*set_types: str, left_mb: int = 49152, vfs: int = 8) -> list[PciFunction]:
    """Return a card whose first VFs are set; the others list what fits, if mixed."""
    fits = tuple(kind for kind in TYPES if (kind.size_mb or 0) <= left_mb)
    functions = [PF]
    for number in range(vfs):
        if number < len(set_types):
            functions.append(vf(number, set_types[number]))
        else:
            free = vf(number)
            functions.append(replace(free, vgpu=VgpuPart(types=fits)))
    return functions


def snapshot(
    functions: list[PciFunction],
    *rules: str,
    held: tuple[Holding, ...] = (),
    was_seen: dict[PciAddress, bool] | None = None,
) -> HostSnapshot:
    """Return the host under these rules."""
    # As its agent knows it: the card was seen when it was empty.
    functions = list(with_known_types(functions, types_of_cards(card_of())))
    cpus = frozenset(range(8))
    cell = Cell(
        id=0,
        socket=0,
        cpus=cpus,
        shared=cpus,
        dedicated=frozenset(),
        siblings=(),
        memory_mb=65536,
    )
    facts = HostFacts(
        name="h1",
        uuid=ROOT,
        cells=(cell,),
        functions=tuple(functions),
        one_type=was_seen or {},
    )
    return offer(facts, parse_device_specs(rules or [ANY]), HostPolicy(), held)


def asking(**counts: int) -> GuestRequest:
    """Return a request for vGPUs: ``q8=2`` are two of 8 GiB."""
    return GuestRequest(
        vcpus=1,
        memory_mb=64,
        devices=tuple(
            DeviceRequest(
                id=name,
                alias=name,
                count=count,
                policy=NumaPolicy.REQUIRED,
                wants=(
                    DeviceWant(
                        kind=DeviceKind.VGPU, type_id=f"NVIDIA L40S-{name[1:]}Q"
                    ),
                ),
            )
            for name, count in counts.items()
        ),
    )


def only_card(of: HostSnapshot) -> Card:
    (card,) = of.cards
    return card


def held(assignment: Assignment | None, consumer: UUID = ONE) -> Holding:
    assert assignment is not None
    return Holding(consumer=consumer, assignment=assignment)
