"""Fault scenarios of functions: how they are named, grouped, enabled, given away."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import libvirt
import pytest
from tests.drills.parts import FLAVOR, Machine, Process
from tests.stories.service import Service, open_service

from sundog.core.devices.device import DeviceKind
from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import BadConfigurationError
from sundog.core.guest_config import ConfigDevice, GuestConfig
from sundog.core.lives.phases import Phase
from sundog.edges.simulation.host_model import Fault, FaultKind
from sundog.settings.read import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VF = '{"product_id": "154c"}'
PF = '{"product_id": "1572", "sriov_numvfs": 4}'
WHOLE = '{"product_id": "1db4"}'
ALIASES = (
    '{"name": "vf", "device_type": "type-VF"}',
    '{"name": "pf", "device_type": "type-PF"}',
    '{"name": "v100", "product_id": "1db4"}',
    '{"name": "near", "product_id": "1db4", "numa_policy": "required"}',
)
V100 = PciAddress.parse("0000:65:00.0")
CELLS = """
[[cells]]
cpus = "0-3"
memory_mb = 8192
[[cells]]
socket = 1
cpus = "4-7"
memory_mb = 8192
"""
CARD = """
[[cards]]
address = "ADDRESS"
vendor = "10de"
product = "1db4"
class = "0x030200"
"""
NIC = """
[[cards]]
address = "ADDRESS"
vendor = "8086"
product = "1572"
class = "0x020000"
[cards.vfs]
count = 64
product = "154c"
driver = "iavf"
offset = 16
"""


@contextmanager
def running(folder: Path, host: str, *rules: str) -> Iterator[Service]:
    """Run a service over a host that ships, or one that is written here."""
    if "\n" in host:
        file = folder / "odd.toml"
        file.write_text(f'name = "odd"\n{host}', encoding="utf-8")
        host = str(file)
    service = open_service(folder, [f"a={host}"], rules or [VF, WHOLE], ALIASES)
    with service.embedded:
        for name in ("vf", "pf", "v100", "near"):
            service.flavor(name, {"pci_passthrough:alias": f"{name}:1"})
        yield service


def follow(service: Service, folder: Path, *rules: str) -> None:
    settings = {"state_path": str(folder), "pci.device_spec": list(rules)}
    service.embedded.follow_rules(read_settings((), settings))


def outcome(service: Service, flavor: str) -> str:
    [one] = service.create(flavor)
    return str(service.show(one)["status"])


def reasons(service: Service) -> dict[str, str]:
    rows = service.call("GET", "/v1/devices")["devices"]
    return {row["device"]["address"]: row["device"]["reason"] for row in rows}


def free_vfs(service: Service) -> int:
    rows = service.call("GET", "/v1/devices")["devices"]
    vfs = [row["device"] for row in rows if row["device"]["kind"] == "type-VF"]
    return sum(vf["free"] for vf in vfs)


def theirs(machine: Machine) -> libvirt.virDomain:
    """Start a guest on the V100 that is not ours."""
    return machine.connection.createXML(
        f"""
        <domain type="test"><name>theirs</name><memory>65536</memory>
          <os><type>hvm</type></os>
          <devices><hostdev mode="subsystem" type="pci" managed="yes"><source>
            <address domain="0" bus="{V100.bus}" slot="0" function="0"/>
          </source></hostdev></devices>
        </domain>""",
        0,
    )


@pytest.mark.drill("F23")
def test_f23_a_device_that_another_manager_holds_is_not_offered(tmp_path: Path) -> None:
    """The guest that has it is named; once that is gone it is offered again."""
    machine, one = Machine.boot(tmp_path), uuid4()
    foreign = theirs(machine)
    with Process(tmp_path, machine) as process:
        process.start()
        why = f"guest {foreign.UUIDString()} has {V100}"
        assert why_not(process, V100) == why
        assert process.boot(one, FLAVOR) is Phase.ERROR
        fault = process.store.servers.get(one).fault
        assert fault is not None
        assert "has no free v100" in fault.message
        assert process.left() == [f"server {one}"]
        assert process.disagreements() == []
        foreign.destroy()
        process.heartbeat.beat()
        assert why_not(process, V100) == ""
        assert process.boot(uuid4(), FLAVOR) is Phase.ACTIVE
        # What is claimed is its server's, whose guest has it.
        process.heartbeat.beat()
        assert why_not(process, V100) == ""
        assert process.disagreements() == []


def why_not(process: Process, address: PciAddress) -> str:
    """Return why a function is not offered, as choosers know it."""
    state = process.conductor.fleet.state(process.machine.name)
    assert state is not None
    [device] = [
        device
        for card in state.snapshot.cards
        for device in card.devices
        if device.address == address
    ]
    return device.unavailable


@pytest.mark.drill("F23")
def test_f23_a_device_that_another_took_since_is_the_hosts_to_refuse(
    tmp_path: Path,
) -> None:
    """A guest that is not ours runs on it: ours is refused, that one is let be."""
    machine, one = Machine.boot(tmp_path), uuid4()
    with Process(tmp_path, machine) as process:
        process.start()
        foreign = theirs(machine)
        assert process.boot(one, FLAVOR) is Phase.ERROR
        fault = process.store.servers.get(one).fault
        assert fault is not None
        assert f"guest {foreign.UUIDString()} has {V100}" in fault.message
        assert process.left() == [f"server {one}"]
        assert foreign.state()[0] == libvirt.VIR_DOMAIN_RUNNING
        foreign.destroy()
        process.heartbeat.beat()
        assert process.boot(uuid4(), FLAVOR) is Phase.ACTIVE
        assert process.disagreements() == []


@pytest.mark.drill("F23")
def test_f23_the_other_vfs_of_a_card_are_handed_out(tmp_path: Path) -> None:
    """One is in a guest that nobody claims: it is passed by, and its PF is not free."""
    with running(tmp_path, "mixed", VF, PF) as service:
        assert free_vfs(service) == 4
        guests, stranger = service.embedded.simulated["a"].guests, uuid4()
        [first, *_] = sorted(
            row["device"]["address"]
            for row in service.call("GET", "/v1/devices")["devices"]
            if row["device"]["kind"] == "type-VF"
        )
        address = PciAddress.parse(first)
        device = ConfigDevice(
            slot="vf/0", alias="vf", kind=DeviceKind.VF, address=address
        )
        guests.start(
            GuestConfig(
                uuid=stranger,
                name="stranger",
                server_name="stranger",
                flavor_name="vf",
                memory_mb=64,
                vcpus=1,
                devices=(device,),
            )
        )
        service.embedded.beat()
        assert free_vfs(service) == 3
        told = reasons(service)
        assert told[first] == f"guest {stranger} has {first}"
        [pf] = {why for why in told.values() if "has its VF" in why}
        assert pf == f"guest {stranger} has its VF {first}"
        service.create("vf", count=4)
        states = sorted(server["status"] for server in service.wait())
        assert states == ["ACTIVE"] * 3 + ["ERROR"]
        assert guests.holders()[address] == stranger


@pytest.mark.drill("F16")
def test_f16_vfs_are_enabled_again_before_guests_start(tmp_path: Path) -> None:
    """A boot leaves none: the same VFs are there again, and the same guests on them."""
    with running(tmp_path, "mixed", VF, PF) as service:
        ids = service.create("vf", count=2)
        service.wait()
        before = service.embedded.simulated["a"].guests.holders()
        assert set(before.values()) == {*ids}
    again = open_service(tmp_path, ["a=mixed"], [VF, PF], ALIASES)
    with again.embedded:
        assert again.embedded.simulated["a"].guests.holders() == before
        assert {again.show(one)["status"] for one in ids} == {"ACTIVE"}
        assert free_vfs(again) == 2
        again.check_agreement()


@pytest.mark.drill("F31")
def test_f31_wide_domains_and_vfs_beyond_a_slot(tmp_path: Path) -> None:
    """A domain of 17 bits, and 64 VFs over eight slots: each is handed out."""
    card = CARD.replace("ADDRESS", "10000:01:00.0")
    nic = NIC.replace("ADDRESS", "10001:03:00.0")
    with running(tmp_path, CELLS + card + nic) as service:
        assert outcome(service, "v100") == "ACTIVE"
        root = service.embedded.agents["a"].report().uuid
        names = service.embedded.conductor.ledger.providers(root).values()
        assert {"a_10000:01:00.0", "a_10001:03:00.0"} <= set(names)
        ids = service.create("vf", count=20)
        assert {one["status"] for one in service.wait()} == {"ACTIVE"}
        claims = service.embedded.conductor.claims.of_host("a")
        slots = {
            share.address.slot
            for claim in claims
            for share in claim.assignment.devices
            if share.address.domain == 0x10001
        }
        assert len(slots) > 1
        service.check_agreement()
        service.delete(ids)
        service.check_agreement()


@pytest.mark.drill("F32")
@pytest.mark.parametrize(
    ("odd", "node", "ends"),
    [
        ("", "", {"near": "ERROR", "v100": "ACTIVE"}),
        ('[[cells]]\ncpus = "8-9"\nmemory_mb = 0\n', "node = 2", {"near": "ERROR"}),
        (
            "[[cells]]\nmemory_mb = 4096\n",
            "node = 2",
            {"near": "ERROR", "v100": "ACTIVE"},
        ),
        ("", "node = 1", {"near": "ACTIVE"}),
    ],
    ids=["node unknown", "no memory there", "no CPUs there", "as it should be"],
)
def test_f32_odd_cells(
    tmp_path: Path, odd: str, node: str, ends: dict[str, str]
) -> None:
    """Whoever needs the device near is told when there is no such place."""
    card = CARD.replace("ADDRESS", "0000:65:00.0") + node
    for flavor, end in ends.items():
        folder = tmp_path / flavor
        folder.mkdir()
        with running(folder, CELLS + odd + card) as service:
            assert outcome(service, flavor) == end
            service.check_agreement()


@pytest.mark.drill("F33")
def test_f33_a_function_becomes_a_pf_after_it_was_inventoried(tmp_path: Path) -> None:
    """Its driver shows VFs later: what is held goes on, what is new is a PF."""
    nic = NIC.replace("ADDRESS", "0000:03:00.0").replace("count = 64", "count = 4")
    rule = '{"product_id": "1572"}'
    with running(tmp_path, CELLS + nic + "at_boot = 0\n", rule) as service:
        kernel = service.embedded.simulated["a"].kernel
        card = PciAddress.parse("0000:03:00.0")
        service.flavor("any", {"pci_passthrough:alias": "pf:1"})
        kernel.ask_fault(Fault(kind=FaultKind.HIDES_VFS, card=card))
        service.embedded.beat()
        assert outcome(service, "pf") == "ERROR"
        kernel.clear_faults()
        service.embedded.beat()
        [one] = service.create("pf")
        assert service.show(one)["status"] == "ACTIVE"
        kernel.ask_fault(Fault(kind=FaultKind.HIDES_VFS, card=card))
        service.embedded.beat()
        service.check_agreement()
        service.act(one, "reboot", {"type": "HARD"})
        shown = service.show(one)
        assert shown["status"] in {"ACTIVE", "ERROR"}
        kernel.clear_faults()
        service.embedded.beat()
        service.delete([one])
        assert outcome(service, "pf") == "ACTIVE"
        service.check_agreement()


@pytest.mark.drill("F35")
def test_f35_a_foreign_function_in_the_iommu_group(tmp_path: Path) -> None:
    """The host uses it: the group cannot be given away, and the reason is told."""
    card = CARD.replace("ADDRESS", "0000:65:00.0") + "iommu_group = 7\n"
    mate = CARD.replace("ADDRESS", "0000:65:00.1").replace("1db4", "10f7")
    mate += 'iommu_group = 7\ndriver = "snd_hda_intel"\n'
    with running(tmp_path, CELLS + card + mate) as service:
        assert outcome(service, "v100") == "ERROR"
        told = reasons(service)[str(V100)]
        assert told.startswith("IOMMU group 7 has 0000:65:00.1, too")
        kernel = service.embedded.simulated["a"].kernel
        kernel.bind(PciAddress.parse("0000:65:00.1"), "vfio-pci")
        service.embedded.beat()
        assert outcome(service, "v100") == "ACTIVE"
        service.check_agreement()


@pytest.mark.drill("F36")
def test_f36_the_reset_after_a_guests_stop_fails(tmp_path: Path) -> None:
    """The card reads as garbage from then on: offered no more, till it is well."""
    with running(tmp_path, "small") as service:
        [one] = service.create("v100")
        service.wait()
        kernel = service.embedded.simulated["a"].kernel
        kernel.ask_fault(Fault(kind=FaultKind.GARBAGE, card=V100))
        service.delete([one])
        assert outcome(service, "v100") == "ERROR"
        [host] = service.call("GET", "/v1/hosts")["hosts"]
        assert str(V100) in {problem["where"] for problem in host["problems"]}
        service.check_agreement()
        kernel.clear_faults()
        service.embedded.beat()
        assert outcome(service, "v100") == "ACTIVE"
        service.check_agreement()


@pytest.mark.drill("F34")
def test_a_pf_that_is_given_away_is_not_turned_into_vfs(tmp_path: Path) -> None:
    """The reload is refused with the reason; once it is given back it is taken."""
    whole = '{"product_id": "1572"}'
    service = open_service(tmp_path, ["a=mixed"], [whole], ALIASES)
    with service.embedded:
        service.flavor("nic", {"pci_passthrough:alias": "pf:1"})
        [one] = service.create("nic")
        service.wait()
        with pytest.raises(BadConfigurationError, match="would make 4 VFs of it"):
            follow(service, tmp_path, VF, PF)
        assert free_vfs(service) == 0
        service.check_agreement()
        service.delete([one])
        follow(service, tmp_path, VF, PF)
        assert free_vfs(service) == 4


@pytest.mark.drill("F34")
def test_a_card_whose_vfs_are_in_use_is_not_given_away(tmp_path: Path) -> None:
    """Nor does a start with such rules make VFs of a PF that is held."""
    service = open_service(tmp_path, ["a=mixed"], [VF, PF], ALIASES)
    with service.embedded:
        service.flavor("nic", {"pci_passthrough:alias": "vf:1"})
        service.flavor("card", {"pci_passthrough:alias": "pf:1"})
        [one] = service.create("nic")
        service.wait()
        with pytest.raises(BadConfigurationError, match="would be offered instead"):
            follow(service, tmp_path, '{"product_id": "1572"}')
        [other] = service.create("card")
        assert service.show(other)["status"] == "ERROR"
        service.check_agreement()
        service.delete([one, other])
        [last] = service.create("card")
        assert service.show(last)["status"] == "ACTIVE"
        service.check_agreement()
