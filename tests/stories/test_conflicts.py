"""Somebody else claims in Placement first: the next alternate is taken."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.stories.service import Service, open_service

from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.provider_tree import card_name, provider_uuid
from sundog.workflows.ports import Owner

CARD = PciAddress.parse("0000:17:00.0")
RULES = ['{"product_id": "1eb8", "mdev_type": "nvidia-232"}']
ALIASES = ['{"name": "vGPU", "device_type": "type-MDEV"}']


@pytest.fixture(name="service")
def _service(tmp_path: Path) -> Iterator[Service]:
    service = open_service(tmp_path, ["a=small", "b=small"], RULES, ALIASES)
    with service.embedded:
        service.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
        yield service


def take_all_slices(service: Service, host: str) -> None:
    """Claim a host's vGPUs in Placement, as another service might."""
    root = service.embedded.agents[host].report().uuid
    card = provider_uuid(root, card_name(host, CARD))
    owner = Owner(project_id="other", user_id="other")
    ledger = service.embedded.conductor.ledger
    ledger.claim(uuid4(), {card: {"VGPU": 4}}, owner)


def test_conflict_takes_the_next_host(service: Service) -> None:
    """Whichever host was best, servers go where Placement has room."""
    take_all_slices(service, "a")
    service.create("slice", count=3)
    servers = service.wait()
    assert [server["status"] for server in servers] == ["ACTIVE"] * 3
    assert {server["OS-EXT-SRV-ATTR:host"] for server in servers} == {"b"}


def test_conflict_everywhere_is_told(service: Service) -> None:
    """With both hosts taken the fault names them and Placement's refusal."""
    take_all_slices(service, "a")
    take_all_slices(service, "b")
    service.create("slice")
    [server] = service.wait()
    assert server["status"] == "ERROR"
    message = server["fault"]["message"]
    assert message.startswith("No valid host was found. 2 tried")
    assert "Placement refused the claim" in message
    for name, host in service.embedded.simulated.items():
        assert host.kernel.mdevs() == ()
        assert service.embedded.conductor.claims.of_host(name) == []
