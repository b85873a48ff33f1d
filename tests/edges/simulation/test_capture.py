"""A captured host, simulated again, is the same host to whoever chooses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from sundog.core.devices.device_spec import parse_device_specs
from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import BadConfigurationError
from sundog.core.hosts.host_snapshot import Problem
from sundog.core.hosts.whitelist import HostPolicy, offer
from sundog.edges.libvirt.capabilities_xml import CpuSets
from sundog.edges.libvirt.host_reader import HostIdentity, LibvirtHostReader
from sundog.edges.simulation.capture import VfRule, model_of
from sundog.edges.simulation.host_file import parse_host, read_host_file
from sundog.edges.simulation.host_toml import host_toml
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host, shipped_hosts

if TYPE_CHECKING:
    from sundog.core.hosts.host_snapshot import HostFacts, HostSnapshot
    from sundog.edges.simulation.host_model import HostModel

EVERYTHING = parse_device_specs(
    ['{"vendor_id": "10de", "mdev_type": "*"}', '{"vendor_id": "*"}']
)
VGPUS = parse_device_specs(['{"vendor_id": "10de", "vgpu_type": "*"}'])
NOW = datetime(2026, 1, 1, tzinfo=UTC)
T4 = PciAddress.parse("0000:17:00.0")
SMALL = """
name = "odd"
[[cells]]
cpus = "0-3"
memory_mb = 1024
[[cards]]
address = "0000:17:00.0"
vendor = "8086"
product = "1572"
"""


def scan(model: HostModel, made: tuple[str, ...] = ()) -> HostFacts:
    """Boot a model, make mdevs of types on its T4, and scan it."""
    kernel = SimulatedKernel(model, lambda: UUID(int=9), lambda: NOW)
    for number, type_id in enumerate(made):
        kernel.create_mdev(T4, type_id, UUID(int=number + 1))
    identity = HostIdentity(
        name=model.name,
        uuid=UUID(int=7),
        disk_gb=model.disk_gb,
        libvirt_version=model.libvirt_version,
        qemu_version=model.qemu_version,
        cpu_sets=CpuSets(
            shared=model.cpu_shared_set,
            dedicated=model.cpu_dedicated_set,
            reserved_mb=model.reserved_mb,
        ),
    )
    return LibvirtHostReader(identity, kernel).scan()


def snapshots(facts: HostFacts) -> list[HostSnapshot]:
    """Return the host as rules offer it: with mdevs and functions, and with vGPUs."""
    empty = replace(facts, mdevs=())
    return [offer(empty, rules, HostPolicy()) for rules in (EVERYTHING, VGPUS)]


@pytest.mark.parametrize("name", shipped_hosts())
def test_a_captured_host_gives_the_same_snapshot(name: str) -> None:
    """Through the text of a host file, and captured from there once more."""
    facts = scan(read_host_file(shipped_host(name)))
    captured = parse_host(text := host_toml(model_of(facts, {})))
    again = scan(captured)
    assert snapshots(again) == snapshots(facts)
    assert host_toml(model_of(again, {})) == text
    assert model_of(facts, {}) == captured


def test_mdevs_that_exist_show_that_a_card_makes_one_type() -> None:
    """An empty card does not show it."""
    model = read_host_file(shipped_host("two-socket-8-cards"))
    facts = scan(model, ("nvidia-231",))
    captured = {card.address: card.mdev for card in model_of(facts, {}).cards}
    sharing = {address: m.sharing.value for address, m in captured.items() if m}
    assert sharing.pop(T4) == "one-type"
    assert set(sharing.values()) == {"mixed"}
    assert all(m.types == captured[T4].types for m in captured.values() if m)  # type: ignore[union-attr]  # it has some


def test_vgpus_of_several_sizes_show_that_a_card_mixes_them() -> None:
    """An empty card does not show it; a card without VFs has no vGPUs."""
    model = read_host_file(shipped_host("vgpu-17"))
    empty = [card.vgpu for card in model_of(scan(model), {}).cards if card.vgpu]
    assert empty
    assert not any(vgpu.mixed_sizes for vgpu in empty)
    kernel = SimulatedKernel(model)
    one, two = (f for f in kernel.functions()[1:3])
    kernel.set_vgpu_type(one.address, "1147")
    kernel.set_vgpu_type(two.address, "1148")
    facts = LibvirtHostReader(HostIdentity(name="a", uuid=UUID(int=7)), kernel).scan()
    captured = {card.address: card.vgpu for card in model_of(facts, {}).cards}
    mixed = captured.pop(one.card.address)
    assert mixed is not None
    assert mixed.mixed_sizes
    assert not any(vgpu.mixed_sizes for vgpu in captured.values() if vgpu)


def test_vfs_that_are_not_enabled_are_where_the_pf_says() -> None:
    """Sysfs tells offset, stride and product before there are any."""
    text = SMALL + "vfs = { count = 4, at_boot = 0, product = '154c', offset = 16 }"
    facts = scan(parse_host(text))
    rule = VfRule(offset=16, stride=2, product="154c")
    (card,) = model_of(facts, {T4: rule}).cards
    assert card.vfs is not None
    assert (card.vfs.count, card.vfs.at_boot) == (4, 0)
    assert (card.vfs.offset, card.vfs.stride, card.vfs.product) == (16, 2, "154c")
    (bare,) = model_of(facts, {}).cards
    assert bare.vfs is not None
    assert bare.vfs.product == "ffff"


def test_names_without_an_order_are_left_out() -> None:
    """VFs whose interfaces are not numbered as the VFs are have none in the file."""
    text = SMALL + "vfs = { count = 2, product = '154c', netdev = 'n{n}' }"
    facts = scan(parse_host(text))
    pf, one, two = facts.functions
    shuffled = replace(facts, functions=(pf, two, one))
    (card,) = model_of(facts, {}).cards
    assert card.vfs is not None
    assert card.vfs.netdev == "n{n}"
    (card,) = model_of(shuffled, {}).cards
    assert card.vfs is not None
    assert card.vfs.netdev == ""


def test_a_group_that_cards_share_is_kept() -> None:
    """Groups of one function are numbered anew with each boot."""
    text = SMALL + "iommu_group = 7\n"
    text += text[text.index("[[cards]]") :].replace("17:00.0", "18:00.0")
    captured = model_of(scan(parse_host(text)), {})
    assert [card.iommu_group for card in captured.cards] == [7, 7]
    alone = model_of(scan(parse_host(SMALL + "iommu_group = 7")), {})
    assert [card.iommu_group for card in alone.cards] == [None]


def test_cores_that_lost_threads_are_written_cpu_by_cpu() -> None:
    """A host file's cores are alike; what it cannot say it says in a comment."""
    facts = scan(parse_host(SMALL))
    (cell,) = facts.cells
    uneven = (frozenset({0, 1}), frozenset({2}), frozenset({3}))
    odd = replace(facts, cells=(replace(cell, siblings=uneven),))
    text = host_toml(model_of(odd, {}))
    assert "unequal" in text
    (written,) = parse_host(text).cells
    assert written.cpus == cell.cpus


def test_what_a_host_file_cannot_describe_is_refused() -> None:
    """Cells with gaps, and a host whose reading failed."""
    facts = scan(parse_host(SMALL))
    (cell,) = facts.cells
    problem = Problem(where="0000:17:00.0", reason="cut")
    for odd, told in (
        (replace(facts, cells=(replace(cell, id=1),)), "cell 1 is not numbered"),
        (replace(facts, problems=(problem,)), r"0000:17:00\.0: cut"),
    ):
        with pytest.raises(BadConfigurationError, match=told):
            model_of(odd, {})


def test_a_name_for_people_cannot_break_the_file() -> None:
    """What is not printable is shown as such; quotes and backslashes come back."""
    facts = scan(parse_host(SMALL))
    (function,) = facts.functions
    names = ('a "quoted\\" name', "with\ta tab\n", "café \u2028 line")
    for name in names:
        odd = replace(facts, functions=(replace(function, product=name),))
        (card,) = parse_host(host_toml(model_of(odd, {}))).cards
        assert card.product_name.replace("?", " ") == " ".join(name.split(" ")).replace(
            "\t", " "
        ).replace("\n", " ").replace("\u2028", " ")
