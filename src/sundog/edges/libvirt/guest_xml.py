"""A guest's definition in libvirt's language.

Source: https://libvirt.org/formatdomain.html and libvirt's domaincommon.rng.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lxml import etree
from lxml.builder import E, ElementMaker

from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.pages import SMALL_PAGE_KB
from sundog.edges.libvirt.guest_buses import SPARE_PORTS, Place, seats
from sundog.edges.libvirt.kinds.table import kind_of
from sundog.edges.libvirt.live.guest_files_xml import boot_elements, device_elements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sundog.core.guest_config import ConfigCell, ConfigDevice, GuestConfig
    from sundog.edges.libvirt.live.guest_files import GuestFiles

METADATA: Final = "urn:sundog:guest:1"
_OWN: Final = ElementMaker(namespace=METADATA, nsmap={"sundog": METADATA})

# What XML 1.0 cannot hold, and what a name should not.
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]")

# lxml ships no types; an element by name.
Element = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Which hypervisor the definition is for; libvirt finds an empty emulator."""

    domain_type: str = "kvm"
    arch: str = "x86_64"
    machine: str = "q35"
    emulator: str = ""
    cpu_mode: str = "host-passthrough"


QEMU: Final = Dialect()
# Libvirt's own test driver says in its capabilities that it runs this only.
TEST_DRIVER: Final = Dialect(domain_type="test", arch="i686", cpu_mode="")


def guest_xml(
    config: GuestConfig, dialect: Dialect, files: GuestFiles | None = None
) -> str:
    """Write a guest's definition; raises HostRefusedError for an mdev without name.

    Without ``files`` it has neither disk nor console.
    """
    domain = E.domain(
        E.name(config.name),
        E.uuid(str(config.uuid)),
        E.metadata(_metadata(config)),
        E.memory(str(config.memory_mb), unit="MiB"),
        *_memory_backing(config),
        _vcpu(config),
        *_cputune(config),
        *_numatune(config.cells),
        E.os(
            E.type("hvm", arch=dialect.arch, machine=dialect.machine),
            *(boot_elements(files) if files else ()),
        ),
        E.features(E.acpi(), E.apic()),
        *_cpu(config, dialect),
        _devices(config, dialect, files),
        type=dialect.domain_type,
    )
    text: str = etree.tostring(domain, encoding="unicode", pretty_print=True)
    return text


def number_list(numbers: Iterable[int]) -> str:
    """Print numbers as libvirt and the kernel do: ``0-3,8``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ",".join("-".join(map(str, run)) for run in runs)


def _metadata(config: GuestConfig) -> Element:
    """Who the guest is and what each of its devices serves, for whoever finds it."""
    return _OWN.server(
        _OWN.name(_printable(config.server_name)),
        _OWN.flavor(_printable(config.flavor_name)),
        *(device_record(each) for each in config.devices),
    )


def device_record(device: ConfigDevice) -> Element:
    """Say what a device serves, in the guest's own metadata."""
    return _OWN.device(**dict(_record_of(device)))


def _record_of(device: ConfigDevice) -> Iterator[tuple[str, str]]:
    yield "slot", _printable(device.slot)
    yield "alias", _printable(device.alias)
    yield "kind", device.kind.value
    yield "address", str(device.address)
    if device.type_id:
        yield "type", device.type_id
    if device.mdev is not None:
        yield "mdev", str(device.mdev)


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)


def _memory_backing(config: GuestConfig) -> Iterator[Element]:
    by_size: dict[int, list[int]] = {}
    for cell in config.cells:
        by_size.setdefault(cell.page_kb, []).append(cell.id)
    if not config.cells:
        by_size = {config.page_kb: []}
    pages = [
        E.page(size=str(size), unit="KiB", **_nodeset(cells))
        for size, cells in sorted(by_size.items())
        if size > SMALL_PAGE_KB
    ]
    if pages:
        yield E.memoryBacking(E.hugepages(*pages))


