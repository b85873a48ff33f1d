"""What cards were seen to be, kept for the times when they do not show it."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from sundog.core.devices.card_notes import CardNotes, NotedType
from sundog.core.devices.pci_address import PciAddress
from sundog.core.devices.vgpu import learnt, with_known_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.devices.device import MdevType
    from sundog.core.hosts.host_snapshot import HostFacts
    from sundog.workflows.projects.shelf import Shelf


class CardMemory(Protocol):
    """What a host asks of its cards' past."""

    def complete(self, facts: HostFacts) -> HostFacts:
        """Return a scan with what it does not show, and note what it does."""
        ...


class NoMemory:
    """Fulfils ``CardMemory`` where nothing is noted."""

    def complete(self, facts: HostFacts) -> HostFacts:
        """Return the scan as it is."""
        return facts


class CardBook:
    """The notes of all hosts, kept on a shelf by host and address. Thread-safe."""

    def __init__(self, shelf: Shelf[CardNotes]) -> None:
        """Read what was noted before."""
        self._shelf = shelf
        self._lock = Lock()
        self._known = {(one.host, one.address): one for one in shelf.list()}

    def complete(self, facts: HostFacts) -> HostFacts:
        """Return a scan with what it does not show, and note what it does."""
        with self._lock:
            known = {
                PciAddress.parse(one.address): one.known
                for one in self._known.values()
                if one.host == facts.name
            }
            known |= learnt(facts.functions, known)
            for card, types in known.items():
                self._note(facts.name, str(card), types)
        return replace(facts, functions=with_known_types(facts.functions, known))

    def _note(self, host: str, address: str, types: Sequence[MdevType]) -> None:
        new = CardNotes(
            host=host,
            address=address,
            types=tuple(
                NotedType(id=kind.id, name=kind.name, size_mb=kind.size_mb)
                for kind in types
            ),
        )
        if new.types and self._known.get((host, address)) != new:
            self._shelf.change(host, address, lambda _: new)
            self._known[host, address] = new
