"""Devices that are used once: cleaned when they are freed, then offered again."""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING

from sundog.core.devices.health import used_once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sundog.core.devices.pci_address import PciAddress
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.devices.health import HealthNotes
    from sundog.workflows.devices.ports import Cleaner

LOG = logging.getLogger(__name__)


class Cleaning:
    """Cleans what servers gave back, by the command of its rule.

    A device whose rule has none waits until the operator releases it.
    """

    def __init__(
        self, conductor: Conductor, health: HealthNotes, cleaner: Cleaner
    ) -> None:
        """Note on ``health`` what ``cleaner`` did."""
        self._conductor = conductor
        self._health = health
        self._cleaner = cleaner
        self._one_at_a_time = Lock()

    def is_due(self, host: str) -> bool:
        """Whether something of a host may wait to be cleaned; cheap."""
        return bool(self._health.to_clean(host))

    def clean(self, host: str) -> None:
        """Clean what waits on a host; nothing while another thread does so."""
        if not self._one_at_a_time.acquire(blocking=False):
            return
        try:
            for address, command in [*self._due(host)]:
                problem = self._cleaner.clean(command, host, address)
                self._health.cleaned(host, address, problem)
                LOG.info("Cleaned %s of %s: %s", address, host, problem or "well")
                self._conductor.refresh(host)
        finally:
            self._one_at_a_time.release()

    def _due(self, host: str) -> Iterator[tuple[PciAddress, tuple[str, ...]]]:
        state = self._conductor.fleet.state(host)
        waiting = self._health.to_clean(host)
        if state is None or not waiting:
            return
        commands = used_once(state.snapshot)
        # A card with something in use is left alone: cleaning resets all of it.
        busy = {
            share.card
            for claim in self._conductor.claims.of_host(host)
            for share in claim.assignment.devices
        }
        for card in state.snapshot.cards:
            for address in {each.address for each in card.devices} & waiting:
                if commands.get(address) and card.address not in busy:
                    yield address, commands[address]
