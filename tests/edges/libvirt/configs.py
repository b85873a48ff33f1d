"""Random guest configurations, as wide as the core could make them."""

from __future__ import annotations

from uuid import UUID

from hypothesis import strategies as st

from sundog.core.devices.device import DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.guest_config import ConfigCell, ConfigDevice, GuestConfig

CPUS = st.frozensets(st.integers(0, 255), min_size=1, max_size=6)
ADDRESSES = st.builds(
    PciAddress,
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFF),
    st.integers(0, 0x1F),
    st.integers(0, 7),
).filter(lambda address: address != PciAddress(0, 0, 0, 0))
# What XML may hold: no control characters, no surrogates.
NAMES = st.text(
    st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc", "Cn")),
    min_size=1,
    max_size=20,
)


@st.composite
def configs(draw: st.DrawFn) -> GuestConfig:
    """Draw a guest: floating, or with up to 4 cells, with up to 5 devices."""
    count = draw(st.integers(0, 4))
    vcpus = draw(st.integers(max(1, count), 8))
    cells = _cells(draw, count, vcpus)
    pinned = draw(st.sets(st.integers(0, vcpus - 1)))
    memory = sum(cell.memory_mb for cell in cells)
    return GuestConfig(
        uuid=UUID(int=draw(st.integers(1, 2**128 - 1))),
        name=f"sundog-{draw(st.uuids(version=4))}",
        server_name=draw(NAMES),
        flavor_name=draw(NAMES),
        memory_mb=memory or draw(st.integers(64, 4096)),
        vcpus=vcpus,
        cells=cells,
        pins=tuple((vcpu, draw(CPUS)) for vcpu in sorted(pinned)),
        emulator_cpus=draw(CPUS | st.just(frozenset[int]())),
        floating_cpus=draw(CPUS | st.just(frozenset[int]())),
        page_kb=draw(st.sampled_from([4, 2048])),
        devices=_devices(draw, count),
    )


def _cells(draw: st.DrawFn, count: int, vcpus: int) -> tuple[ConfigCell, ...]:
    return tuple(
        ConfigCell(
            id=number,
            vcpus=frozenset(range(number, vcpus, count)),
            memory_mb=draw(st.integers(32, 64)) * 2,
            host_cells=draw(st.frozensets(st.integers(0, 7), min_size=1, max_size=2)),
            page_kb=draw(st.sampled_from([4, 2048, 1048576])),
        )
        for number in range(count)
    )


def _devices(draw: st.DrawFn, cells: int) -> tuple[ConfigDevice, ...]:
    addresses = draw(st.lists(ADDRESSES, max_size=5, unique=True))
    seats = st.none() | st.integers(0, cells - 1) if cells else st.none()
    kinds = st.sampled_from(DeviceKind)
    devices = []
    for number, address in enumerate(addresses):
        kind = draw(kinds)
        is_mdev = kind is DeviceKind.MDEV
        devices.append(
            ConfigDevice(
                slot=f"a-0/{number}",
                alias=draw(NAMES),
                kind=kind,
                address=address,
                type_id={DeviceKind.MDEV: "nvidia-35", DeviceKind.VGPU: "1155"}.get(
                    kind, ""
                ),
                mdev=draw(st.uuids(version=4)) if is_mdev else None,
                guest_cell=draw(seats),
                managed=draw(st.booleans()),
            )
        )
    return tuple(devices)
