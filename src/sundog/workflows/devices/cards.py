"""What cards were seen to be, kept for the times when they do not show it."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from sundog.core.devices.card_notes import CardNotes, NotedType, modes_shown
from sundog.core.devices.pci_address import PciAddress
from sundog.core.devices.vgpu import learnt, set_vgpus, with_known_types

if TYPE_CHECKING:
    from sundog.core.hosts.host_snapshot import HostFacts
    from sundog.workflows.projects.shelf import Shelf


class CardMemory(Protocol):
    """What a host asks of its cards' past."""

    def complete(self, facts: HostFacts) -> HostFacts:
        """Return a scan with what it does not show, and note what it does."""
        ...

    def learn(self, facts: HostFacts) -> bool:
        """Note what a scan shows; whether a card is of another mode than was known."""
        ...


class NoMemory:
    """Fulfils ``CardMemory`` where nothing is noted."""

    def complete(self, facts: HostFacts) -> HostFacts:
        """Return the scan as it is."""
        return facts

    def learn(self, facts: HostFacts) -> bool:  # noqa: ARG002 - the port's signature
        """Note nothing."""
        return False


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
            return self._complete(facts)

    def learn(self, facts: HostFacts) -> bool:
        """Note what a scan shows; whether a card is of another mode than was known."""
        with self._lock:
            before = self._modes(facts.name)
            return self._complete(facts).one_type != before

    def _complete(self, facts: HostFacts) -> HostFacts:
        known = {
            PciAddress.parse(one.address): one.known
            for one in self._known.values()
            if one.host == facts.name and one.types
        }
        types = known | learnt(facts.functions, known)
        functions = with_known_types(facts.functions, types)
        shown = modes_shown(functions, (*facts.mdevs, *set_vgpus(functions)))
        modes = self._modes(facts.name) | shown
        for card in types.keys() | shown.keys():
            self._note(
                CardNotes(
                    host=facts.name,
                    address=str(card),
                    types=tuple(
                        NotedType(id=kind.id, name=kind.name, size_mb=kind.size_mb)
                        for kind in types.get(card, ())
                    ),
                    one_type=modes.get(card),
                )
            )
        return replace(facts, functions=functions, one_type=modes)

    def _modes(self, host: str) -> dict[PciAddress, bool]:
        return {
            PciAddress.parse(one.address): one.one_type
            for one in self._known.values()
            if one.host == host and one.one_type is not None
        }

    def _note(self, new: CardNotes) -> None:
        key = new.host, new.address
        has_something = new.types or new.one_type is not None
        if has_something and self._known.get(key) != new:
            self._shelf.change(*key, lambda _: new)
            self._known[key] = new
