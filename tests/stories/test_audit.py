"""What somebody else did to a running service is told, and mended where it is safe."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from tests.stories.service import Service, open_service

from sundog.core.devices.pci_address import PciAddress
from sundog.core.guest_config import GuestConfig
from sundog.core.hosts.called_tree import call_for
from sundog.core.hosts.provider_tree import (
    Provider,
    ProviderTree,
    card_name,
    provider_uuid,
)
from sundog.core.lives.phases import ServerEvent

T4 = PciAddress.parse("0000:17:00.0")
RULES = ['{"product_id": "1eb8", "mdev_type": "nvidia-232"}']
ALIASES = [json.dumps({"name": "vGPU", "device_type": "type-MDEV"})]


@pytest.fixture(name="service")
def _service(tmp_path: Path) -> Iterator[Service]:
    service = open_service(tmp_path, ["a=small"], RULES, ALIASES)
    with service.embedded:
        service.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
        yield service


def booted(service: Service) -> UUID:
    [one] = service.create("slice")
    service.wait()
    return one


def audit(service: Service) -> list[tuple[str, str]]:
    found = service.call("GET", "/v1/audit")["disagreements"]
    return [(one["kind"], one["repair"]) for one in found]


def heal(service: Service) -> list[bool]:
    done = service.call("POST", "/v1/audit", {})["disagreements"]
    return [one["mended"] for one in done]


def test_a_lost_charge_is_written_again_vgpu_and_cells_included(
    service: Service,
) -> None:
    """Nested providers too: the card's and the cell's."""
    one, ledger = booted(service), service.embedded.conductor.ledger
    before = ledger.allocation(one)
    ledger.release(one)
    assert audit(service) == [("allocation-missing", "write the allocation again")]
    assert heal(service) == [True]
    assert ledger.allocation(one) == before
    assert len(before) > 1
    service.check_agreement()


def test_our_mdev_without_a_claim_is_removed_and_anothers_stays(
    service: Service,
) -> None:
    """Its name tells whose it is; what is not ours is told and never touched."""
    one, kernel = booted(service), service.embedded.simulated["a"].kernel
    [made] = kernel.mdevs()
    service.delete([one])
    foreign = uuid4()
    for name in (made.uuid, foreign):
        kernel.create_mdev(T4, "nvidia-232", name)
    assert sorted(audit(service)) == [
        ("mdev-foreign", "reported only"),
        ("mdev-orphaned", "remove the mdev"),
    ]
    assert sorted(heal(service)) == [False, True]
    assert [mdev.uuid for mdev in kernel.mdevs()] == [foreign]
    assert audit(service) == [("mdev-foreign", "reported only")]


def test_a_claim_of_a_server_that_is_gone_is_given_back(service: Service) -> None:
    """Its device, its charge and its record go, and the device is offered again."""
    one, conductor = booted(service), service.embedded.conductor
    service.embedded.simulated["a"].tools.guests.stop(one)
    for event in (ServerEvent.ASK_DELETE, ServerEvent.FINISH_DELETE):
        conductor.advance(one, event)
    assert audit(service) == [("claim-abandoned", "give the claim back")]
    assert heal(service) == [True]
    service.check_agreement()
    service.create("slice", count=4)
    assert {server["status"] for server in service.wait()} == {"ACTIVE"}


def test_a_provider_of_a_card_that_is_gone_is_removed(service: Service) -> None:
    """Only one that we made; what others put below the host stays."""
    booted(service)
    conductor = service.embedded.conductor
    state = conductor.fleet.state("a")
    assert state is not None
    root, called = state.snapshot.uuid, call_for(state.snapshot, state.holdings)
    name = card_name("a", PciAddress.parse("0000:99:00.0"))
    left = Provider(uuid=provider_uuid(root, name), name=name, parent=root)
    theirs = Provider(uuid=uuid4(), name="storage", parent=root)
    conductor.ledger.report(ProviderTree.of([*called.providers.values(), left, theirs]))
    assert audit(service) == [("provider-left", "report the host to Placement again")]
    assert heal(service) == [True]
    there = conductor.ledger.providers(root)
    assert (left.uuid in there, theirs.uuid in there) == (False, True)
    service.check_agreement()


def test_a_guest_that_nobody_claims_is_told_and_runs_on(service: Service) -> None:
    """It may be somebody's only copy."""
    guests, stranger = service.embedded.simulated["a"].guests, uuid4()
    guests.start(
        GuestConfig(
            uuid=stranger,
            name="stranger",
            server_name="stranger",
            flavor_name="none",
            memory_mb=64,
            vcpus=1,
        )
    )
    assert audit(service) == [("guest-unclaimed", "reported only")]
    assert heal(service) == [False]
    assert guests.running() == {stranger}


def test_a_guest_that_died_is_told(service: Service) -> None:
    """Its server is named; starting it anew is for people."""
    one = booted(service)
    service.embedded.simulated["a"].tools.guests.stop(one)
    assert audit(service) == [("guest-missing", "reported only")]
    assert heal(service) == [False]
