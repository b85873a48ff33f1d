"""A server of a small host, and what its owner does with its devices."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.simulation.host_model import Fault, FaultKind

if TYPE_CHECKING:
    from tests.stories.service import Service

T4 = PciAddress.parse("0000:17:00.0")
V100 = PciAddress.parse("0000:65:00.0")
RULES = ['{"product_id": "1eb8", "mdev_type": "nvidia-232"}', '{"product_id": "1db4"}']
ALIASES = [
    json.dumps({"name": "vGPU", "device_type": "type-MDEV"}),
    json.dumps({"name": "v100", "product_id": "1db4"}),
    json.dumps({"name": "near", "product_id": "1db4", "numa_policy": "required"}),
]


class Plugs:
    """A server, and what its owner does with its devices."""

    def __init__(self, service: Service, flavor: str) -> None:
        self.service = service
        [self.id] = service.create(flavor)
        assert service.show(self.id)["status"] == "ACTIVE"
        self.path = f"/v1/servers/{self.id}/devices"

    def attach(self, devices: str) -> list[str]:
        """Attach; returns the slots, or why it failed."""
        begun = self.service.call("POST", self.path, {"devices": devices}, 202)
        return self._ended(begun)

    def detach(self, slot: str) -> list[str]:
        begun = self.service.call("DELETE", f"{self.path}/{slot}", expect=202)
        return self._ended(begun)

    def _ended(self, begun: Any) -> list[str]:
        self.service.show(self.id)
        path = f"/v2.1/servers/{self.id}/os-instance-actions"
        self.service.finished_actions(path)
        told = self.service.call("GET", f"{path}/{begun['request_id']}")
        [event] = told["instanceAction"]["events"]
        failed = event["result"] == "Error"
        return [event["details"]] if failed else begun["slots"]

    def act(self, action: str, status: str, value: object = None) -> None:
        self.service.act(self.id, action, value)
        assert self.service.show(self.id)["status"] == status

    def states(self) -> dict[str, str]:
        """Return each device's state, by slot."""
        devices = self.service.call("GET", self.path)["devices"]
        return {device["slot"]: device["state"] for device in devices}

    def guest_has(self) -> int:
        """Count what libvirt says that the guest has, wherever it is."""
        holders: list[object] = []
        for host in self.service.embedded.simulated.values():
            guests: Any = host.tools.guests
            holders += guests.holders().values()
        return holders.count(self.id)

    def check(self, *slots: str) -> None:
        """Exactly these devices are there, in the guest too, and all agrees."""
        # What was detaching goes right after the job that ended the guest.
        self.service.until(lambda _: "detaching" not in self.states().values())
        assert self.states() == dict.fromkeys(slots, "attached")
        self.service.check_agreement()
        if self.service.show(self.id)["status"] == "ACTIVE":
            assert self.guest_has() == len(slots)

    def ask_fault(self, kind: FaultKind, times: int | None = None) -> None:
        for host in self.service.embedded.simulated.values():
            for card in (T4, V100):
                host.kernel.ask_fault(Fault(kind=kind, card=card, times=times))
