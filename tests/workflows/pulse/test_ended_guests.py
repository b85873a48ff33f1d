"""A guest that ended by itself leaves its server shut off, with all that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from tests.workflows.world import World, flavor, host, world

from sundog.core.errors import HostRefusedError
from sundog.core.lives.guest import GuestState
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.workflows.actions.book import Call
from sundog.workflows.pulse.ended_guests import look_for_ended, note_ended

if TYPE_CHECKING:
    from collections.abc import Iterator

VGPU = flavor("vgpu", pci="vGPU:1")
VF = flavor("vf", pci="vf:1")


@pytest.fixture(name="here")
def _here() -> World:
    return world(host("a"))


def phases(here: World, ids: list[UUID]) -> list[Phase]:
    return [here.store.servers.get(one).phase for one in ids]


def test_its_server_is_shut_off_and_can_be_started(here: World) -> None:
    """Nothing is given back: it starts again with what it holds."""
    [one] = here.boot(VGPU)
    held = here.store.claims.get(one)
    here.agents["a"].states[one] = GuestState.OFF
    note_ended(here.conductor, one)
    assert phases(here, [one]) == [Phase.SHUTOFF]
    assert here.store.claims.get(one) == held
    here.actions.act(Call(server_id=one), ServerEvent.POWER_ON)
    here.work()
    assert phases(here, [one]) == [Phase.ACTIVE]


def test_a_rescued_or_resized_server_stays_so(here: World) -> None:
    """It is shut off as that, and goes on from there as ever."""
    here.store.flavors.add(VF)
    rescued, resized = (here.boot(VGPU)[0] for _ in range(2))
    here.actions.rescue(Call(server_id=rescued), None)
    here.moves.resize(Call(server_id=resized), VF.id)
    here.work()
    for one in (rescued, resized):
        here.agents["a"].states[one] = GuestState.OFF
        note_ended(here.conductor, one)
    assert phases(here, [rescued, resized]) == [
        Phase.RESCUED_SHUTOFF,
        Phase.RESIZED_SHUTOFF,
    ]
    here.actions.unrescue(Call(server_id=rescued))
    here.moves.confirm(Call(server_id=resized))
    here.work()
    assert phases(here, [rescued, resized]) == [Phase.ACTIVE, Phase.SHUTOFF]
    here.check_agreement()


def test_a_guest_that_runs_again_meanwhile_is_left_alone(here: World) -> None:
    """Whoever ended and started it again knew why; so is one that nobody knows."""
    [one] = here.boot(VGPU)
    note_ended(here.conductor, one)
    note_ended(here.conductor, UUID(int=99))
    assert phases(here, [one]) == [Phase.ACTIVE]


def test_an_errand_knows_what_becomes_of_its_guest(here: World) -> None:
    """Stopping a server ends its guest, and the errand says what comes of it."""
    [one] = here.boot(VGPU)
    here.actions.act(Call(server_id=one), ServerEvent.POWER_OFF)
    here.agents["a"].states[one] = GuestState.OFF
    note_ended(here.conductor, one)
    assert phases(here, [one]) == [Phase.POWERING_OFF]
    here.work()
    assert phases(here, [one]) == [Phase.SHUTOFF]


def test_who_asks_for_an_errand_at_that_moment_is_first(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The errand finds out what became of the guest."""
    [one] = here.boot(VGPU)
    agent = here.agents["a"]
    agent.states[one] = GuestState.OFF

    def meanwhile() -> frozenset[UUID]:
        here.actions.act(Call(server_id=one), ServerEvent.REBOOT_HARD)
        return frozenset()

    with monkeypatch.context() as patch:
        patch.setattr(agent, "running", meanwhile)
        note_ended(here.conductor, one)
    assert phases(here, [one]) == [Phase.REBOOTING_HARD]
    here.work()
    assert phases(here, [one]) == [Phase.ACTIVE]


def test_a_host_that_does_not_tell_what_runs_ends_nothing(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown is not ended."""
    [one] = here.boot(VGPU)

    def silent() -> Iterator[UUID]:
        raise HostRefusedError("libvirt could not list the guests")

    monkeypatch.setattr(here.agents["a"], "running", silent)
    note_ended(here.conductor, one)
    assert phases(here, [one]) == [Phase.ACTIVE]


def test_what_ended_while_nobody_listened_is_found(here: World) -> None:
    """Every server of the host is looked at; paused ones are, too."""
    ids = [here.boot(VGPU)[0] for _ in range(2)]
    here.actions.act(Call(server_id=ids[1]), ServerEvent.PAUSE)
    here.work()
    look_for_ended(here.conductor, "a")
    assert phases(here, ids) == [Phase.ACTIVE, Phase.PAUSED]
    for one in ids:
        here.agents["a"].states[one] = GuestState.OFF
    look_for_ended(here.conductor, "a")
    assert phases(here, ids) == [Phase.SHUTOFF, Phase.SHUTOFF]
