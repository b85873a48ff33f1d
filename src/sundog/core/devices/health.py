"""Whether a device may be offered, by what became of it and what the operator says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.core.devices.device import Device
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.hosts.host_snapshot import HostSnapshot

MOST_FAILURES: Final = 2
"""How often in a row a device may fail its preparation before it is held back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHealth:
    """What is known against a device of a host; there is none of a good one.

    ``address`` is a function's, as text: all types that it makes are meant.
    ``failures`` in a row, ``reason`` of the last one or of the operator who holds it.
    """

    host: str
    address: str
    failures: int = 0
    reason: str = ""
    held: bool = False

    def failed(self, reason: str) -> DeviceHealth:
        """Return it after one more failure; the operator's reason stays."""
        kept = self.reason if self.held else reason
        return replace(self, failures=self.failures + 1, reason=kept)

    @property
    def why_not(self) -> str:
        """Why the device is not offered; empty: it is."""
        if self.held:
            return f"held by the operator: {self.reason or 'no reason given'}"
        if self.failures >= MOST_FAILURES:
            return f"failed its preparation {self.failures} times: {self.reason}"
        return ""


def withhold(snapshot: HostSnapshot, reasons: Mapping[PciAddress, str]) -> HostSnapshot:
    """Return a snapshot in which the devices at these addresses are not offered.

    A device that is unavailable already keeps that reason.
    """
    if not reasons:
        return snapshot

    def judged(device: Device) -> Device:
        reason = device.unavailable or reasons.get(device.address, "")
        return replace(device, unavailable=reason)

    cards = tuple(
        replace(card, devices=tuple(judged(device) for device in card.devices))
        for card in snapshot.cards
    )
    return replace(snapshot, cards=cards)
