"""The actions that move a server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import UNSET

from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.server_fields import check_flavor, is_auto
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask
    from sundog.edges.rest.compute.actions import bodies
    from sundog.workflows.actions.book import Call

_LONGEST_HOST = 255


def resize(ask: Ask, call: Call, body: bodies.Resize) -> Answer:
    """``resize``: to another flavor."""
    auto = None if body.disk_config is UNSET else is_auto(body.disk_config)
    reference = body.flavor_ref
    flavor_id = str(reference).rstrip("/").rpartition("/")[2]
    if not flavor_id or isinstance(reference, bool):
        raise Fault(400, "Invalid input for field/attribute flavorRef: it is empty.")
    check_flavor(ask, flavor_id)
    ask.books.moves.resize(call, flavor_id)
    if auto is not None:
        ask.books.servers.change(
            call.server_id, lambda old: replace(old, auto_disk=auto)
        )
    return Answer(status=202)


def confirm(ask: Ask, call: Call, _: object) -> Answer:
    """``confirmResize``: keep the new side."""
    ask.books.moves.confirm(call)
    return Answer(status=204)


def revert(ask: Ask, call: Call, _: object) -> Answer:
    """``revertResize``: go back to the old side."""
    ask.books.moves.revert(call)
    return Answer(status=202)


def migrate(ask: Ask, call: Call, body: bodies.Migrate | None) -> Answer:
    """``migrate``: cold, with a host from 2.56 on."""
    host = None
    if body is not None and body.host is not UNSET:
        checks.refuse_early(body, {"host": 56}, ask.version)
        host = _host(body.host)
    ask.books.moves.migrate(call, host)
    return Answer(status=202)


def migrate_live(ask: Ask, call: Call, body: bodies.MigrateLive) -> Answer:
    """``os-migrateLive``."""
    if not ask.since(25) and body.disk_over_commit is UNSET:
        raise Fault(400, "Invalid input: 'disk_over_commit' is a required property")
    _refuse_late(ask, body, {"disk_over_commit": 25, "force": 68})
    checks.refuse_early(body, {"force": 30}, ask.version)
    if body.block_migration == "auto" and not ask.since(25):
        raise Fault(400, "Invalid input: block_migration 'auto' comes with 2.25.")
    for name in ("block_migration", "disk_over_commit", "force"):
        value = getattr(body, name)
        if value is not UNSET and not (name == "block_migration" and value == "auto"):
            checks.flag(name, value)
    ask.books.moves.migrate_live(call, _host(body.host))
    return Answer(status=202)


def evacuate(ask: Ask, call: Call, body: bodies.Evacuate) -> Answer:
    """``evacuate``: from 2.95 on the server stays off at its new host."""
    if not ask.since(14) and body.on_shared_storage is UNSET:
        raise Fault(400, "Invalid input: 'onSharedStorage' is a required property")
    _refuse_late(ask, body, {"on_shared_storage": 14, "force": 68})
    checks.refuse_early(body, {"force": 29}, ask.version)
    for name in ("on_shared_storage", "force"):
        if getattr(body, name) is not UNSET:
            checks.flag(name, getattr(body, name))
    host = None if body.host is UNSET else _host(body.host)
    ask.books.moves.evacuate(call, host, stays_off=ask.since(95))
    return Answer() if ask.since(14) else Answer(body={"adminPass": ""})


def _host(host: object) -> str | None:
    """Return a host's name; raises Fault 400 for what can be none."""
    if host is None:
        return None
    if not isinstance(host, str) or not 1 <= len(host) <= _LONGEST_HOST:
        raise Fault(
            400,
            "Invalid input for field/attribute host: it must have 1 to "
            f"{_LONGEST_HOST} characters.",
        )
    return host


def _refuse_late(ask: Ask, body: object, until: dict[str, int]) -> None:
    """Refuse what a later microversion took away."""
    for name, minor in until.items():
        if getattr(body, name) is not UNSET and ask.since(minor):
            raise Fault(
                400,
                f"Additional properties are not allowed ({name!r} was unexpected); it "
                f"is gone since microversion 2.{minor}.",
            )
