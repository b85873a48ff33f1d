"""What was attached goes with its server; what was detached stays away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.stories.plugs.parts import ALIASES, RULES, Plugs
from tests.stories.service import Service, open_service

from sundog.edges.simulation.host_model import FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="service", scope="module")
def _service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Open a service with two hosts that have the same devices."""
    folder: Path = tmp_path_factory.mktemp("moves")
    patience = {"libvirt.device_detach_timeout": 0}
    hosts = ["a=small", "b=small"]
    service = open_service(folder, hosts, RULES, ALIASES, **patience)
    with service.embedded:
        service.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
        service.flavor("two", {"pci_passthrough:alias": "vGPU:2"})
        yield service


def moved(service: Service, one: Plugs, *, flavor: str = "") -> None:
    """Resize a server, or migrate it, and confirm."""
    action, value = ("resize", {"flavorRef": flavor}) if flavor else ("migrate", None)
    service.act(one.id, action, value)
    assert service.show(one.id)["status"] == "VERIFY_RESIZE"
    service.act(one.id, "confirmResize", expect=204)
    service.until(lambda all_: all(s["status"] == "ACTIVE" for s in all_))


def test_a_move_takes_along_what_was_attached(service: Service) -> None:
    """A resize gives the new flavor's devices beside it."""
    one = Plugs(service, "slice")
    one.attach("v100")
    before = service.show(one.id)["OS-EXT-SRV-ATTR:host"]
    moved(service, one)
    assert service.show(one.id)["OS-EXT-SRV-ATTR:host"] != before
    one.check("vGPU/0", "v100+1/0")
    one.detach("vGPU/0")
    moved(service, one)
    one.check("v100+1/0")
    moved(service, one, flavor="two")
    one.check("vGPU/1", "v100+1/0")
    service.delete([one.id])
    assert not any(h.kernel.mdevs() for h in service.embedded.simulated.values())


def test_a_move_leaves_behind_what_was_detaching(service: Service) -> None:
    """It goes with the guest that did not let go of it."""
    one = Plugs(service, "slice")
    one.attach("vGPU")
    one.ask_fault(FaultKind.UNPLUG_IGNORED)
    one.detach("vGPU/0")
    assert one.states() == {"vGPU/0": "detaching", "vGPU+1/0": "attached"}
    refusal = service.act(
        one.id, "os-migrateLive", {"host": None, "block_migration": "auto"}, 400
    )
    assert "its device vGPU/0 is detaching" in refusal["badRequest"]["message"]
    moved(service, one)
    one.check("vGPU+1/0")
    service.delete([one.id])
