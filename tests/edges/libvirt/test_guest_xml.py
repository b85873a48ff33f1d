"""Every guest that the core can make is libvirt's language, and comes back whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libvirt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.edges.libvirt.configs import configs
from tests.edges.libvirt.simulated import ALICE, SPACE

from sundog.core.devices.device import DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.guest_config import ConfigCell, ConfigDevice, GuestConfig
from sundog.edges.libvirt.capabilities_xml import cpu_list
from sundog.edges.libvirt.connection import Connection, open_connection
from sundog.edges.libvirt.guest_buses import seats
from sundog.edges.libvirt.guest_xml import (
    METADATA,
    QEMU,
    TEST_DRIVER,
    guest_xml,
    number_list,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    """Libvirt's test driver with its default host."""
    connection = open_connection("test:///default")
    yield connection
    connection.close()


def through_libvirt(connection: Connection, config: GuestConfig) -> etree._Element:
    """Validate, define and start a guest; return what libvirt says it runs."""
    domain = connection.defineXMLFlags(
        guest_xml(config, TEST_DRIVER), libvirt.VIR_DOMAIN_DEFINE_VALIDATE
    )
    try:
        domain.create()
        text = domain.XMLDesc()
        domain.destroy()
    finally:
        domain.undefine()
    return etree.fromstring(text.encode())


def cpus_of(element: etree._Element | None) -> frozenset[int]:
    text = "" if element is None else element.get("cpuset", "")
    return cpu_list(text) if text else frozenset()


def hostdevs(root: etree._Element) -> list[tuple[str, str, int | None]]:
    """Source, managed, and the guest cell found by walking up the buses."""
    controllers = {
        int(each.get("index")): each for each in root.iterfind(".//controller")
    }
    found = []
    for hostdev in root.iterfind(".//hostdev"):
        address = hostdev.find("source/address")
        keys = ("domain", "bus", "slot", "function")
        source = address.get("uuid") or str(
            PciAddress(*(int(address.get(key), 16) for key in keys))
        )
        cell, place = None, hostdev.find("address")
        # Libvirt would choose a port, on any bus.
        assert place is not None, source
        while place is not None and cell is None:
            controller = controllers[int(place.get("bus"), 16)]
            node = controller.findtext("target/node")
            cell = None if node is None else int(node)
            place = controller.find("address")
        found.append((source, hostdev.get("managed"), cell))
    return found


@given(configs())
@settings(max_examples=60, derandomize=True, deadline=None)
def test_every_guest_is_started_by_libvirt_and_comes_back(
    connection: Connection, config: GuestConfig
) -> None:
    """Cells, pins, pages, devices and their holder survive libvirt's own reading."""
    root = through_libvirt(connection, config)
    assert root.findtext("uuid") == str(config.uuid)
    assert int(root.findtext("memory")) == config.memory_mb * 1024
    assert int(root.findtext("vcpu")) == config.vcpus
    pins = tuple(
        sorted(
            (int(each.get("vcpu")), cpus_of(each))
            for each in root.iterfind(".//vcpupin")
        )
    )
    assert pins == config.pins
    assert cpus_of(root.find("vcpu")) == config.floating_cpus
    assert cpus_of(root.find(".//emulatorpin")) == config.emulator_cpus
    assert cells_of(root, config) == config.cells
    assert hostdevs(root) == [
        (
            str(each.mdev or each.address),
            "yes" if each.managed and not each.type_id else "no",
            each.guest_cell,
        )
        for each in config.devices
    ]
    own = root.find(f"metadata/{{{METADATA}}}server")
    assert own.findtext(f"{{{METADATA}}}name") == config.server_name
    records = own.iterfind(f"{{{METADATA}}}device")
    assert [(each.get("slot"), each.get("type", "")) for each in records] == [
        (each.slot, each.type_id) for each in config.devices
    ]


def cells_of(root: etree._Element, config: GuestConfig) -> tuple[ConfigCell, ...]:
    page_kb = {
        cell: int(page.get("size"))
        for page in root.iterfind(".//hugepages/page")
        for cell in (cpu_list(page.get("nodeset")) if page.get("nodeset") else ())
    }
    homes = {
        int(each.get("cellid")): cpu_list(each.get("nodeset"))
        for each in root.iterfind(".//memnode")
    }
    every = root.find("numatune/memory")
    if every is not None:
        assert cpu_list(every.get("nodeset")) == frozenset().union(*homes.values())
    assert all(each.get("mode") == "strict" for each in root.iterfind(".//memnode"))
    pages = root.find(".//hugepages/page")
    if not config.cells:
        assert (pages is not None) == (config.page_kb > 4)
    return tuple(
        ConfigCell(
            id=int(cell.get("id")),
            vcpus=cpu_list(cell.get("cpus")),
            memory_mb=int(cell.get("memory")) // 1024,
            host_cells=homes[int(cell.get("id"))],
            page_kb=page_kb.get(int(cell.get("id")), 4),
        )
        for cell in root.iterfind("cpu/numa/cell")
    )


