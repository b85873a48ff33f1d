"""Actions, as the API asks for them: checked, begun, answered at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from sundog.core.errors import BadRequestError, ConflictError, NotFoundError
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.core.requests.extra_specs import guest_request
from sundog.workflows.actions import deeds
from sundog.workflows.actions.errand import run
from sundog.workflows.devices.plug import tidy
from sundog.workflows.moves.record import two_sided
from sundog.workflows.servers import check_minimum, known_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from sundog.core.lives.instance_action import Asked
    from sundog.core.lives.server import Server
    from sundog.workflows.actions.errand import Job
    from sundog.workflows.actions.history import History
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.ports import Image, ImageSource

    Deed = Callable[[Job], None]

# What each event does, and Nova's word for it where the action's name is another.
_DEEDS: Final[Mapping[ServerEvent, Deed]] = {
    ServerEvent.POWER_ON: deeds.change_power,
    ServerEvent.POWER_OFF: deeds.change_power,
    ServerEvent.REBOOT: deeds.soft_reboot,
    ServerEvent.REBOOT_HARD: deeds.reboot,
    ServerEvent.PAUSE: deeds.change_power,
    ServerEvent.UNPAUSE: deeds.change_power,
    ServerEvent.SUSPEND: deeds.change_power,
    ServerEvent.RESUME: deeds.change_power,
    ServerEvent.REBUILD: deeds.rebuild,
    ServerEvent.SHELVE: deeds.shelve,
}
_WORDS: Final = {
    ServerEvent.POWER_ON: "start",
    ServerEvent.POWER_OFF: "stop",
    ServerEvent.REBOOT_HARD: "reboot",
    ServerEvent.EVACUATE_OFF: "evacuate",
    ServerEvent.ATTACH: "attach_device",
    ServerEvent.DETACH: "detach_device",
}
# What histories call it, where that is another word again.
_HISTORY_WORDS: Final = _WORDS | {ServerEvent.MIGRATE_LIVE: "live-migration"}


def history_word(event: ServerEvent) -> str:
    """Return Nova's word for the action that an event asks for, in histories."""
    return _HISTORY_WORDS.get(event, event.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An action asked for; ``over_lock``: a lock does not bind the one who asks.

    What nobody asked for (``asked`` is None) is not in the server's history.
    """

    server_id: UUID
    asked: Asked | None = None
    over_lock: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """What a rebuild changes; ``changes`` are fields of Server."""

    image_id: str
    changes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionBook:
    """What the API may do to servers that are there.

    Every action raises NotFoundError, or ConflictError in Nova's words: in the wrong
    state, or locked. ``begin`` hands a job over and returns at once.
    """

    conductor: Conductor
    images: ImageSource
    history: History
    begin: Callable[[Callable[[], object]], None]

    def act(self, call: Call, event: ServerEvent) -> Server:
        """Begin an action that needs nothing more."""
        server = self._move(call, event)
        self._begin(call, event, _DEEDS[event])
        return server

    def ready(self, call: Call, event: ServerEvent) -> Server:
        """Return a server that an action can be begun on; raises as ``act`` does."""
        server = self._get(call)
        _check_ready(server, call, event)
        return server

    def start(
        self,
        call: Call,
        event: ServerEvent,
        deed: Deed,
        edit: Callable[[Server], Server] = lambda server: server,
    ) -> Server:
        """Begin an action whose deed is another book's; ``edit`` is part of it."""
        server = self._move(call, event, edit=edit)
        self._begin(call, event, deed)
        return server

    def unshelve(self, call: Call, host: str | None, zone: str | None = None) -> Server:
        """Begin to place a shelved server anew, on ``host`` if one is named.

        ``zone`` is the zone to be in from now on: None as before, empty for any.
        """
        changes: dict[str, object] = {"host": None}
        if zone is not None:
            changes["availability_zone"] = zone
        moved = self._move(call, ServerEvent.UNSHELVE, changes)
        deed = partial(deeds.unshelve, host=host)
        self._begin(call, ServerEvent.UNSHELVE, deed)
        return moved

    def rebuild(self, call: Call, asked: Rebuild) -> Server:
        """Begin to make a server anew from an image, with the flavor that it has.

        Raises BadRequestError for an image that cannot be used: one that is not
        there, is too large, or asks for other cells or devices than the server has.
        """
        server = self._get(call)
        image = self._image(server, asked.image_id)
        changes: dict[str, object] = {
            **asked.changes,
            "image_id": image.id,
            "image_properties": image.properties,
        }
        moved = self._move(call, ServerEvent.REBUILD, changes)
        self._begin(call, ServerEvent.REBUILD, deeds.rebuild)
        return moved

    def rescue(self, call: Call, image_id: str | None) -> Server:
        """Begin to boot a server from another image, or from its own afresh.

        Its disk is then a second one. Raises BadRequestError for an image that is not
        there.
        """
        image = known_image(self.images, image_id or self._get(call).image_id)
        changes = {"rescue_image_id": image.id, "rescue_properties": image.properties}
        moved = self._move(call, ServerEvent.RESCUE, changes)
        self._begin(call, ServerEvent.RESCUE, deeds.rescue)
        return moved

    def unrescue(self, call: Call) -> Server:
        """Begin to boot a server from its own disk again."""
        changes: dict[str, object] = {"rescue_image_id": None, "rescue_properties": {}}
        moved = self._move(call, ServerEvent.UNRESCUE, changes)
        self._begin(call, ServerEvent.UNRESCUE, deeds.rescue)
        return moved

    def lock(self, call: Call, reason: str | None) -> None:
        """Let nobody but an admin act on a server; a second lock is fine."""
        self._edit(call, lambda old: replace(old, locked=True, locked_reason=reason))
        self._record(call, "lock")

    def unlock(self, call: Call) -> None:
        """Let a server's users act on it again."""
        self._edit(call, lambda old: replace(old, locked=False, locked_reason=None))
        self._record(call, "unlock")

    def reset(self, call: Call, *, active: bool) -> None:
        """Call a server ACTIVE or ERROR; nothing else is done.

        One that was rescued boots from its own disk the next time. One that holds
        both sides of a move is called resized, so that the old is not forgotten.
        Raises ConflictError for one that holds nothing and is to be ACTIVE.
        """
        event = ServerEvent.RESET_ACTIVE if active else ServerEvent.RESET_ERROR
        server = self._get(call)
        if active and two_sided(self.conductor, server.id) is not None:
            event = ServerEvent.RESET_RESIZED
        if active and self.conductor.claims.get(call.server_id) is None:
            raise ConflictError(
                f"Cannot call instance {call.server_id} active: it holds nothing on "
                "any host"
            )
        self._move(call, event, {"fault": None} if active else {})

    def check(self, call: Call, word: str, phases: frozenset[Phase]) -> Server:
        """Return a server if it is in one of the phases; else raise ConflictError."""
        server = self._get(call)
        _check_lock(server, call)
        if server.phase not in phases:
            raise _wrong_state(server, word, "vm_state", server.vm_state)
        return server

    def check_lock(self, call: Call) -> None:
        """Raise ConflictError if a server is locked and the lock binds."""
        _check_lock(self._get(call), call)

    def _get(self, call: Call) -> Server:
        server = self.conductor.servers.get(call.server_id)
        if server.phase is Phase.DELETED:
            raise NotFoundError(f"Instance {call.server_id} could not be found.")
        return server

    def _edit(self, call: Call, edit: Callable[[Server], Server]) -> None:
        self._get(call)
        self.conductor.servers.change(call.server_id, edit)

    def _move(
        self,
        call: Call,
        event: ServerEvent,
        changes: Mapping[str, object] | None = None,
        edit: Callable[[Server], Server] = lambda server: server,
    ) -> Server:
        self._get(call)
        now = self.conductor.clock()

        def moved(server: Server) -> Server:
            _check_ready(server, call, event)
            return edit(_changed(server, server.after(event, now), changes or {}))

        return self.conductor.servers.change(call.server_id, moved)

    def _begin(self, call: Call, event: ServerEvent, deed: Deed) -> None:
        word = history_word(event)
        self._record(call, word)
        self.begin(partial(self._run, call.server_id, word, deed))

    def _run(self, server_id: UUID, word: str, deed: Deed) -> None:
        error = run(self.conductor, server_id, deed)
        if error is None:
            # It waits; its history ends when it is settled.
            return
        tidy(self.conductor, server_id)
        host = self.conductor.servers.get(server_id).host
        self.history.finish(server_id, word, error, host)

    def _record(self, call: Call, word: str) -> None:
        if call.asked is not None:
            self.history.begin(call.server_id, word, call.asked)

    def _image(self, server: Server, image_id: str) -> Image:
        image = known_image(self.images, image_id)
        check_minimum(server.flavor, image)
        aliases = self.conductor.aliases
        had = guest_request(server.flavor, server.image_properties, aliases)
        if guest_request(server.flavor, image.properties, aliases) != had:
            raise BadRequestError(
                "An instance's NUMA topology or devices cannot be changed as part of a "
                f"rebuild. The image {image.name!r} provided is invalid for this "
                "instance; resize it, or make a new one."
            )
        return image


def _changed(old: Server, moved: Server, changes: Mapping[str, object]) -> Server:
    """Return a server that has moved with its changes; its intent keeps what was."""
    if moved.intent is not None:
        before = {name: getattr(old, name) for name in changes}
        moved = replace(moved, intent=replace(moved.intent, before=before))
    return replace(moved, **changes)  # type: ignore[arg-type]  # replace is untyped


def _check_lock(server: Server, call: Call) -> None:
    if server.locked and not call.over_lock:
        raise ConflictError(f"Instance {server.id} is locked")


def _check_ready(server: Server, call: Call, event: ServerEvent) -> None:
    """Raise ConflictError in Nova's words if an action may not begin."""
    _check_lock(server, call)
    word = _WORDS.get(event, event.value)
    obstacle = server.obstacle(event)
    if obstacle is not None:
        raise _wrong_state(server, word, *obstacle)
    if server.phase is Phase.ERROR and server.launched is None:
        raise ConflictError(f"Cannot '{word}' an instance which has never been active")


def _wrong_state(server: Server, word: str, kind: str, state: str) -> ConflictError:
    return ConflictError(
        f"Cannot '{word}' instance {server.id} while it is in {kind} {state}"
    )
