"""What a handler is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import msgspec

from sundog.core.access.people import EVERYBODY
from sundog.core.lives.instance_action import Asked
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug import Request

    from sundog.core.access.people import Caller
    from sundog.edges.rest.query import Query
    from sundog.workflows.access.sign_in import Door
    from sundog.workflows.actions.book import ActionBook
    from sundog.workflows.actions.guest_views import GuestBook
    from sundog.workflows.agreement.audit import AuditBook
    from sundog.workflows.devices.health import DeviceBook
    from sundog.workflows.devices.plug_book import PlugBook
    from sundog.workflows.hosts import HostBook
    from sundog.workflows.moves.book import MoveBook
    from sundog.workflows.ports import ImageSource
    from sundog.workflows.projects.aggregates import AggregateBook
    from sundog.workflows.projects.flavor_access import AccessBook
    from sundog.workflows.projects.flavors import FlavorBook
    from sundog.workflows.projects.groups import GroupBook
    from sundog.workflows.projects.keypairs import KeypairBook
    from sundog.workflows.projects.quotas import QuotaBook
    from sundog.workflows.servers import ServerBook

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What the API works on.

    ``placement`` is Placement's URL where it is not served here, under /placement.
    """

    flavors: FlavorBook
    servers: ServerBook
    hosts: HostBook
    audit: AuditBook
    devices: DeviceBook
    plugs: PlugBook
    actions: ActionBook
    moves: MoveBook
    images: ImageSource
    keypairs: KeypairBook
    groups: GroupBook
    guests: GuestBook
    quotas: QuotaBook
    access: AccessBook
    aggregates: AggregateBook
    door: Door
    region: str = "RegionOne"
    placement: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response: a JSON body (None for an empty one), status, more headers."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request on its way to a handler.

    ``version`` is the compute microversion (53 for 2.53). ``host_url`` is where the
    client found us, without a slash at its end; ``base`` is the prefix of the API
    under it (``/compute/v2.1``). ``caller`` is who asks, let in already;
    ``request_id`` is told back to them.
    """

    request: Request
    books: Books
    version: int
    host_url: str
    base: str
    query: Query
    caller: Caller = EVERYBODY
    request_id: str = ""

    @property
    def asked(self) -> Asked:
        """Who asks, for the histories of servers."""
        return Asked(
            request_id=self.request_id,
            user_id=self.caller.user_id,
            project_id=self.caller.project_id,
        )

    @property
    def is_over_locks(self) -> bool:
        """Whether a server's lock does not bind: for an admin who signed in."""
        return self.caller.is_admin and not self.books.door.is_open

    def since(self, minor: int) -> bool:
        """Whether the microversion is 2.``minor`` or newer."""
        return self.version >= minor

    def read(self, shape: type[T]) -> T:
        """Read the body as JSON of a shape; raises Fault 400, 413 or 415."""
        kind = self.request.mimetype
        if kind not in ("", "application/json"):
            raise Fault(415, f"Unsupported Content-Type {kind[:80]}; send JSON.")
        data = self.request.get_data(cache=False)
        try:
            return msgspec.json.decode(data, type=shape)
        except msgspec.ValidationError as error:
            raise Fault(400, f"Invalid input: {error}") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Fault(400, f"Malformed request body: {error}") from None
        except RecursionError:
            raise Fault(
                400, "Malformed request body: it is nested too deeply."
            ) from None

    def link(self, path: str) -> str:
        """Return the full address of a path under the API."""
        return f"{self.host_url}{self.base}{path}"

    def links(self, path: str) -> list[dict[str, str]]:
        """Return Nova's ``self`` and ``bookmark`` links of a resource."""
        return [
            {"rel": "self", "href": self.link(path)},
            {"rel": "bookmark", "href": self.bookmark(path)},
        ]

    def bookmark(self, path: str) -> str:
        """Return a resource's address without the API's version."""
        return f"{self.host_url}{self.base.rpartition('/')[0]}{path}"
