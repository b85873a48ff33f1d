"""The one table of actions on a server, and the route that takes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET

from sundog.core.lives.phases import Phase, ServerEvent
from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.compute.actions import bodies, moves
from sundog.edges.rest.compute.actions.rebuild import rebuild
from sundog.edges.rest.compute.former import gone
from sundog.edges.rest.compute.guest.consoles import unavailable
from sundog.edges.rest.compute.server_fields import (
    METADATA_KEY,
    admin_password,
    check_zone,
)
from sundog.edges.rest.compute.servers import find
from sundog.edges.rest.errors import Fault
from sundog.workflows.actions.book import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from sundog.edges.rest.ask import Ask

_LONGEST_REASON: Final = 255
# Control characters but tabs and line ends, as Nova leaves them out of a console.
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f]")
_IMAGED: Final = frozenset({Phase.ACTIVE, Phase.SHUTOFF, Phase.PAUSED, Phase.SUSPENDED})
# What Nova knows and Sundog does not do; everything else is no action at all.
_UNSERVED: Final = frozenset(
    {
        "addFixedIp",
        "addFloatingIp",
        "addSecurityGroup",
        "changePassword",
        "createBackup",
        "removeFixedIp",
        "removeFloatingIp",
        "removeSecurityGroup",
        "trigger_crash_dump",
    }
)


@dataclass(frozen=True, slots=True)
class Action:
    """An action: the shape of its value, and what answers it."""

    shape: Any
    answer: Callable[[Ask, Call, Any], Answer]


def act(ask: Ask, server_id: str) -> Answer:
    """``POST /servers/{id}/action``: a body with exactly one action."""
    body = ask.read(dict[str, object])
    if len(body) != 1:
        raise Fault(400, "A body with exactly one action is needed.")
    [(name, value)] = body.items()
    server = find(ask, server_id)
    action = ACTIONS.get(name)
    if name in gone.ACTIONS:
        gone.gone()
    if action is None:
        if name in _UNSERVED:
            raise Fault(400, f"Sundog does not serve the action {name!r} yet.")
        raise Fault(400, f"There is no such action: {name[:80]!r}")
    try:
        read = msgspec.convert(value, action.shape)
    except msgspec.ValidationError as error:
        raise Fault(400, f"Invalid input for {name}: {error}") from None
    call = Call(server_id=server.id, asked=ask.asked, over_lock=ask.is_over_locks)
    return action.answer(ask, call, read)


def _simple(event: ServerEvent) -> Action:
    def answer(ask: Ask, call: Call, _: object) -> Answer:
        ask.books.actions.act(call, event)
        return Answer(status=202)

    return Action(bodies.Nothing | None, answer)


def _reboot(ask: Ask, call: Call, body: bodies.Reboot) -> Answer:
    events = {"SOFT": ServerEvent.REBOOT, "HARD": ServerEvent.REBOOT_HARD}
    event = events.get(body.type.upper())
    if event is None:
        raise Fault(
            400,
            f"Invalid input for field/attribute type. Value: {body.type[:80]!r} is not "
            "one of SOFT and HARD.",
        )
    ask.books.actions.act(call, event)
    return Answer(status=202)


def _lock(ask: Ask, call: Call, body: bodies.Lock | None) -> Answer:
    reason = None
    if body is not None and body.locked_reason is not UNSET:
        if not ask.since(73):
            raise Fault(
                400,
                "Additional properties are not allowed ('locked_reason' was "
                "unexpected); it comes with microversion 2.73.",
            )
        reason = body.locked_reason
        checks.description("locked_reason", reason)
        if not 1 <= len(reason) <= _LONGEST_REASON:
            raise Fault(
                400,
                "Invalid input for field/attribute locked_reason: it must have 1 to "
                f"{_LONGEST_REASON} characters.",
            )
    ask.books.actions.lock(call, reason)
    return Answer(status=202)


def _unlock(ask: Ask, call: Call, _: object) -> Answer:
    ask.books.actions.unlock(call)
    return Answer(status=202)


def _unshelve(ask: Ask, call: Call, body: bodies.Unshelve | None) -> Answer:
    host = zone = None
    if body is not None:
        checks.refuse_early(body, {"availability_zone": 77, "host": 91}, ask.version)
        zone = _unshelve_zone(ask, body)
        host = None if body.host is UNSET else body.host
    known = {service.host for service in ask.books.hosts.service_list()}
    if host is not None and host not in known:
        raise Fault(400, f"Compute host {host[:160]!r} could not be found.")
    ask.books.actions.unshelve(call, host, zone)
    return Answer(status=202)


def _unshelve_zone(ask: Ask, body: bodies.Unshelve) -> str | None:
    """Return the zone to be in from now on: None as before, empty for any."""
    zone = body.availability_zone
    if zone is UNSET:
        return None
    if zone is None and not ask.since(91):
        raise Fault(
            400, "Invalid input for field/attribute availability_zone: it is no text."
        )
    if zone:
        check_zone(ask, zone)
    return zone or ""


def _rescue(ask: Ask, call: Call, body: bodies.Rescue | None) -> Answer:
    image = None
    if body is not None and body.rescue_image_ref is not UNSET:
        image = checks.name("rescue_image_ref", body.rescue_image_ref)
    ask.books.actions.rescue(call, image)
    said = None if body is None or body.admin_pass is UNSET else body.admin_pass
    return Answer(body={"adminPass": admin_password(said)})


def _unrescue(ask: Ask, call: Call, _: object) -> Answer:
    ask.books.actions.unrescue(call)
    return Answer(status=202)


def _reset(ask: Ask, call: Call, body: bodies.ResetState) -> Answer:
    if not ask.caller.is_admin:
        raise Fault(403, "Policy doesn't allow os-resetState; it is the admin's.")
    if body.state not in ("active", "error"):
        raise Fault(
            400,
            f"Invalid input for field/attribute state. Value: {body.state[:80]!r} is "
            "not one of active and error.",
        )
    ask.books.actions.reset(call, active=body.state == "active")
    return Answer(status=202)


def _offload(ask: Ask, call: Call, _: object) -> Answer:
    """Refuse: what is shelved has given everything back already."""
    ask.books.actions.check(call, "shelveOffload", frozenset())
    raise Fault(409, "Nothing is left to offload.")


def _restore(ask: Ask, call: Call, _: object) -> Answer:
    """Refuse: a delete is for good, so no server is ever in the state for it."""
    ask.books.actions.check(call, "restore", frozenset())
    raise Fault(409, "Nothing is left to restore.")


def _force_delete(ask: Ask, call: Call, _: object) -> Answer:
    ask.books.servers.delete(call.server_id, call.asked, over_lock=call.over_lock)
    return Answer(status=202)


def _console(ask: Ask, call: Call, body: bodies.ConsoleOutput) -> Answer:
    """Tell the last lines, or with no length and with -1 all that is kept."""
    lines = None
    if body.length is not None:
        length = checks.whole("length", body.length, least=-1)
        lines = None if length < 0 else length
    server = ask.books.servers.get(call.server_id)
    output = _UNPRINTABLE.sub("", ask.books.guests.console(server, lines))
    return Answer(body={"output": output})


def _old_console(ask: Ask, _: Call, body: bodies.OldConsole) -> Answer:
    """Refuse: guests have no display; from 2.6 on there are remote-consoles."""
    if ask.since(6):
        raise Fault(404, "The resource could not be found.")
    raise unavailable(body.type)


def _inject(ask: Ask, call: Call, _: object) -> Answer:
    """Accept: a guest without ports has all that there is to tell it of them."""
    ask.books.actions.check_lock(call)
    return Answer(status=202)


def _image(ask: Ask, call: Call, body: bodies.CreateImage) -> Answer:
    """Refuse: images are read from a folder that is never written to."""
    checks.name("name", body.name)
    checks.pairs("metadata", body.metadata, METADATA_KEY)
    ask.books.actions.check(call, "createImage", _IMAGED)
    raise Fault(403, "The image service is read-only: no image can be made here.")


ACTIONS: Final = {
    "os-start": _simple(ServerEvent.POWER_ON),
    "os-stop": _simple(ServerEvent.POWER_OFF),
    "reboot": Action(bodies.Reboot, _reboot),
    "pause": _simple(ServerEvent.PAUSE),
    "unpause": _simple(ServerEvent.UNPAUSE),
    "suspend": _simple(ServerEvent.SUSPEND),
    "resume": _simple(ServerEvent.RESUME),
    "lock": Action(bodies.Lock | None, _lock),
    "unlock": Action(bodies.Nothing | None, _unlock),
    "rebuild": Action(bodies.Rebuild, rebuild),
    "shelve": _simple(ServerEvent.SHELVE),
    "shelveOffload": Action(bodies.Nothing | None, _offload),
    "unshelve": Action(bodies.Unshelve | None, _unshelve),
    "rescue": Action(bodies.Rescue | None, _rescue),
    "unrescue": Action(bodies.Nothing | None, _unrescue),
    "os-resetState": Action(bodies.ResetState, _reset),
    "os-getConsoleOutput": Action(bodies.ConsoleOutput, _console),
    **dict.fromkeys(
        ("os-getVNCConsole", "os-getSPICEConsole", "os-getSerialConsole"),
        Action(bodies.OldConsole, _old_console),
    ),
    "injectNetworkInfo": Action(bodies.Nothing | None, _inject),
    "forceDelete": Action(bodies.Nothing | None, _force_delete),
    "restore": Action(bodies.Nothing | None, _restore),
    "createImage": Action(bodies.CreateImage, _image),
    "resize": Action(bodies.Resize, moves.resize),
    "confirmResize": Action(bodies.Nothing | None, moves.confirm),
    "revertResize": Action(bodies.Nothing | None, moves.revert),
    "migrate": Action(bodies.Migrate | None, moves.migrate),
    "os-migrateLive": Action(bodies.MigrateLive, moves.migrate_live),
    "evacuate": Action(bodies.Evacuate, moves.evacuate),
}
