"""What an assignment takes of its host's providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sundog.core.choosing.assignment import Assignment
    from sundog.core.hosts.host_snapshot import HostSnapshot
    from sundog.core.hosts.provider_tree import Allocation


def allocation_of(assignment: Assignment, snapshot: HostSnapshot) -> Allocation:
    """Return the amounts to claim in Placement for an assignment on its host."""
    raise NotImplementedError
