"""Where a server stands, as far as the records of one host tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.core.lives.phases import Phase

if TYPE_CHECKING:
    from uuid import UUID

    from sundog.core.agreement.records import HostRecords

RUNS: Final = frozenset({Phase.ACTIVE, Phase.PAUSED, Phase.RESIZED, Phase.RESCUED})
OFF: Final = frozenset(
    {
        Phase.SHUTOFF,
        Phase.SUSPENDED,
        Phase.RESIZED_SHUTOFF,
        Phase.RESCUED_SHUTOFF,
    }
)
HOLDS: Final = RUNS | OFF
# A server in one of these needs nothing of a host.
_NEEDS_NOTHING: Final = frozenset({Phase.DELETED, Phase.SHELVED_OFFLOADED})


def phase_of(records: HostRecords, consumer: UUID) -> Phase | None:
    """Return a consumer's phase, of a move its server's; None: no server of ours."""
    word = records.servers.get(records.moves.get(consumer, consumer))
    return None if word is None else word.phase


def is_needed(records: HostRecords, consumer: UUID) -> bool:
    """Whether somebody still needs what a consumer has here."""
    if consumer in records.moves:
        # Of a server that is gone, too: its old host was not cleaned yet.
        return True
    phase = phase_of(records, consumer)
    return phase is not None and phase not in _NEEDS_NOTHING


def is_abandoned(records: HostRecords, consumer: UUID) -> bool:
    """Whether nobody needs what a consumer has here, and no guest runs on it."""
    return not is_needed(records, consumer) and consumer not in records.guests


def stands_here(records: HostRecords, consumer: UUID) -> bool:
    """Whether a server is built, and on this host as far as its record says."""
    word = records.servers.get(consumer)
    if word is None or word.phase not in HOLDS:
        return False
    return word.host in (None, records.snapshot.name)
