"""Moves asked for, and what must hold when they are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.workflows.world import World, flavor

from sundog.core.lives.claim import ClaimState
from sundog.core.lives.guest import GuestState
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.core.lives.server_life import ERRANDS, MOVE_EVENTS, Errand
from sundog.workflows.actions.book import Call
from sundog.workflows.actions.errand import GUEST_OF
from sundog.workflows.moves.ports import MigrationQuery

if TYPE_CHECKING:
    from uuid import UUID

    from sundog.core.moves.migration import Migration

SMALL = flavor("small", pci="vGPU:1,vf:1")
LARGE = flavor("large", pci="vGPU:2,vf:1")
OTHER = flavor("other", pci="vf:2")
PLAIN = flavor("plain")
MOVES = [errand for errand in ERRANDS if errand.asked in MOVE_EVENTS]


def by_name(errand: Errand) -> str:
    return errand.way.name


def know(here: World) -> None:
    """Let the flavors be known."""
    for one in (SMALL, LARGE, OTHER, PLAIN):
        if one not in here.store.flavors.list():
            here.flavors.create(one)


def standing(here: World, phase: Phase) -> Call:
    """Boot a server and bring it to a phase."""
    know(here)
    [one] = here.boot(SMALL)
    call = Call(server_id=one)
    if phase in (Phase.SHUTOFF, Phase.RESIZED_SHUTOFF):
        here.actions.act(call, ServerEvent.POWER_OFF)
        here.work()
    if phase is Phase.PAUSED:
        here.actions.act(call, ServerEvent.PAUSE)
        here.work()
    if phase is Phase.ERROR:
        here.actions.reset(call, active=False)
    if phase in (Phase.RESIZED, Phase.RESIZED_SHUTOFF):
        here.moves.resize(call, LARGE.id)
        here.work()
    assert here.store.servers.get(one).phase is phase
    return call


def ask(here: World, call: Call, event: ServerEvent) -> None:
    """Ask for a move; nothing is done yet."""
    moves, server = here.moves, here.store.servers.get(call.server_id)
    match event:
        case ServerEvent.RESIZE:
            moves.resize(call, LARGE.id)
        case ServerEvent.MIGRATE:
            moves.migrate(call)
        case ServerEvent.CONFIRM:
            moves.confirm(call)
        case ServerEvent.REVERT:
            moves.revert(call)
        case ServerEvent.MIGRATE_LIVE:
            moves.migrate_live(call)
        case _:
            force_down(here, str(server.host), down=True)
            moves.evacuate(call, stays_off=event is ServerEvent.EVACUATE_OFF)


def force_down(here: World, host: str, *, down: bool) -> None:
    """Say that a host is down, or up again; it is cleaned then."""
    [service] = [one for one in here.store.services.list() if one.host == host]
    here.moves.clean(here.hosts.set_service(service.id, forced_down=down))
    here.work()


def last_move(here: World, one: UUID) -> Migration:
    return here.moves.list(MigrationQuery(server_id=one))[0]


def check(here: World, call: Call, phase: Phase) -> None:
    """Assert a phase, and that guest, claim, allocation and devices follow."""
    server = here.store.servers.get(call.server_id)
    assert server.phase is phase, server.fault
    here.check_agreement()
    claim = here.store.claims.get(call.server_id)
    assert claim is not None
    if phase is Phase.ERROR:
        return
    assert claim.state is ClaimState.ALLOCATED
    assert claim.assignment.host == server.host
    agent = here.agents[claim.assignment.host]
    guest = agent.states.get(call.server_id, GuestState.ABSENT)
    lost = {GuestState.ABSENT} if GUEST_OF[phase] is GuestState.OFF else set()
    assert guest in {GUEST_OF[phase], *lost}
    request = here.conductor.request_of(server)
    assert sum(one.count for one in request.devices) == len(claim.assignment.devices)
    made = sum(share.is_made for share in claim.assignment.devices)
    assert len(agent.report().mdevs) == made
