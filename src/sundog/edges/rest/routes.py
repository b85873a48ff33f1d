"""The one table of routes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from sundog.edges.rest.compute import (
    extra_specs,
    flavors,
    hypervisors,
    server_parts,
    servers,
    servers_create,
    services,
    topology,
    versions,
)
from sundog.edges.rest.compute.actions import act, history, migrations
from sundog.edges.rest.compute.former import extensions, gone
from sundog.edges.rest.compute.former import hosts as former_hosts
from sundog.edges.rest.compute.guest import consoles, parts
from sundog.edges.rest.compute.hosts import aggregates, zones
from sundog.edges.rest.compute.reports import (
    audit_log,
    diagnostics,
    events,
    limits,
    usage,
)
from sundog.edges.rest.identity import enrol, identity, tokens
from sundog.edges.rest.image import images
from sundog.edges.rest.microversions import NEWEST, OLDEST, VERSION_2_0
from sundog.edges.rest.own import audit, device_health, own, server_devices
from sundog.edges.rest.projects import flavor_access, groups, keypairs, quotas

if TYPE_CHECKING:
    from collections.abc import Callable

    from sundog.edges.rest.ask import Answer


class Api(Enum):
    """The APIs that are served."""

    ROOT = "root"
    COMPUTE = "compute"
    IMAGE = "image"
    IDENTITY = "identity"
    OWN = "own"

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Where it is served."""
        return _PREFIXES[self]


_PREFIXES: Final = {
    Api.ROOT: ("",),
    Api.COMPUTE: ("/compute/v2.1", "/v2.1", f"/compute{VERSION_2_0}"),
    Api.IMAGE: ("/image/v2", "/v2"),
    Api.IDENTITY: ("/identity/v3", "/v3"),
    Api.OWN: ("/v1",),
}


@dataclass(frozen=True, slots=True)
class Route:
    """A method on a path, and its handler.

    ``since`` and ``until`` are compute microversions; outside them it is a 404.
    ``versioned`` False looks at no microversion.
    """

    method: str
    path: str
    handler: Callable[..., Answer]
    api: Api = Api.COMPUTE
    since: int = OLDEST
    until: int = NEWEST
    versioned: bool = True