def device(number: int, guest_cell: int | None) -> ConfigDevice:
    return ConfigDevice(
        slot=f"d-0/{number}",
        alias="d",
        kind=DeviceKind.VF,
        address=PciAddress(0, 1, number // 8, number % 8),
        guest_cell=guest_cell,
    )


@given(st.lists(st.none() | st.integers(0, 3), max_size=64))
@settings(max_examples=100, derandomize=True)
def test_buses_never_overlap(homes: list[int | None]) -> None:
    """Each expander bus has numbers for its ports, each port a place of its own."""
    devices = [device(number, cell) for number, cell in enumerate(homes)]
    laid_out = seats(devices)
    buses, ports = laid_out.buses, laid_out.ports
    cells = {bus.index: bus.guest_cell for bus in buses}
    assert {
        each.device: each.place and cells[each.place.bus]
        for each in ports
        if each.device
    } == {each.slot: each.guest_cell for each in devices}
    ends = [256, *(bus.number for bus in buses)]
    for bus, end in zip(buses, ends, strict=False):
        places = [each.place for each in ports if each.place]
        own = [place for place in places if place.bus == bus.index]
        assert bus.number + len(own) < end
        spots = {(place.slot, place.function) for place in own}
        assert len(spots) == len(own)
        shared = {place.slot for place in own if place.function}
        heads = {place.slot for place in own if place.shares_slot}
        assert heads == shared
    indexes = [bus.index for bus in buses] + [each.index for each in ports]
    assert indexes == list(range(1, len(indexes) + 1))
    assert all(bus.number > 64 for bus in buses)


def test_64_devices_on_one_cell_are_libvirts_language(connection: Connection) -> None:
    """The most that a flavor asks for fits behind one expander bus."""
    config = GuestConfig(
        uuid=ALICE,
        name="many",
        server_name="many",
        flavor_name="f",
        memory_mb=64,
        vcpus=1,
        cells=(
            ConfigCell(
                id=0, vcpus=frozenset({0}), memory_mb=64, host_cells=frozenset({1})
            ),
        ),
        devices=tuple(device(number, 0) for number in range(64)),
    )
    found = hostdevs(through_libvirt(connection, config))
    assert [cell for _, _, cell in found] == [0] * 64


def test_the_dialect_says_type_machine_and_emulator() -> None:
    """The same guest is written for QEMU by another dialect."""
    config = GuestConfig(
        uuid=SPACE, name="g", server_name="s", flavor_name="f", memory_mb=64, vcpus=1
    )
    root = etree.fromstring(guest_xml(config, QEMU))
    assert root.get("type") == "kvm"
    assert dict(root.find("os/type").attrib) == {"arch": "x86_64", "machine": "q35"}
    assert root.find("cpu").get("mode") == "host-passthrough"
    assert root.find("numatune") is None


def test_number_lists() -> None:
    """Runs are written as runs, in order."""
    assert number_list({5, 0, 1, 2, 8, 7}) == "0-2,5,7-8"
    assert number_list(()) == ""


@given(st.text(max_size=30))
@settings(max_examples=60, derandomize=True)
def test_any_name_can_be_written(name: str) -> None:
    """A name with characters that XML cannot hold keeps the others."""
    config = GuestConfig(
        uuid=SPACE, name="g", server_name=name, flavor_name=name, memory_mb=1, vcpus=1
    )
    root = etree.fromstring(guest_xml(config, QEMU))
    written = root.findtext(f".//{{{METADATA}}}name") or ""
    assert len(written) == len(name)
    assert all(a in (b, "\ufffd") for a, b in zip(written, name, strict=True))


def test_a_name_cannot_break_out() -> None:
    """Markup in a name stays text."""
    config = GuestConfig(
        uuid=SPACE,
        name="g",
        server_name="</sundog:name><x/>",
        flavor_name="\x07&amp;",
        memory_mb=1,
        vcpus=1,
    )
    root = etree.fromstring(guest_xml(config, QEMU))
    assert root.findtext(f".//{{{METADATA}}}name") == "</sundog:name><x/>"
    assert root.findtext(f".//{{{METADATA}}}flavor") == "\ufffd&amp;"
