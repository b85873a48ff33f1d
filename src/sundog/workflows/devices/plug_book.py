"""Devices of servers, as the API asks for them: attached, detached, shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from sundog.core.errors import NotFoundError
from sundog.core.lives.phases import ServerEvent
from sundog.core.projects.quota import device_needs
from sundog.core.requests.server_request import (
    all_requests,
    attached_requests,
    read_attach,
)
from sundog.core.wording import listed, shown
from sundog.workflows.devices import plug

if TYPE_CHECKING:
    from sundog.core.lives.plug import Attached
    from sundog.core.lives.server import Server
    from sundog.workflows.actions.book import ActionBook, Call
    from sundog.workflows.projects.quotas import QuotaBook


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugBook:
    """What the API may do with the devices of servers that are there.

    Both deeds raise NotFoundError, or ConflictError in Nova's words: in the wrong
    state, or locked; a job is begun, and they return at once.
    """

    actions: ActionBook
    quotas: QuotaBook

    def attach(self, call: Call, text: str) -> tuple[str, ...]:
        """Begin to attach what ``text`` asks for; returns the slots that it will have.

        Raises BadRequestError that names the part at fault, ForbiddenError where the
        project's quota has no room for it.
        """
        conductor = self.actions.conductor
        # Until the server asks for it, nobody counts it.
        with self.quotas.lock:
            server = conductor.servers.get(call.server_id)
            new = read_attach(text, conductor.aliases, self._taken(server))
            requests = attached_requests(server, new, conductor.aliases)
            need = device_needs(requests)
            self.quotas.check_more(server.project_id, server.user_id, need)
            deed = partial(plug.attach, ids=[one.id for one in new])
            edit = partial(_asking, new=new)
            self.actions.start(call, ServerEvent.ATTACH, deed, edit)
        return tuple(slot for request in requests for slot in request.slots)

    def detach(self, call: Call, slot: str) -> None:
        """Begin to detach a device, or ask for it again."""
        claim = self.actions.conductor.claims.get(call.server_id)
        slots = [share.slot for share in claim.assignment.devices] if claim else []
        if claim is not None and slot not in slots:
            raise NotFoundError(
                f"Instance {call.server_id} has no device {shown(slot)}; it has: "
                f"{listed(slots) or 'none'}"
            )
        deed = partial(plug.detach, slot=slot)
        self.actions.start(call, ServerEvent.DETACH, deed)

    def _taken(self, server: Server) -> frozenset[str]:
        """Return the ids that name, or may name, something of a server."""
        conductor = self.actions.conductor
        claim = conductor.claims.get(server.id)
        held = {share.slot for share in claim.assignment.devices} if claim else set()
        return frozenset(
            slot.rpartition("/")[0] for slot in server.detached.union(held)
        ).union(one.id for one in all_requests(server, conductor.aliases).devices)


def _asking(server: Server, new: tuple[Attached, ...]) -> Server:
    return replace(server, attached=server.attached + new)
