"""The provider tree that a host calls for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.hosts.host_snapshot import Holding, HostSnapshot
    from sundog.core.hosts.provider_tree import ProviderTree


def call_for(snapshot: HostSnapshot, holdings: Sequence[Holding]) -> ProviderTree:
    """Return the tree that Placement should show for a host and what is held on it."""
    raise NotImplementedError
