"""What is noted of a card, because it does not show it at all times."""

from __future__ import annotations

from dataclasses import dataclass

from sundog.core.devices.device import MdevType


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedType:
    """A vGPU type that a card was seen to make."""

    id: str
    name: str
    size_mb: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardNotes:
    """What is noted of the card at ``address``, a PF's, as text."""

    host: str
    address: str
    types: tuple[NotedType, ...] = ()

    @property
    def known(self) -> tuple[MdevType, ...]:
        """The types, none of which may be made as far as these notes say."""
        return tuple(
            MdevType(id=kind.id, name=kind.name, size_mb=kind.size_mb)
            for kind in self.types
        )