def _nodeset(cells: Iterable[int]) -> dict[str, str]:
    text = number_list(cells)
    return {"nodeset": text} if text else {}


def _vcpu(config: GuestConfig) -> Element:
    cpus = number_list(config.floating_cpus)
    allowed = {"cpuset": cpus} if cpus else {}
    return E.vcpu(str(config.vcpus), placement="static", **allowed)


def _cputune(config: GuestConfig) -> Iterator[Element]:
    tunes = [
        E.vcpupin(vcpu=str(vcpu), cpuset=number_list(cpus))
        for vcpu, cpus in config.pins
    ]
    if config.emulator_cpus:
        tunes.append(E.emulatorpin(cpuset=number_list(config.emulator_cpus)))
    if tunes:
        yield E.cputune(*tunes)


def _numatune(cells: tuple[ConfigCell, ...]) -> Iterator[Element]:
    if not cells:
        return
    every = frozenset[int]().union(*(cell.host_cells for cell in cells))
    yield E.numatune(
        E.memory(mode="strict", nodeset=number_list(every)),
        *(
            E.memnode(
                cellid=str(cell.id),
                mode="strict",
                nodeset=number_list(cell.host_cells),
            )
            for cell in cells
        ),
    )


def _cpu(config: GuestConfig, dialect: Dialect) -> Iterator[Element]:
    cells = [
        E.cell(
            id=str(cell.id),
            cpus=number_list(cell.vcpus),
            memory=str(cell.memory_mb),
            unit="MiB",
        )
        for cell in config.cells
    ]
    mode = {"mode": dialect.cpu_mode} if dialect.cpu_mode else {}
    if cells or mode:
        yield E.cpu(*([E.numa(*cells)] if cells else []), **mode)


def _devices(
    config: GuestConfig, dialect: Dialect, files: GuestFiles | None
) -> Element:
    cells = [cell.id for cell in config.cells]
    laid_out = seats(config.devices, cells, SPARE_PORTS)
    return E.devices(
        *([E.emulator(dialect.emulator)] if dialect.emulator else []),
        E.controller(type="pci", index="0", model="pcie-root"),
        *(
            E.controller(
                E.target(E.node(str(bus.guest_cell)), busNr=str(bus.number)),
                type="pci",
                index=str(bus.index),
                model="pcie-expander-bus",
            )
            for bus in laid_out.buses
        ),
        *(
            E.controller(
                *([_place(port.place)] if port.place else []),
                type="pci",
                index=str(port.index),
                model="pcie-root-port",
            )
            for port in laid_out.ports
        ),
        *(hostdev_xml(each, laid_out.index_of(each.slot)) for each in config.devices),
        *(device_elements(files) if files else ()),
    )


def hostdev_xml(device: ConfigDevice, port: int) -> Element:
    """Write a device at a port, by the port's index."""
    hostdev = kind_of(device.kind).hostdev(device)
    source = (
        E.address(**_parts(hostdev.source))
        if isinstance(hostdev.source, PciAddress)
        else E.address(uuid=str(hostdev.source))
    )
    model = {"model": "vfio-pci"} if hostdev.type == "mdev" else {}
    return E.hostdev(
        E.source(source),
        E.address(type="pci", **_parts(PciAddress(0, port, 0, 0))),
        mode="subsystem",
        type=hostdev.type,
        managed="yes" if hostdev.managed else "no",
        **model,
    )


def _place(place: Place) -> Element:
    address = PciAddress(0, place.bus, place.slot, place.function)
    shared = {"multifunction": "on"} if place.shares_slot else {}
    return E.address(type="pci", **_parts(address), **shared)


def _parts(address: PciAddress) -> dict[str, str]:
    return {
        "domain": f"0x{address.domain:04x}",
        "bus": f"0x{address.bus:02x}",
        "slot": f"0x{address.slot:02x}",
        "function": f"0x{address.function:x}",
    }
