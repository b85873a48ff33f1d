"""Server groups: as the API asks for them, and as booting obeys them."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sundog.core.errors import ForbiddenError, NotFoundError
from sundog.core.projects.server_group import ANY_HOST, ServerGroup, rounds
from sundog.workflows.ports import ServerQuery
from sundog.workflows.projects.zones import closed_to

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractContextManager

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.lives.server import Server
    from sundog.core.projects.server_group import GroupPolicy, Round
    from sundog.core.requests.guest_request import GuestRequest
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.ports import ServerStore
    from sundog.workflows.projects.shelf import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGroup:
    """A group as it is asked for; ``max_per_host`` None is not said."""

    name: str
    policy: GroupPolicy
    project_id: str
    user_id: str
    max_per_host: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupBook:
    """What the API may do with server groups."""

    shelf: Shelf[ServerGroup]
    servers: ServerStore
    new_id: Callable[[], UUID]

    def create(self, new: NewGroup, most: int = -1) -> ServerGroup:
        """Keep a new group; raises ForbiddenError when there are too many.

        ``most`` is how many a project may have; -1 for any number.
        """
        if 0 <= most <= len(self.shelf.list(new.project_id)):
            raise ForbiddenError("Quota exceeded, too many server groups.")
        group = ServerGroup(
            id=str(self.new_id()),
            name=new.name,
            policy=new.policy,
            project_id=new.project_id,
            user_id=new.user_id,
            max_per_host=new.max_per_host or 1,
            has_rules=new.max_per_host is not None,
        )
        self.shelf.change(new.project_id, group.id, lambda _: group)
        return group

    def get(self, group_id: str, project_id: str | None) -> ServerGroup:
        """Return one of a project, or of any with None; raises NotFoundError."""
        for group in self.shelf.list(project_id):
            if group.id == group_id:
                return group
        raise NotFoundError(f"Instance group {group_id} could not be found.")

    def list(self, project_id: str | None) -> Sequence[ServerGroup]:
        """Return a project's, or everybody's with None."""
        return self.shelf.list(project_id)

    def delete(self, group_id: str, project_id: str | None) -> None:
        """Forget one; its servers go on without. Raises NotFoundError."""
        group = self.get(group_id, project_id)
        self.shelf.change(group.project_id, group_id, lambda _: None)

    def members(self, group: ServerGroup) -> tuple[str, ...]:
        """Return the ids of a group's servers, the oldest first."""
        found = reversed(members_of(self.servers, group.id))
        return tuple(str(one.id) for one in found)


def members_of(servers: ServerStore, group_id: str) -> Sequence[Server]:
    """Return the servers of a group, newest first."""
    return [one for one in servers.list(ServerQuery()) if one.group == group_id]


def one_at_a_time(conductor: Conductor, server: Server) -> AbstractContextManager[None]:
    """Keep other servers of a group from being placed meanwhile."""
    if server.group is None:
        return nullcontext()
    return conductor.locks.of(UUID(server.group))


def reserve(
    conductor: Conductor,
    server: Server,
    request: GuestRequest,
    tried: Collection[str] = (),
) -> Assignment | None:
    """Choose the best host that group and zone leave, and hold it at once."""
    outside = closed_to(conductor, server)
    for one in _rounds(conductor, server):
        closed = {*tried, *one.never, *outside}
        for host in _named(one, server.wanted_host):
            found = conductor.fleet.reserve(server.id, request, closed, host)
            if found is not None:
                return found
    return None


def allows(conductor: Conductor, server: Server, host: str) -> bool:
    """Whether a server's group and zone let it be on a host."""
    return host not in closed_to(conductor, server) and any(
        host not in one.never and (one.only is None or host in one.only)
        for one in _rounds(conductor, server)
    )


def _rounds(conductor: Conductor, server: Server) -> tuple[Round, ...]:
    groups = conductor.groups
    group = (
        groups.get(server.project_id, server.group) if groups and server.group else None
    )
    if group is None:
        return (ANY_HOST,)
    held = Counter(
        one.host
        for one in members_of(conductor.servers, group.id)
        if one.host is not None and one.id != server.id
    )
    return rounds(group, held)


def _named(one: Round, wanted: str | None) -> Sequence[str | None]:
    """Return the hosts to ask by name; None asks them all at once."""
    if one.only is None:
        return [wanted]
    return [host for host in sorted(one.only) if wanted in (None, host)]
