"""Servers, as the API asks for them: create, read, change, delete."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sundog.core.errors import BadRequestError, ConflictError, NotFoundError
from sundog.core.lives.instance_action import Asked
from sundog.core.lives.intent import BOOT, Intent
from sundog.core.lives.server import Phase, Server, ServerEvent
from sundog.core.requests.extra_specs import guest_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from sundog.core.lives.claim import Claim
    from sundog.core.requests.alias import Alias
    from sundog.core.requests.flavor import Flavor
    from sundog.workflows.actions.history import History
    from sundog.workflows.ports import (
        ClaimStore,
        Clock,
        FlavorStore,
        Image,
        ImageSource,
        ServerQuery,
        ServerStore,
    )
    from sundog.workflows.projects.quotas import QuotaBook


@dataclass(frozen=True, slots=True, kw_only=True)
class NewServer:
    """What a create request asks for; ``count`` servers at once."""

    name: str
    flavor_id: str
    image_id: str
    project_id: str
    user_id: str
    min_count: int = 1
    max_count: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    description: str | None = None
    hostname: str | None = None
    config_drive: bool = False
    availability_zone: str = ""
    user_data: str | None = None
    wanted_host: str | None = None
    request_id: str = ""
    key_name: str | None = None
    group: str | None = None
    near: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    access_ip_v4: str = ""
    access_ip_v6: str = ""
    auto_disk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerBook:
    """What the API may do with servers.

    ``begin_boot`` and ``begin_delete`` hand a job to the conductor and return at
    once; ``check_ledger`` raises UnavailableError while Placement is away; ``new_id``
    makes a fresh UUID (the core has no randomness).
    """

    servers: ServerStore
    claims: ClaimStore
    flavors: FlavorStore
    images: ImageSource
    aliases: Mapping[str, Alias]
    history: History
    clock: Clock
    new_id: Callable[[], UUID]
    quotas: QuotaBook
    check_ledger: Callable[[], None]
    begin_boot: Callable[[Sequence[UUID]], None]
    begin_delete: Callable[[UUID], None]

    def create(self, order: NewServer) -> tuple[Server, ...]:
        """Record ``max_count`` servers and begin to boot them.

        Raises BadRequestError for a flavor, image or extra spec that cannot be
        used, ForbiddenError where flavor and image contradict each other, or the
        project's quota leaves no room for ``min_count``; fewer than ``max_count``
        are made where it leaves room for fewer. Raises UnavailableError while
        Placement is away; nothing is recorded then.
        """
        self.check_ledger()
        flavor = self._flavor(order.flavor_id)
        image = known_image(self.images, order.image_id)
        request = guest_request(flavor, image.properties, self.aliases)
        check_minimum(flavor, image)
        with self.quotas.lock:
            count = self.quotas.allowed(
                order.project_id,
                request,
                order.min_count,
                order.max_count,
                order.user_id,
            )
            servers = self._records(replace(order, max_count=count), flavor, image)
            self.servers.add(servers)
        asked = Asked(
            request_id=order.request_id,
            user_id=order.user_id,
            project_id=order.project_id,
        )
        for server in servers:
            self.history.begin(server.id, "create", asked)
        self.begin_boot([server.id for server in servers])
        return servers

    def get(self, server_id: UUID) -> Server:
        """Return one that is not deleted; raises NotFoundError."""
        server = self.servers.get(server_id)
        if server.phase is Phase.DELETED:
            raise NotFoundError(f"Instance {server_id} could not be found.")
        return server

    def list(self, query: ServerQuery) -> Sequence[Server]:
        """Return those that the query names, newest first."""
        return self.servers.list(query)

    def claim(self, server_id: UUID) -> Claim | None:
        """Return what a server holds, or None while it holds nothing."""
        return self.claims.get(server_id)

    def change(self, server_id: UUID, edit: Callable[[Server], Server]) -> Server:
        """Change name, description, metadata or tags; raises NotFoundError."""
        self.get(server_id)
        now = self.clock()
        return self.servers.change(server_id, lambda s: replace(edit(s), updated=now))

    def delete(
        self, server_id: UUID, asked: Asked | None = None, *, over_lock: bool = True
    ) -> None:
        """Begin to delete a server; raises NotFoundError.

        Raises ConflictError if it is locked and the lock binds.
        """
        if self.get(server_id).locked and not over_lock:
            raise ConflictError(f"Instance {server_id} is locked")
        now = self.clock()
        self.servers.change(
            server_id, lambda server: server.after(ServerEvent.ASK_DELETE, now)
        )
        if asked is not None:
            self.history.begin(server_id, "delete", asked)
        self.begin_delete(server_id)

    def _flavor(self, flavor_id: str) -> Flavor:
        try:
            return self.flavors.get(flavor_id)
        except NotFoundError:
            raise BadRequestError(f"Flavor {flavor_id} could not be found.") from None

    def _records(
        self, order: NewServer, flavor: Flavor, image: Image
    ) -> tuple[Server, ...]:
        now = self.clock()
        reservation = f"r-{self.new_id().hex[:8]}"
        several = order.max_count > 1
        names = [
            f"{order.name}-{number + 1}" if several else order.name
            for number in range(order.max_count)
        ]
        return tuple(
            Server(
                id=self.new_id(),
                name=name,
                project_id=order.project_id,
                user_id=order.user_id,
                flavor=flavor,
                image_id=image.id,
                created=now,
                updated=now,
                metadata=order.metadata,
                image_properties=image.properties,
                tags=order.tags,
                description=order.description,
                hostname=order.hostname or host_name_of(name),
                reservation_id=reservation,
                launch_index=index,
                config_drive=order.config_drive,
                availability_zone=order.availability_zone,
                user_data=order.user_data,
                wanted_host=order.wanted_host,
                key_name=order.key_name,
                group=order.group,
                intent=Intent.of(BOOT, now),
                near=order.near,
                apart=order.apart,
                access_ip_v4=order.access_ip_v4,
                access_ip_v6=order.access_ip_v6,
                auto_disk=order.auto_disk,
            )
            for index, name in enumerate(names)
        )


def host_name_of(name: str) -> str:
    """Make a host name of a server's name, as Nova does.

    What is not a letter, a digit, a dot or a dash falls away; 63 characters are kept.
    """
    dashed = name.strip().lower().replace(" ", "-").replace("_", "-")
    kept = "".join(c for c in dashed if c.isascii() and (c.isalnum() or c in "-."))
    return kept.strip("-.")[:63].rstrip("-.") or "server"


def known_image(images: ImageSource, image_id: str) -> Image:
    """Return an image that a request names; raises BadRequestError for none."""
    try:
        return images.get(image_id)
    except NotFoundError:
        raise BadRequestError(f"Can not find requested image {image_id!r}.") from None


def check_minimum(flavor: Flavor, image: Image) -> None:
    """Raise BadRequestError if a flavor is too small for an image."""
    if flavor.memory_mb < image.min_ram_mb:
        raise BadRequestError(
            f"Flavor's memory is too small for requested image: image {image.name} "
            f"wants {image.min_ram_mb} MB, flavor {flavor.name} has {flavor.memory_mb}."
        )
    if 0 < flavor.disk_gb < image.min_disk_gb:
        raise BadRequestError(
            f"Flavor's disk is too small for requested image: image {image.name} "
            f"wants {image.min_disk_gb} GB, flavor {flavor.name} has {flavor.disk_gb}."
        )
