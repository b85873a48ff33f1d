"""Quotas of projects: told, set, and held to when servers are made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final

from sundog.core.errors import SundogError
from sundog.core.projects.quota import (
    DEFAULTS,
    UNLIMITED,
    QuotaSet,
    check_room,
    needs,
    room,
)
from sundog.core.requests.server_request import server_request
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.core.lives.server import Server
    from sundog.core.requests.alias import Alias
    from sundog.core.requests.guest_request import GuestRequest
    from sundog.workflows.ports import ServerStore
    from sundog.workflows.projects.shelf import Shelf

# Where the defaults of all projects are kept: no project has this id.
EVERYBODY: Final = "*"
_KEY: Final = "quota"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaBook:
    """What the API may do with quotas.

    ``lock`` is held from counting to making, so that two requests at once do not
    both get the last server.
    """

    shelf: Shelf[QuotaSet]
    servers: ServerStore
    aliases: Mapping[str, Alias]
    lock: Lock = field(default_factory=Lock)

    def defaults(self) -> dict[str, int]:
        """Return every default by name."""
        return {**DEFAULTS, **self._set(EVERYBODY)}

    def limits(self, project_id: str, user_id: str = "") -> dict[str, int]:
        """Return the limits of a project, or of a user in it, by name."""
        of_project = {**self.defaults(), **self._set(project_id)}
        return {**of_project, **self._set(project_id, user_id)}

    def change(
        self, project_id: str, limits: Mapping[str, int], user_id: str = ""
    ) -> dict[str, int]:
        """Set some limits of a project, of a user in it, or with EVERYBODY defaults.

        Returns all.
        """
        self.shelf.change(
            project_id,
            _key(user_id),
            lambda old: QuotaSet(limits={**(old.limits if old else {}), **limits}),
        )
        return self.limits(project_id, user_id)

    def forget(self, project_id: str, user_id: str = "") -> None:
        """Give a project the defaults again, or a user the project's limits."""
        self.shelf.change(project_id, _key(user_id), lambda _: None)

    def used(self, project_id: str, user_id: str = "") -> Counter[str]:
        """Count what a project's servers take, or a user's in it, by a quota's name."""
        total: Counter[str] = Counter()
        for server in self.servers.list(ServerQuery(project_id=project_id)):
            if user_id and server.user_id != user_id:
                continue
            try:
                request = server_request(server, self.aliases)
            except SundogError:
                # An alias that is configured no more: what is left still counts.
                total += Counter(
                    instances=1, cores=server.flavor.vcpus, ram=server.flavor.memory_mb
                )
            else:
                total += needs(request)
        return total

    def allowed(
        self,
        project_id: str,
        request: GuestRequest,
        least: int,
        most: int,
        user_id: str = "",
    ) -> int:
        """Return how many servers may be made, from ``least`` to ``most``.

        Raises ForbiddenError when even the least are too many for the project, or
        for a user who has limits of his own.
        """
        need = needs(request)
        allowed = self._allowed(project_id, "", need, least, most)
        if user_id and self._set(project_id, user_id):
            allowed = self._allowed(project_id, user_id, need, least, allowed)
        return allowed

    def _allowed(
        self, project_id: str, user_id: str, need: Counter[str], least: int, most: int
    ) -> int:
        limits = self.limits(project_id, user_id)
        if all(limits.get(name, UNLIMITED) < 0 for name in need):
            return most
        used = self.used(project_id, user_id)
        left = room(limits, used, need)
        if left is None or left >= most:
            return most
        if left >= least:
            return left
        check_room(limits, used, {name: count * least for name, count in need.items()})
        return least

    def check_growth(
        self, server: Server, had: GuestRequest, wanted: GuestRequest
    ) -> None:
        """Raise ForbiddenError where a resize needs more than the quotas leave."""
        before = needs(had)
        more = {
            name: count - before.get(name, 0)
            for name, count in needs(wanted).items()
            if count > before.get(name, 0)
        }
        self.check_more(server.project_id, server.user_id, more)

    def check_more(
        self, project_id: str, user_id: str, need: Mapping[str, int]
    ) -> None:
        """Raise ForbiddenError when a project, or a user in it, may not have more."""
        for user in ("", user_id) if self._set(project_id, user_id) else ("",):
            limits = self.limits(project_id, user)
            if any(limits.get(name, UNLIMITED) >= 0 for name in need):
                check_room(limits, self.used(project_id, user), need)

    def _set(self, owner: str, user_id: str = "") -> dict[str, int]:
        found = self.shelf.get(owner, _key(user_id))
        return found.limits if found else {}


def _key(user_id: str) -> str:
    return f"{_KEY} {user_id}" if user_id else _KEY
