"""The health of devices: noted by the host, held and released by the operator."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from sundog.core.devices.health import DeviceHealth
from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import BadRequestError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from sundog.workflows.projects.shelf import Shelf


class HealthNotes(Protocol):
    """What a host asks and tells of its devices' health."""

    def reasons(self, host: str, user: UUID | None = None) -> Mapping[PciAddress, str]:
        """Return why devices of a host are not offered; ``user`` may use its again."""
        ...

    def used(self, host: str, address: PciAddress, user: UUID) -> None:
        """Note that a device was used that is to be cleaned before its next use."""
        ...

    def to_clean(self, host: str) -> frozenset[PciAddress]:
        """Return the devices of a host that wait for their cleaning."""
        ...

    def cleaned(self, host: str, address: PciAddress, problem: str) -> None:
        """Note how a cleaning went; no problem: it went well."""
        ...

    def failed(self, host: str, address: PciAddress, reason: str) -> None:
        """Note that a device failed its preparation."""
        ...

    def prepared(self, host: str, address: PciAddress) -> None:
        """Note that a device was prepared well: its failures are forgotten."""
        ...


class NoNotes:
    """Fulfils ``HealthNotes`` where nothing is noted."""

    def reasons(
        self,
        host: str,  # noqa: ARG002 - the port's signature
        user: UUID | None = None,  # noqa: ARG002 - same
    ) -> Mapping[PciAddress, str]:
        """Return none."""
        return {}

    def used(self, host: str, address: PciAddress, user: UUID) -> None:
        """Forget it."""

    def to_clean(self, host: str) -> frozenset[PciAddress]:  # noqa: ARG002 - same
        """Return none."""
        return frozenset()

    def cleaned(self, host: str, address: PciAddress, problem: str) -> None:
        """Forget it."""

    def failed(self, host: str, address: PciAddress, reason: str) -> None:
        """Forget it."""

    def prepared(self, host: str, address: PciAddress) -> None:
        """Forget it."""


class HealthBook:
    """The notes of all hosts, kept on a shelf by host and address. Thread-safe."""

    def __init__(self, shelf: Shelf[DeviceHealth]) -> None:
        """Read what was noted before."""
        self._shelf = shelf
        self._lock = Lock()
        self._known = {(one.host, one.address): one for one in shelf.list()}

    def reasons(self, host: str, user: UUID | None = None) -> Mapping[PciAddress, str]:
        """Return why devices of a host are not offered; ``user`` may use its again."""
        with self._lock:
            mine = str(user) if user else None
            known = [
                replace(one, used_by="") if one.used_by == mine else one
                for one in self._known.values()
                if one.host == host
            ]
        return {
            PciAddress.parse(one.address): one.why_not for one in known if one.why_not
        }

    def used(self, host: str, address: PciAddress, user: UUID) -> None:
        """Note that a device was used that is to be cleaned before its next use."""
        self._note(
            host,
            str(address),
            lambda one: replace(one, used_by=str(user), cleanings=0),
        )

    def to_clean(self, host: str) -> frozenset[PciAddress]:
        """Return the devices of a host that wait for their cleaning."""
        with self._lock:
            return frozenset(
                PciAddress.parse(one.address)
                for one in self._known.values()
                if one.host == host and one.waits_for_cleaning
            )

    def cleaned(self, host: str, address: PciAddress, problem: str) -> None:
        """Note how a cleaning went; after a good one the device is as new."""
        self._note(
            host,
            str(address),
            lambda one: (
                one.uncleaned(problem)
                if problem
                else replace(one, used_by="", cleanings=0)
            ),
        )

    def failed(self, host: str, address: PciAddress, reason: str) -> None:
        """Note that a device failed its preparation."""
        self._note(host, str(address), lambda one: one.failed(reason))

    def prepared(self, host: str, address: PciAddress) -> None:
        """Forget a device's failures; what the operator holds stays held."""
        if (host, str(address)) in self._known:
            self._note(host, str(address), lambda one: replace(one, failures=0))

    def hold(self, host: str, address: PciAddress, reason: str) -> None:
        """Hold a device back until it is released."""
        self._note(
            host, str(address), lambda one: replace(one, held=True, reason=reason)
        )

    def release(self, host: str, address: PciAddress) -> None:
        """Forget all that is known against a device; raises NotFoundError for none."""
        if (host, str(address)) not in self._known:
            raise NotFoundError(f"Device {address} of host {host} is not held.")
        self._note(
            host,
            str(address),
            lambda one: replace(one, held=False, failures=0, used_by="", cleanings=0),
        )

    def _note(
        self, host: str, address: str, edit: Callable[[DeviceHealth], DeviceHealth]
    ) -> None:
        def noted(old: DeviceHealth | None) -> DeviceHealth | None:
            new = edit(old or DeviceHealth(host=host, address=address))
            return None if new.is_good else new

        with self._lock:
            new = self._shelf.change(host, address, noted)
            if new is None:
                self._known.pop((host, address), None)
            else:
                self._known[host, address] = new


class DeviceBook:
    """What the API may do with single devices.

    ``look_again`` reads a host anew, so that what was said counts at once.
    """

    def __init__(
        self,
        health: HealthBook,
        addresses: Callable[[str], frozenset[PciAddress] | None],
        look_again: Callable[[str], object],
    ) -> None:
        """``addresses`` tells a host's devices, None: there is no such host."""
        self._health = health
        self._addresses = addresses
        self._look_again = look_again

    def hold(self, host: str, address: str, reason: str = "") -> None:
        """Offer a device no more; raises NotFoundError, BadRequestError."""
        self._health.hold(host, self._known(host, address), reason)
        self._look_again(host)

    def release(self, host: str, address: str) -> None:
        """Offer a device again, whoever or whatever held it back."""
        self._health.release(host, self._known(host, address))
        self._look_again(host)

    def _known(self, host: str, text: str) -> PciAddress:
        try:
            address = PciAddress.parse(text)
        except ValueError as error:
            raise BadRequestError(f"{text!r} is no PCI address: {error}") from None
        there = self._addresses(host)
        if there is None:
            raise NotFoundError(f"Host {host} could not be found.")
        if address not in there and address not in self._health.reasons(host):
            raise NotFoundError(f"Host {host} offers no device at {address}.")
        return address
