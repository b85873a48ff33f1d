"""Which servers a list shows, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.edges.rest.compute.servers_view import (
    hosts_seen,
    power_state,
    zone_shown,
)
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.query import as_flag
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sundog.core.lives.server import Server
    from sundog.edges.rest.ask import Ask
    from sundog.edges.rest.query import Query

    Keep = Callable[[Server], bool]

# Nova's status words; those that no server of ours can have match nothing.
_STATUSES: Final = frozenset(
    [
        "ACTIVE",
        "BUILD",
        "DELETED",
        "ERROR",
        "HARD_REBOOT",
        "MIGRATING",
        "PASSWORD",
        "PAUSED",
        "REBOOT",
        "REBUILD",
        "RESCUE",
        "RESIZE",
        "REVERT_RESIZE",
        "SHELVED",
        "SHELVED_OFFLOADED",
        "SHUTOFF",
        "SOFT_DELETED",
        "SUSPENDED",
        "UNKNOWN",
        "VERIFY_RESIZE",
    ]
)
_PATTERNS: Final[dict[str, Callable[[Server], str]]] = {
    "name": lambda server: server.name,
    "display_name": lambda server: server.name,
    "description": lambda server: server.description or "",
    "display_description": lambda server: server.description or "",
    "hostname": lambda server: server.hostname,
    "node": lambda server: server.host or "",
    "reservation_id": lambda server: server.reservation_id,
    "user_id": lambda server: server.user_id,
    "access_ip_v4": lambda server: server.access_ip_v4,
    "access_ip_v6": lambda server: server.access_ip_v6,
    "flavor": lambda server: server.flavor.id,
}
_EXACT: Final[dict[str, Callable[[Server], str]]] = {
    "key_name": lambda server: server.key_name or "",
    "uuid": lambda server: str(server.id),
    "host": lambda server: server.host or "",
    "image": lambda server: server.image_id,
    "image_ref": lambda server: server.image_id,
    "launch_index": lambda server: str(server.launch_index),
    "power_state": lambda server: str(power_state(server)),
    "vm_state": lambda server: server.vm_state,
    "task_state": lambda server: server.task.value if server.task else "None",
    "progress": lambda _: "0",
}
# What no server of ours has: to ask for it is to ask for none.
_NOBODY_HAS: Final = frozenset(
    {
        "ip",
        "ip6",
        "kernel_id",
        "ramdisk_id",
        "root_device_name",
        "locked_by",
        "soft_deleted",
    }
)
_IGNORED: Final = frozenset({"created_at", "launched_at", "terminated_at"})
# The host's zone, which is not in the record.
_ZONE: Final = "availability_zone"
_TAGS: Final = frozenset({"tags", "tags-any", "not-tags", "not-tags-any"})
_OTHER: Final = frozenset(
    [
        "all_tenants",
        "auto_disk_config",
        "changes-since",
        "changes-before",
        "config_drive",
        "deleted",
        "limit",
        "locked",
        "marker",
        "project_id",
        "tenant_id",
        "sort_dir",
        "sort_key",
        "status",
    ]
)
_REFUSED: Final = frozenset(
    [
        "block_device_mapping",
        "services",
        "metadata",
        "system_metadata",
        "info_cache",
        "security_groups",
        "pci_devices",
    ]
)
_KNOWN: Final = (
    _PATTERNS.keys() | _EXACT.keys() | _NOBODY_HAS | _IGNORED | _TAGS | _OTHER | {_ZONE}
)
_SORT: Final[dict[str, Callable[[Server], object]]] = {
    "created_at": lambda server: server.created,
    "updated_at": lambda server: server.updated,
    "uuid": lambda server: str(server.id),
    "display_name": lambda server: server.name,
    "key_name": lambda server: server.key_name or "",
    "display_description": lambda server: server.description or "",
    "host": lambda server: server.host or "",
    "node": lambda server: server.host or "",
    "hostname": lambda server: server.hostname,
    "image_ref": lambda server: server.image_id,
    "instance_type_id": lambda server: server.flavor.id,
    "launch_index": lambda server: server.launch_index,
    "power_state": power_state,
    "project_id": lambda server: server.project_id,
    "user_id": lambda server: server.user_id,
    "vm_state": lambda server: server.vm_state,
    "task_state": lambda server: server.task.value if server.task else "",
    "availability_zone": lambda server: server.availability_zone,
    "config_drive": lambda server: server.config_drive,
    "access_ip_v4": lambda server: server.access_ip_v4,
    "access_ip_v6": lambda server: server.access_ip_v6,
    "auto_disk_config": lambda server: server.auto_disk,
    "locked": lambda server: server.locked,
    "launched_at": lambda server: server.launched or server.created,
    "terminated_at": lambda server: server.terminated or server.created,
}
# Nova's keys that are the same for all servers of ours.
_CONSTANT_KEYS: Final = frozenset(
    [
        "kernel_id",
        "locked_by",
        "progress",
        "ramdisk_id",
        "root_device_name",
    ]
)
_CHANGES_BEFORE_SINCE: Final = 66
_MOST_SORT_KEYS: Final = 10


def chosen(ask: Ask) -> Sequence[Server]:
    """Return the servers that the query asks for, in its order.

    Raises Fault 400 for a filter, a status or a sort key that is not one.
    """
    query = ask.query
    _check_names(ask)
    keeps = _keeps(ask)
    if keeps is None:
        return []
    found = [
        server
        for server in ask.books.servers.list(_store_query(ask))
        if all(keep(server) for keep in keeps)
    ]
    return _sorted(query, found)


def _check_names(ask: Ask) -> None:
    for name in _REFUSED:
        if name in ask.query:
            raise Fault(400, f"Invalid filter field: {name}.")
    if ask.since(75):
        ask.query.refuse_unknown(_KNOWN)


def _store_query(ask: Ask) -> ServerQuery:
    query = ask.query
    since = query.moment("changes-since")
    before = ask.since(_CHANGES_BEFORE_SINCE) and query.moment("changes-before")
    if since and before and before < since:
        raise Fault(
            400,
            "The value of changes-since must be less than or equal to changes-before.",
        )
    deleted = None if since or before else False
    word = query.text("deleted")
    if word is not None:
        # Nova reads what is no boolean as false here.
        deleted = bool(as_flag(word))
    if "DELETED" in _statuses(query):
        if not ask.caller.is_admin:
            raise Fault(403, "Only administrators may list deleted instances")
        deleted = True
    return ServerQuery(project_id=_project(ask), deleted=deleted, changed_since=since)


def _project(ask: Ask) -> str | None:
    everyone = ask.query.text("all_tenants")
    if everyone is not None and (not everyone.strip() or _all_tenants(everyone)):
        if not ask.caller.is_admin:
            raise Fault(403, "Policy doesn't allow all_tenants; it is the admin's.")
        return ask.query.text("project_id") or ask.query.text("tenant_id")
    return ask.caller.project_id


def _all_tenants(word: str) -> bool:
    read = as_flag(word)
    if read is None:
        raise Fault(400, f"all_tenants must be a boolean, not {word[:80]!r}.")
    return read


def _keeps(ask: Ask) -> list[Keep] | None:
    """Return what a server must pass, or None when no server can pass it."""
    query = ask.query
    if any(query.text(name) for name in _NOBODY_HAS):
        return None
    keeps = [
        _matches(query, name, of) for name, of in _PATTERNS.items() if name in query
    ]
    keeps += [_equals(query, name, of) for name, of in _EXACT.items() if name in query]
    statuses = _statuses(query)
    if statuses:
        if not statuses <= _STATUSES:
            if ask.since(38):
                raise Fault(400, "Invalid status value")
            return None
        keeps.append(lambda server: _shown_status(server) in statuses)
    keeps += _tag_filters(ask)
    return keeps + _rarer(ask)


def _rarer(ask: Ask) -> list[Keep]:
    query = ask.query
    keeps: list[Keep] = []
    if _ZONE in query:
        hosts = hosts_seen(ask)
        keeps.append(_matches(query, _ZONE, lambda one: zone_shown(one, hosts)))
    if "config_drive" in query:
        wanted = query.flag("config_drive")
        keeps.append(lambda server: server.config_drive is wanted)
    if query.text("auto_disk_config"):
        auto = (query.text("auto_disk_config") or "").upper() == "AUTO"
        keeps.append(lambda server: server.auto_disk is auto)
    if ask.since(73) and "locked" in query:
        locked = query.flag("locked")
        keeps.append(lambda server: server.locked is locked)
    before = (
        query.moment("changes-before") if ask.since(_CHANGES_BEFORE_SINCE) else None
    )
    if before is not None:
        keeps.append(lambda server: server.updated <= before)
    return keeps


def _statuses(query: Query) -> frozenset[str]:
    return frozenset(value.upper() for value in query.all("status"))


def _shown_status(server: Server) -> str:
    return server.status.value


def _matches(query: Query, name: str, of: Callable[[Server], str]) -> Keep:
    pattern = query.pattern(name)
    return lambda server: pattern is None or pattern.search(of(server)) is not None


def _equals(query: Query, name: str, of: Callable[[Server], str]) -> Keep:
    wanted = frozenset(query.all(name))
    return lambda server: of(server) in wanted


def _tag_filters(ask: Ask) -> list[Keep]:
    if not ask.since(26):
        return []
    tests: dict[str, Callable[[frozenset[str], frozenset[str]], bool]] = {
        "tags": lambda wanted, had: wanted <= had,
        "tags-any": lambda wanted, had: bool(wanted & had),
        "not-tags": lambda wanted, had: not wanted <= had,
        "not-tags-any": lambda wanted, had: not wanted & had,
    }
    return [
        _tagged(frozenset((ask.query.text(name) or "").split(",")), test)
        for name, test in tests.items()
        if name in ask.query
    ]


def _tagged(
    wanted: frozenset[str], test: Callable[[frozenset[str], frozenset[str]], bool]
) -> Keep:
    return lambda server: test(wanted, server.tags)


def _sorted(query: Query, servers: Sequence[Server]) -> Sequence[Server]:
    keys = query.all("sort_key")
    ways = query.all("sort_dir")
    if len(keys) > _MOST_SORT_KEYS:
        raise Fault(400, f"Invalid sort_key: there may be {_MOST_SORT_KEYS}.")
    for way in ways:
        if way not in ("asc", "desc"):
            raise Fault(400, f"Invalid sort_dir {way[:80]!r}: it is asc or desc.")
    ordered = list(servers)
    # Sorting is stable: the last key first.
    for place in reversed(range(len(keys))):
        down = (ways[place] if place < len(ways) else "desc") == "desc"
        if keys[place] in _SORT:
            ordered.sort(key=_SORT[keys[place]], reverse=down)  # type: ignore[arg-type]  # each key's values compare with themselves
        elif keys[place] not in _CONSTANT_KEYS:
            raise Fault(
                400,
                f"Invalid input for query parameter sort_key: {keys[place][:80]!r} is "
                f"not one of {', '.join(sorted(_SORT))}.",
            )
    return ordered
