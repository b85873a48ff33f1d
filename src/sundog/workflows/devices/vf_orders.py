"""VFs that rules ask for: ordered where a scan finds none, and given up in the end."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

from sundog.core.hosts.host_snapshot import Problem
from sundog.core.hosts.vfs import vfs_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sundog.core.devices.device_spec import DeviceSpec
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.hosts.host_snapshot import HostFacts
    from sundog.workflows.devices.ports import DeviceBench

LOG = logging.getLogger(__name__)

TRIES: Final = 3
"""Orders that a PF may refuse under one driver; then it is left alone till a reload."""


class VfOrders:
    """What one host's PFs were asked for, and what they refused."""

    def __init__(self) -> None:
        """Know of no refusals."""
        self._tries: Counter[tuple[PciAddress, str]] = Counter()
        self._refusals: dict[PciAddress, str] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was refused last, by PF."""
        return tuple(
            Problem(where=str(address), reason=f"its VFs cannot be enabled: {why}")
            for address, why in sorted(self._refusals.items())
        )

    def forget(self) -> None:
        """Try anew what was given up."""
        self._tries.clear()

    def give(
        self,
        facts: HostFacts,
        specs: Sequence[DeviceSpec],
        held: Collection[PciAddress],
        bench: DeviceBench,
    ) -> bool:
        """Order the VFs that are missing; returns whether anything was ordered.

        A PF that refuses blocks no other.
        """
        missing = vfs_missing(facts.functions, specs, held)
        drivers = {each.address: each.driver for each in facts.functions}
        due = {
            address: count
            for address, count in missing.items()
            if self._tries[address, drivers[address]] < TRIES
        }
        refusals = bench.enable_vfs(due) if due else {}
        for address, why in refusals.items():
            self._tries[address, drivers[address]] += 1
            if self._refusals.get(address) != why:
                LOG.warning("Host %s: %s: its VFs: %s", facts.name, address, why)
        given_up = missing.keys() - due.keys()
        self._refusals = {
            address: why
            for address, why in self._refusals.items()
            if address in given_up
        } | dict(refusals)
        return bool(due)
