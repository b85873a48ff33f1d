"""An errand ends, or the server is where it was with what it had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.workflows.world import World, flavor, host, world

from sundog.core.errors import HostRefusedError, NotAskedError, UnavailableError
from sundog.core.lives.claim import ClaimState
from sundog.core.lives.guest import GuestState
from sundog.core.lives.phases import Phase, ServerEvent, ServerTask
from sundog.core.lives.server_life import ERRANDS, MOVE_EVENTS, Errand
from sundog.workflows.actions.book import Call, Rebuild
from sundog.workflows.actions.errand import GUEST_OF
from sundog.workflows.pulse.ended_guests import note_ended
from sundog.workflows.settle import settle_one

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sundog.core.lives.server import Server

BOTH = flavor("both", pci="vGPU:1,vf:1")
WAY_TO = {
    Phase.SHUTOFF: ServerEvent.POWER_OFF,
    Phase.PAUSED: ServerEvent.PAUSE,
    Phase.SUSPENDED: ServerEvent.SUSPEND,
    Phase.SHELVED_OFFLOADED: ServerEvent.SHELVE,
    Phase.RESCUED: ServerEvent.RESCUE,
    Phase.RESCUED_SHUTOFF: ServerEvent.RESCUE,
}
FAILURE = HostRefusedError("the host says no")
# Moves have tests of their own.
PLAIN = [errand for errand in ERRANDS if errand.asked not in MOVE_EVENTS]
# After these the guest boots from another disk.
ANEW = (ServerEvent.RESCUE, ServerEvent.UNRESCUE, ServerEvent.REBUILD)
TO_OTHER_DISKS = [errand for errand in ERRANDS if errand.asked in ANEW]


def by_name(errand: Errand) -> str:
    return errand.way.name


@pytest.fixture(name="here")
def _here() -> World:
    return world(host("a"), host("b"))


def standing(here: World, phase: Phase) -> Call:
    """Boot a server and bring it to a phase."""
    [one] = here.boot(BOTH)
    call = Call(server_id=one)
    if phase is Phase.ERROR:
        here.actions.reset(call, active=False)
    elif phase in WAY_TO:
        ask(here, call, WAY_TO[phase])
        here.work()
    if phase is Phase.RESCUED_SHUTOFF:
        for agent in here.agents.values():
            agent.states = dict.fromkeys(agent.states, GuestState.OFF)
        note_ended(here.conductor, one)
    assert here.store.servers.get(one).phase is phase
    return call


def ask(here: World, call: Call, event: ServerEvent) -> None:
    if event is ServerEvent.UNSHELVE:
        here.actions.unshelve(call, None)
    elif event is ServerEvent.REBUILD:
        wanted = Rebuild(image_id="tiny-id", changes={"name": "new"})
        here.actions.rebuild(call, wanted)
    elif event is ServerEvent.ATTACH:
        here.plugs.attach(call, "vGPU:1")
    elif event is ServerEvent.DETACH:
        here.plugs.detach(call, "vf/0")
    elif event is ServerEvent.RESCUE:
        here.actions.rescue(call, None)
    elif event is ServerEvent.UNRESCUE:
        here.actions.unrescue(call)
    else:
        here.actions.act(call, event)


def told(server: Server) -> tuple[str | None, ...]:
    """Return of what is told of a server what errands change."""
    return server.name, server.image_id, server.rescue_image_id


def check(here: World, call: Call, phase: Phase) -> None:
    """Assert a phase, and that guest, claim and allocation follow."""
    server = here.store.servers.get(call.server_id)
    assert server.phase is phase
    here.check_agreement()
    claim = here.store.claims.get(call.server_id)
    if phase in GUEST_OF:
        assert claim is not None
        assert claim.state is ClaimState.ALLOCATED
        agent = here.agents[claim.assignment.host]
        guest = agent.states[call.server_id]
        is_off = GUEST_OF[phase] is GuestState.OFF
        assert guest in {GUEST_OF[phase], *({GuestState.ABSENT} if is_off else ())}
        if guest is GuestState.RUNNING:
            booted = agent.started[call.server_id].server
            assert told(booted) == told(server)


@pytest.mark.parametrize("errand", PLAIN, ids=by_name)
def test_an_errand_leads_to_its_goal(here: World, errand: Errand) -> None:
    """The server's guest, claim and allocation are what the goal says."""
    call = standing(here, errand.origin)
    ask(here, call, errand.asked)
    assert here.store.servers.get(call.server_id).phase is errand.way
    here.work()
    check(here, call, errand.goal)


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("errand", PLAIN, ids=by_name)
def test_a_host_that_fails_leaves_the_server_where_it_was(
    here: World, errand: Errand, step: int
) -> None:
    """At whatever step; memory that could not be kept leaves it shut off."""
    call = standing(here, errand.origin)
    held = here.store.claims.get(call.server_id)
    for agent in here.agents.values():
        if errand.asked is ServerEvent.SHELVE:
            agent.removal_errors = [FAILURE]
        elif errand.asked is ServerEvent.UNSHELVE:
            agent.refusals = ["the host says no"]
        elif errand.asked in (ServerEvent.ATTACH, ServerEvent.DETACH):
            agent.plug_errors = [FAILURE]
            agent.unplug_errors = [NotAskedError("libvirt says no")]
        else:
            agent.bring_errors = [*[None] * step, FAILURE]
            agent.prepare_errors = [*[None] * step, FAILURE]
    ask(here, call, errand.asked)
    here.work()
    phase = here.store.servers.get(call.server_id).phase
    assert phase in {errand.origin, errand.goal, Phase.SHUTOFF}
    check(here, call, phase)
    if phase is not errand.goal or phase is errand.origin:
        assert here.store.claims.get(call.server_id) == held


