"""Guests' lives, followed by libvirt's events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import libvirt

if TYPE_CHECKING:
    from collections.abc import Callable

    from sundog.edges.libvirt.connection import Connection
    from sundog.edges.libvirt.live.lasting_connection import LastingConnection


class GuestWatch:
    """Tells which guest ended, ours or not, whoever ended it.

    Events that came while no connection was alive are lost: ``missed`` is called
    with each further connection, so that somebody looks. Neither may wait long, nor
    call libvirt: they hold up all events.
    """

    def __init__(
        self,
        connection: LastingConnection,
        ended: Callable[[UUID], None],
        missed: Callable[[], None],
    ) -> None:
        """Follow every connection that is opened."""
        self._ended = ended
        self._missed = missed
        self._is_first = True
        self._is_on = True
        connection.follow(self._follow)

    def stop(self) -> None:
        """Tell nothing any more."""
        self._is_on = False

    def _follow(self, connection: Connection) -> None:
        connection.domainEventRegisterAny(
            None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._heard, None
        )
        if self._is_on and not self._is_first:
            self._missed()
        self._is_first = False

    # Libvirt ships no types; it calls with connection, domain, event, detail, opaque.
    def _heard(self, _connection: Any, domain: Any, event: int, *_: object) -> None:  # noqa: ANN401  same
        if self._is_on and event == libvirt.VIR_DOMAIN_EVENT_STOPPED:
            self._ended(UUID(domain.UUIDString()))
