"""A device is held back, by its failures or by the operator, and comes back."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.stories.service import Service, open_service

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.simulation.host_model import Fault, FaultKind

T4 = PciAddress.parse("0000:17:00.0")
WHERE = f"/v1/devices/a/{T4}"
RULES = ['{"product_id": "1eb8", "mdev_type": "nvidia-232"}']
ALIASES = [json.dumps({"name": "vGPU", "device_type": "type-MDEV"})]


def start(folder: Path) -> Service:
    return open_service(folder, ["a=small"], RULES, ALIASES)


def flavored(folder: Path) -> Service:
    service = start(folder)
    service.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
    return service


def outcome(service: Service) -> dict[str, Any]:
    [one] = service.create("slice")
    return next(each for each in service.wait() if each["id"] == str(one))


def reason(service: Service) -> str:
    [row] = service.call("GET", "/v1/devices")["devices"]
    return str(row["device"]["reason"])


def test_a_device_that_fails_twice_is_held_back_until_released(tmp_path: Path) -> None:
    """Shown with its reason, over a restart too; a good turn forgives a first one."""
    service = flavored(tmp_path)
    with service.embedded as embedded:
        kernel = embedded.simulated["a"].kernel
        kernel.ask_fault(Fault(kind=FaultKind.CREATE_FAILS, card=T4, times=1))
        assert outcome(service)["status"] == "ERROR"
        well = outcome(service)
        assert well["status"] == "ACTIVE"
        kernel.ask_fault(Fault(kind=FaultKind.CREATE_FAILS, card=T4, times=2))
        assert [outcome(service)["status"] for _ in range(3)] == ["ERROR"] * 3
        assert reason(service).startswith("failed its preparation 2 times: ")
        service.check_agreement()
        # On the next start its guest would show that the card is well again.
        service.delete([UUID(well["id"])])
    service = start(tmp_path)
    with service.embedded:
        assert "Input/output error" in reason(service)
        service.call("POST", f"{WHERE}/release", {}, expect=204)
        assert reason(service) == ""
        assert outcome(service)["status"] == "ACTIVE"
        service.check_agreement()


def test_a_device_that_the_operator_holds_keeps_its_servers(tmp_path: Path) -> None:
    """Nobody new gets it; whose it is may stop and start on it."""
    service = flavored(tmp_path)
    with service.embedded:
        [one] = service.create("slice")
        service.wait()
        service.call("POST", f"{WHERE}/hold", {"reason": "fan is loud"}, expect=204)
        assert reason(service) == "held by the operator: fan is loud"
        assert outcome(service)["status"] == "ERROR"
        for action in ("os-stop", "os-start"):
            service.act(one, action)
            service.wait()
        assert service.show(one)["status"] == "ACTIVE"
        service.check_agreement()
        service.delete([one])
        assert outcome(service)["status"] == "ERROR"
        service.call("POST", f"{WHERE}/release", {}, expect=204)
        assert outcome(service)["status"] == "ACTIVE"


def test_what_is_no_device_is_told(tmp_path: Path) -> None:
    service = start(tmp_path)
    with service.embedded:
        service.call("POST", "/v1/devices/a/nowhere/hold", {}, expect=400)
        service.call("POST", "/v1/devices/b/0000:17:00.0/hold", {}, expect=404)
        service.call("POST", "/v1/devices/a/0000:99:00.0/hold", {}, expect=404)
        service.call("POST", f"{WHERE}/release", {}, expect=404)