def test_a_rebuild_that_fails_takes_its_changes_back(here: World) -> None:
    """Name and image are those of before."""
    call = standing(here, Phase.ACTIVE)
    here.agents["a"].bring_errors = [FAILURE]
    here.agents["b"].bring_errors = [FAILURE]
    ask(here, call, ServerEvent.REBUILD)
    assert here.servers.get(call.server_id).name == "new"
    here.work()
    assert here.servers.get(call.server_id).name == "vm"


@pytest.mark.parametrize("errand", TO_OTHER_DISKS, ids=by_name)
def test_a_guest_is_on_the_disk_that_is_recorded(here: World, errand: Errand) -> None:
    """Although the end of what changed it could not be."""
    call, change = standing(here, errand.origin), here.store.servers.change
    ask(here, call, errand.asked)

    def away(server_id: UUID, edit: Callable[[Server], Server]) -> Server:
        after = edit(here.store.servers.get(server_id))
        if after.intent is None:
            here.store.servers.change = change  # type: ignore[method-assign]  # once
            raise UnavailableError("the database is away")
        return change(server_id, edit)

    here.store.servers.change = away  # type: ignore[method-assign]  # same
    here.work()
    if errand.origin is not Phase.ERROR:
        check(here, call, errand.origin)


def test_what_cannot_be_brought_back_is_in_error_with_its_claim(here: World) -> None:
    """The fault says both reasons; a hard reboot brings it back."""
    call = standing(here, Phase.ACTIVE)
    for agent in here.agents.values():
        agent.bring_errors = [None, FAILURE, HostRefusedError("still no")]
    ask(here, call, ServerEvent.REBOOT_HARD)
    here.work()
    server = here.servers.get(call.server_id)
    assert server.phase is Phase.ERROR
    assert server.fault is not None
    assert server.fault.message == (
        "Reboot hard failed, and bringing the guest back failed too: still no"
    )
    assert here.store.claims.get(call.server_id) is not None
    ask(here, call, ServerEvent.REBOOT_HARD)
    here.work()
    check(here, call, Phase.ACTIVE)
    assert here.servers.get(call.server_id).fault is None


@pytest.mark.parametrize("origin", [Phase.ACTIVE, Phase.SHUTOFF])
def test_shelving_needs_placement(here: World, origin: Phase) -> None:
    """While it is away the server gets its guest and devices again."""
    call = standing(here, origin)
    here.ledger.away = True
    ask(here, call, ServerEvent.SHELVE)
    here.work()
    here.ledger.away = False
    check(here, call, origin)


def test_shelving_that_cannot_be_undone_goes_on_later(here: World) -> None:
    """Placement went away when it had let go: what was charged may be another's."""
    call = standing(here, Phase.ACTIVE)
    release = here.ledger.release

    def lost(consumer: UUID) -> None:
        release(consumer)
        here.ledger.away = True
        raise UnavailableError("the answer was lost")

    here.ledger.release = lost  # type: ignore[method-assign]  # lost once
    ask(here, call, ServerEvent.SHELVE)
    here.work()
    assert here.servers.get(call.server_id).task is ServerTask.SHELVING
    here.ledger.away, here.ledger.release = False, release  # type: ignore[method-assign]  # same
    for one, why in here.conductor.waiting.take().items():
        settle_one(here.conductor, one, here.servers.begin_delete, why)
    check(here, call, Phase.SHELVED_OFFLOADED)


def test_unshelving_without_room_stays_shelved() -> None:
    """It holds nothing, and says so in the log only."""
    here = world(host("a", mdevs=1))
    call = standing(here, Phase.SHELVED_OFFLOADED)
    [other] = here.boot(flavor("vgpu", pci="vGPU:1"))
    ask(here, call, ServerEvent.UNSHELVE)
    here.work()
    check(here, call, Phase.SHELVED_OFFLOADED)
    assert here.servers.get(call.server_id).host is None
    here.servers.delete(other)
    here.work()
    ask(here, call, ServerEvent.UNSHELVE)
    here.work()
    check(here, call, Phase.ACTIVE)


def test_placement_that_is_away_refuses_to_unshelve(here: World) -> None:
    """Nothing is left of the try."""
    call = standing(here, Phase.SHELVED_OFFLOADED)
    here.ledger.fail_next_claim(UnavailableError("away"))
    ask(here, call, ServerEvent.UNSHELVE)
    here.work()
    check(here, call, Phase.SHELVED_OFFLOADED)


@pytest.mark.parametrize("errand", PLAIN, ids=by_name)
def test_a_delete_in_the_middle_wins(here: World, errand: Errand) -> None:
    """The errand finds the server gone, or under deletion, and leaves it."""
    call = standing(here, errand.origin)
    ask(here, call, errand.asked)
    here.servers.delete(call.server_id)
    here.work()
    assert here.store.servers.get(call.server_id).phase is Phase.DELETED
    here.check_agreement()
