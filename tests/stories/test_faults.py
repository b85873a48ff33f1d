"""Hosts that fail in the middle: nothing half-done, and the next host is taken."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.stories.service import Service, open_service

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.simulation.host_model import Fault, FaultKind
from sundog.settings.read import read_settings

T4 = PciAddress.parse("0000:17:00.0")
RULES = [
    '{"product_id": "1eb8", "mdev_type": "nvidia-232"}',
    '{"product_id": "1db4"}',
]
ALIASES = [
    json.dumps({"name": "vGPU", "device_type": "type-MDEV"}),
    json.dumps({"name": "v100", "product_id": "1db4"}),
]


@pytest.fixture(name="service")
def _service(tmp_path: Path) -> Iterator[Service]:
    service = open_service(tmp_path, ["a=small", "b=small"], RULES, ALIASES)
    with service.embedded:
        service.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
        service.flavor("both", {"pci_passthrough:alias": "v100:1,vGPU:1"})
        yield service


def ask_fault(service: Service, kind: FaultKind, *hosts: str) -> None:
    for host in hosts:
        kernel = service.embedded.simulated[host].kernel
        kernel.ask_fault(Fault(kind=kind, card=T4))


@pytest.mark.parametrize("kind", [FaultKind.CREATE_FAILS, FaultKind.CREATE_IGNORED])
def test_failing_card_on_one_host_costs_no_server(
    service: Service, kind: FaultKind
) -> None:
    """The kernel refuses, or lies, on one host: every server runs on the other."""
    ask_fault(service, kind, "a")
    service.create("slice", count=4)
    servers = service.wait()
    assert [server["status"] for server in servers] == ["ACTIVE"] * 4
    assert {server["OS-EXT-SRV-ATTR:host"] for server in servers} == {"b"}
    service.check_agreement()


def test_failing_cards_everywhere_end_in_error_with_the_kernels_word(
    service: Service,
) -> None:
    """With no host left the fault tells each host's reason; nothing is left."""
    ask_fault(service, FaultKind.CREATE_FAILS, "a", "b")
    service.create("both")
    [server] = service.wait()
    assert server["status"] == "ERROR"
    assert "Input/output error" in server["fault"]["message"]
    service.check_agreement()
    for host in service.embedded.simulated.values():
        assert host.kernel.mdevs() == ()


def test_vanished_card_is_found_out_when_it_is_needed(service: Service) -> None:
    """A card that fell off the bus since the last scan is refused by its host."""
    ask_fault(service, FaultKind.VANISHES, "a", "b")
    service.create("slice")
    [server] = service.wait()
    assert server["status"] == "ERROR"
    assert str(T4) in server["fault"]["message"]
    service.check_agreement()


def test_unreadable_card_blocks_itself_only(service: Service) -> None:
    """A card whose reading is garbage is not offered; the others go on."""
    ask_fault(service, FaultKind.GARBAGE, "a", "b")
    service.embedded.beat()
    service.flavor("whole", {"pci_passthrough:alias": "v100:1"})
    service.create("whole")
    service.create("slice")
    states = {s["flavor"]["original_name"]: s["status"] for s in service.wait()}
    assert states == {"whole": "ACTIVE", "slice": "ERROR"}
    service.check_agreement()


def test_slow_release_is_waited_for(service: Service) -> None:
    """A driver that is busy at first is asked again, and the delete ends."""
    [one] = service.create("slice")
    service.wait()
    for host in service.embedded.simulated.values():
        fault = Fault(kind=FaultKind.SLOW_RELEASE, card=T4, times=2)
        host.kernel.ask_fault(fault)
    service.delete([one])
    service.check_agreement()


def test_rules_that_change_leave_what_runs_alone(
    service: Service, tmp_path: Path
) -> None:
    """A type that left the whitelist is kept until freed, then never offered."""
    [one] = service.create("slice")
    service.wait()
    narrower = read_settings(
        (), {"state_path": str(tmp_path), "pci.device_spec": [RULES[1]]}
    )
    service.embedded.follow_rules(narrower)
    service.check_agreement()
    assert [s["status"] for s in service.wait()] == ["ACTIVE"]
    service.create("slice")
    assert sorted(s["status"] for s in service.wait()) == ["ACTIVE", "ERROR"]
    service.delete([one])
    service.check_agreement()
