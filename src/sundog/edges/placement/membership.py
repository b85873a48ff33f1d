"""Which of Placement's aggregates a host's root provider is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from sundog.core.errors import ClaimConflictError, NotFoundError
from sundog.edges.placement.calls import Calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from keystoneauth1.session import Session

_ATTEMPTS: Final = 4
_NOT_THERE: Final = 404
_CONFLICT: Final = 409


class PlacementMembership:
    """Fulfils ``Membership``; what others put a host into is left alone."""

    def __init__(self, session: Session) -> None:
        """Speak through a keystoneauth session."""
        self._calls = Calls(session)

    def join(self, host: UUID, aggregate: UUID) -> None:
        """Put a host into an aggregate; see ``Membership.join``."""
        self._edit(host, lambda there: there | {aggregate})

    def leave(self, host: UUID, aggregate: UUID) -> None:
        """Take a host out of an aggregate; see ``Membership.leave``."""
        self._edit(host, lambda there: there - {aggregate})

    def memberships(self, host: UUID) -> frozenset[UUID]:
        """Return the aggregates that a host is in."""
        listed = self._calls.get(_path(host)).get("aggregates", [])
        return frozenset(map(UUID, listed))

    def _edit(
        self, host: UUID, edit: Callable[[frozenset[UUID]], frozenset[UUID]]
    ) -> None:
        for _ in range(_ATTEMPTS):
            answer = self._calls.call("GET", _path(host))
            if answer.status == _NOT_THERE:
                raise NotFoundError(f"Placement knows no host {host}.")
            there = frozenset(map(UUID, answer.body["aggregates"]))
            wanted = edit(there)
            if wanted == there:
                return
            body = {
                "resource_provider_generation": answer.body[
                    "resource_provider_generation"
                ],
                "aggregates": sorted(map(str, wanted)),
            }
            answer = self._calls.call("PUT", _path(host), body)
            if answer.status != _CONFLICT:
                break
        if not answer.ok:
            raise ClaimConflictError(
                f"Placement did not change the aggregates of host {host}: "
                f"{answer.reason}"
            )


def _path(host: UUID) -> str:
    return f"/resource_providers/{host}/aggregates"
