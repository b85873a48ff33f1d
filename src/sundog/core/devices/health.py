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
    ``cleanings`` are those that failed in a row.
    """

    host: str
    address: str
    failures: int = 0
    reason: str = ""
    held: bool = False
    # Who used a device that is used once and not cleaned since, by its id.
    used_by: str = ""
    cleanings: int = 0

    def failed(self, reason: str) -> DeviceHealth:
        """Return it after one more failure; the operator's reason stays."""
        kept = self.reason if self.held else reason
        return replace(self, failures=self.failures + 1, reason=kept)

    def uncleaned(self, reason: str) -> DeviceHealth:
        """Return it after a cleaning that failed; the operator's reason stays."""
        kept = self.reason if self.held else reason
        return replace(self, cleanings=self.cleanings + 1, reason=kept)

    @property
    def waits_for_cleaning(self) -> bool:
        """Whether a cleaning may be tried; one that fails twice waits for people."""
        return bool(self.used_by) and self.cleanings < MOST_FAILURES

    @property
    def is_good(self) -> bool:
        """Whether nothing is known against it."""
        return not (self.held or self.failures or self.used_by)

    @property
    def why_not(self) -> str:
        """Why the device is not offered; empty: it is."""
        if self.held:
            return f"held by the operator: {self.reason or 'no reason given'}"
        if self.failures >= MOST_FAILURES:
            return f"failed its preparation {self.failures} times: {self.reason}"
        if self.used_by and self.cleanings:
            return f"used, and its cleaning failed: {self.reason}"
        if self.used_by:
            return f"used by {self.used_by}, and not cleaned since"
        return ""


def used_once(snapshot: HostSnapshot) -> Mapping[PciAddress, tuple[str, ...]]:
    """Return the devices that are to be cleaned after each use, and with what."""
    return {
        device.address: device.tags.cleaning_command
        for card in snapshot.cards
        for device in card.devices
        if device.tags.one_time_use
    }


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