_GRANTS: Final = "/projects/<project_id>/users/<user_id>/roles"
ROUTES: Final = (
    Route("GET", "/", versions.index, Api.ROOT),
    Route("GET", "/compute", versions.compute_versions, Api.ROOT),
    Route("GET", "/image", images.versions, Api.ROOT),
    Route("GET", "/image/versions", images.versions, Api.ROOT),
    Route("GET", "/identity", identity.versions, Api.ROOT),
    # ---- flavors
    Route("GET", "/", versions.show, versioned=False),
    Route("GET", "/flavors", flavors.index),
    Route("POST", "/flavors", flavors.create),
    Route("GET", "/flavors/detail", flavors.detail),
    Route("GET", "/flavors/<flavor_id>", flavors.show),
    Route("PUT", "/flavors/<flavor_id>", flavors.update, since=55),
    Route("DELETE", "/flavors/<flavor_id>", flavors.delete),
    Route("GET", "/flavors/<flavor_id>/os-flavor-access", flavor_access.index),
    Route("POST", "/flavors/<flavor_id>/action", flavor_access.act),
    Route("GET", "/flavors/<flavor_id>/os-extra_specs", extra_specs.index),
    Route("POST", "/flavors/<flavor_id>/os-extra_specs", extra_specs.create),
    Route("GET", "/flavors/<flavor_id>/os-extra_specs/<key>", extra_specs.show),
    Route("PUT", "/flavors/<flavor_id>/os-extra_specs/<key>", extra_specs.update),
    Route("DELETE", "/flavors/<flavor_id>/os-extra_specs/<key>", extra_specs.delete),
    # ---- servers
    Route("GET", "/servers", servers.index),
    Route("POST", "/servers", servers_create.create),
    Route("GET", "/servers/detail", servers.detail),
    Route("GET", "/servers/<server_id>", servers.show),
    Route("PUT", "/servers/<server_id>", servers.update),
    Route("DELETE", "/servers/<server_id>", servers.delete),
    Route("POST", "/servers/<server_id>/action", act.act),
    Route("GET", "/servers/<server_id>/os-instance-actions", history.index),
    Route("GET", "/servers/<server_id>/os-instance-actions/<request_id>", history.show),
    Route("GET", "/servers/<server_id>/diagnostics", diagnostics.show),
    Route("GET", "/os-migrations", migrations.index),
    Route("GET", "/servers/<server_id>/migrations", migrations.of_server, since=23),
    Route("GET", "/servers/<server_id>/migrations/<number>", migrations.show, since=23),
    Route(
        "DELETE", "/servers/<server_id>/migrations/<number>", migrations.abort, since=24
    ),
    Route(
        "POST",
        "/servers/<server_id>/migrations/<number>/action",
        migrations.act,
        since=22,
    ),
    Route("GET", "/servers/<server_id>/topology", topology.show, since=78),
    Route("GET", "/servers/<server_id>/ips", server_parts.addresses),
    Route("GET", "/servers/<server_id>/metadata", server_parts.metadata_index),
    Route("POST", "/servers/<server_id>/metadata", server_parts.metadata_add),
    Route("PUT", "/servers/<server_id>/metadata", server_parts.metadata_replace),
    Route("GET", "/servers/<server_id>/metadata/<key>", server_parts.meta_show),
    Route("PUT", "/servers/<server_id>/metadata/<key>", server_parts.meta_set),
    Route("DELETE", "/servers/<server_id>/metadata/<key>", server_parts.meta_delete),
    Route("GET", "/servers/<server_id>/tags", server_parts.tags_index, since=26),
    Route("PUT", "/servers/<server_id>/tags", server_parts.tags_replace, since=26),
    Route("DELETE", "/servers/<server_id>/tags", server_parts.tags_clear, since=26),
    Route("GET", "/servers/<server_id>/tags/<tag>", server_parts.tag_show, since=26),
    Route("PUT", "/servers/<server_id>/tags/<tag>", server_parts.tag_add, since=26),
    Route(
        "DELETE", "/servers/<server_id>/tags/<tag>", server_parts.tag_delete, since=26
    ),
    # ---- hosts
    Route("GET", "/os-hypervisors", hypervisors.index),
    Route("GET", "/os-hypervisors/detail", hypervisors.detail),
    Route("GET", "/os-hypervisors/statistics", hypervisors.statistics, until=87),
    Route("GET", "/os-hypervisors/<key>", hypervisors.show),
    Route("GET", "/os-hypervisors/<key>/uptime", hypervisors.uptime, until=87),
    Route("GET", "/os-hypervisors/<key>/search", hypervisors.search, until=52),
    Route("GET", "/os-hypervisors/<key>/servers", hypervisors.servers, until=52),
    Route("GET", "/os-services", services.index),
    Route("PUT", "/os-services/<key>", services.update),
    Route("DELETE", "/os-services/<key>", services.delete),
    Route("GET", "/os-availability-zone", zones.index),
    Route("GET", "/os-availability-zone/detail", zones.detail),
    Route("GET", "/os-aggregates", aggregates.index),
    Route("POST", "/os-aggregates", aggregates.create),
    Route("GET", "/os-aggregates/<aggregate_id>", aggregates.show),
    Route("PUT", "/os-aggregates/<aggregate_id>", aggregates.update),
    Route("DELETE", "/os-aggregates/<aggregate_id>", aggregates.delete),
    Route("POST", "/os-aggregates/<aggregate_id>/action", aggregates.act),
    Route("POST", "/os-aggregates/<aggregate_id>/images", aggregates.images, since=81),
    # ---- what clients need beside them
    Route("GET", "/limits", limits.limits),
    Route("GET", "/extensions", extensions.index),
    Route("GET", "/extensions/<alias>", extensions.show),
    # ---- reports
    Route("GET", "/os-simple-tenant-usage", usage.index),
    Route("GET", "/os-simple-tenant-usage/<project_id>", usage.show),
    Route("GET", "/os-instance_usage_audit_log", audit_log.index),
    Route("GET", "/os-instance_usage_audit_log/<before>", audit_log.show),
    Route("POST", "/os-server-external-events", events.create),
    # ---- what guests have not
    Route("GET", "/servers/<server_id>/os-server-password", parts.password),
    Route("DELETE", "/servers/<server_id>/os-server-password", parts.clear_password),
    Route("POST", "/servers/<server_id>/remote-consoles", consoles.create, since=6),
    Route("GET", "/os-console-auth-tokens/<token>", consoles.token, since=31),
    Route("GET", "/servers/<server_id>/ips/<network>", parts.addresses_of),
    Route("GET", "/servers/<server_id>/os-security-groups", parts.security_groups),
    Route("GET", "/servers/<server_id>/os-interface", parts.ports),
    Route("POST", "/servers/<server_id>/os-interface", parts.attach_port),
    Route("GET", "/servers/<server_id>/os-volume_attachments", parts.volumes),
    Route("POST", "/servers/<server_id>/os-volume_attachments", parts.attach_volume),
    *(
        Route(method, "/servers/<server_id>/os-interface/<port_id>", parts.port)
        for method in ("GET", "DELETE")
    ),
    *(
        Route(
            method,
            "/servers/<server_id>/os-volume_attachments/<volume_id>",
            parts.volume,
        )
        for method in ("GET", "PUT", "DELETE")
    ),
    Route("POST", "/os-assisted-volume-snapshots", parts.snapshot),
    Route(
        "DELETE",
        "/os-assisted-volume-snapshots/<snapshot_id>",
        parts.delete_snapshot,
    ),
    # ---- what was once
    Route("GET", "/os-hosts", former_hosts.index, until=42),
    Route("GET", "/os-hosts/<host>", former_hosts.show, until=42),
    Route("PUT", "/os-hosts/<host>", former_hosts.update, until=42),
    *(
        Route("GET", f"/os-hosts/<host>/{deed}", former_hosts.power, until=42)
        for deed in ("startup", "shutdown", "reboot")
    ),
    *(
        Route(method, path, gone.gone)
        for path, methods in gone.PATHS.items()
        for method in methods.split()
    ),
    # ---- what belongs to projects and users
    Route("GET", "/os-quota-sets/<project_id>", quotas.show),
    Route("PUT", "/os-quota-sets/<project_id>", quotas.update),
    Route("DELETE", "/os-quota-sets/<project_id>", quotas.delete),
    Route("GET", "/os-quota-sets/<project_id>/defaults", quotas.defaults),
    Route("GET", "/os-quota-sets/<project_id>/detail", quotas.detail),
    Route("GET", "/os-quota-class-sets/<name>", quotas.show_class),
    Route("PUT", "/os-quota-class-sets/<name>", quotas.update_class),
    Route("GET", "/os-server-groups", groups.index),
    Route("POST", "/os-server-groups", groups.create),
    Route("GET", "/os-server-groups/<group_id>", groups.show),
    Route("DELETE", "/os-server-groups/<group_id>", groups.delete),
    Route("GET", "/os-keypairs", keypairs.index),
    Route("POST", "/os-keypairs", keypairs.create),
    Route("GET", "/os-keypairs/<name>", keypairs.show),
    Route("DELETE", "/os-keypairs/<name>", keypairs.delete),
    # ---- images and identity
    Route("GET", "/images", images.index, Api.IMAGE),
    Route("GET", "/images/<image_id>", images.show, Api.IMAGE),
    Route("GET", "/", identity.version, Api.IDENTITY),
    Route("POST", "/auth/tokens", tokens.create, Api.IDENTITY),
    Route("GET", "/auth/tokens", tokens.show, Api.IDENTITY),
    Route("DELETE", "/auth/tokens", tokens.delete, Api.IDENTITY),
    Route("GET", "/auth/catalog", tokens.catalog, Api.IDENTITY),
    Route("GET", "/auth/projects", identity.own_projects, Api.IDENTITY),
    Route("GET", "/projects", identity.projects, Api.IDENTITY),
    Route("GET", "/projects/<key>", identity.project, Api.IDENTITY),
    Route("POST", "/projects", enrol.create_project, Api.IDENTITY),
    Route("DELETE", "/projects/<key>", enrol.delete_project, Api.IDENTITY),
    Route("GET", f"{_GRANTS}", enrol.granted, Api.IDENTITY),
    Route("PUT", f"{_GRANTS}/<role_id>", enrol.grant, Api.IDENTITY),
    Route("DELETE", f"{_GRANTS}/<role_id>", enrol.revoke, Api.IDENTITY),
    Route("GET", "/roles", enrol.roles, Api.IDENTITY),
    Route("POST", "/roles", enrol.create_role, Api.IDENTITY),
    Route("GET", "/roles/<key>", enrol.role, Api.IDENTITY),
    Route("POST", "/users", enrol.create_user, Api.IDENTITY),
    Route("DELETE", "/users/<key>", enrol.delete_user, Api.IDENTITY),
    Route("GET", "/users", identity.users, Api.IDENTITY),
    Route("GET", "/users/<key>", identity.user, Api.IDENTITY),
    Route("GET", "/users/<key>/projects", identity.projects_of, Api.IDENTITY),
    Route("GET", "/domains", identity.domains, Api.IDENTITY),
    Route("GET", "/domains/<key>", identity.domain, Api.IDENTITY),
    # ---- ours
    Route("GET", "/", own.index, Api.OWN),
    Route("GET", "/hosts", own.hosts, Api.OWN),
    Route("GET", "/hosts/<name>", own.host, Api.OWN),
    Route("GET", "/devices", own.devices, Api.OWN),
    Route("POST", "/devices/<name>/<address>/hold", device_health.hold, Api.OWN),
    Route("POST", "/devices/<name>/<address>/release", device_health.release, Api.OWN),
    Route("GET", "/servers/<server>/devices", server_devices.index, Api.OWN),
    Route("POST", "/servers/<server>/devices", server_devices.attach, Api.OWN),
    Route(
        "DELETE",
        "/servers/<server>/devices/<path:slot>",
        server_devices.detach,
        Api.OWN,
    ),
    Route("GET", "/aliases", own.aliases, Api.OWN),
    Route("GET", "/explain", own.explain, Api.OWN),
    Route("GET", "/audit", audit.show, Api.OWN),
    Route("POST", "/audit", audit.heal, Api.OWN),
)
