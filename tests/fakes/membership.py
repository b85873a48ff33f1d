"""Placement's aggregates in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID


class FakeMembership:
    """Fulfils ``Membership`` for the hosts in ``known``, which may grow."""

    def __init__(self, known: Collection[UUID]) -> None:
        """Put no host into anything."""
        self._known = known
        self._members: set[tuple[UUID, UUID]] = set()

    def join(self, host: UUID, aggregate: UUID) -> None:
        self._check(host)
        self._members.add((host, aggregate))

    def leave(self, host: UUID, aggregate: UUID) -> None:
        self._check(host)
        self._members.discard((host, aggregate))

    def memberships(self, host: UUID) -> frozenset[UUID]:
        return frozenset(one for member, one in self._members if member == host)

    def _check(self, host: UUID) -> None:
        if host not in self._known:
            raise NotFoundError(f"Placement knows no host {host}.")
