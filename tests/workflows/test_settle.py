"""A start ends what an earlier life had begun to give back, and is never stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.workflows.world import World, flavor, hosts, world

from sundog.core.errors import HostRefusedError, UnavailableError
from sundog.core.lives.claim import ClaimEvent
from sundog.core.lives.guest import GuestState
from sundog.core.lives.server import Phase
from sundog.workflows.delete_server import delete_server
from sundog.workflows.settle import settle

if TYPE_CHECKING:
    from uuid import UUID

    from sundog.core.lives.claim import Claim

VGPU = flavor("one-vgpu", pci="vGPU:1")


def settled(there: World) -> None:
    settle(there.conductor, lambda one: delete_server(there.conductor, one))


def building(there: World) -> UUID:
    """Boot a server, and let its record say that it is being built."""
    [one] = there.boot(VGPU)
    there.store.servers.change(one, lambda s: replace(s, phase=Phase.SPAWNING))
    return one


@pytest.mark.parametrize("phase", [Phase.ERROR, Phase.ACTIVE, Phase.SHUTOFF])
def test_what_was_half_given_back_is_given_back(phase: Phase) -> None:
    """A delete that failed after Placement let go leaves a claim that is uncharged.

    An admin may have reset the server's state since.
    """
    there = world(*hosts("a"))
    [one] = there.boot(VGPU)
    claim = there.store.claims.get(one)
    assert claim is not None
    there.store.claims.put(claim.after(ClaimEvent.FREE))
    there.ledger.release(one)
    there.store.servers.change(one, lambda s: replace(s, phase=phase))
    settled(there)
    assert there.servers.get(one).phase is Phase.ERROR
    assert there.store.claims.get(one) is None
    there.check_agreement()


def test_what_a_server_in_error_holds_stays_held() -> None:
    there = world(*hosts("a"))
    [one] = there.boot(VGPU)
    there.conductor.fail(one, "its card fell off the bus")
    settled(there)
    assert there.store.claims.get(one) is not None
    there.check_agreement()


def test_giving_back_that_fails_again_is_tried_at_the_next_start() -> None:
    there = world(*hosts("a"))
    one = building(there)
    for error in (HostRefusedError("busy"), UnavailableError("away")):
        there.agents["a"].removal_errors.append(error)
        settled(there)
        server = there.store.servers.get(one)
        assert server.phase is Phase.ERROR
        assert server.fault is not None
        assert "busy; delete it to try again" in server.fault.message
        assert there.store.claims.get(one) is not None
    settled(there)
    assert there.store.claims.get(one) is None
    there.check_agreement()


def test_a_host_that_is_gone_does_not_stop_the_start() -> None:
    there = world(*hosts("a"))
    one = building(there)
    del there.agents["a"]
    settled(there)
    server = there.store.servers.get(one)
    assert server.fault is not None
    assert "host a is not configured any more" in server.fault.message
    assert there.store.claims.get(one) is not None


def test_a_shelved_server_gives_up_what_was_left_and_does_not_stop_the_start() -> None:
    """On a host that is gone it stays claimed; it goes when the host is back."""
    there = world(*hosts("a"))
    [one] = there.boot(VGPU)
    there.store.servers.change(
        one, lambda s: replace(s, phase=Phase.SHELVED_OFFLOADED, host=None)
    )
    agent = there.agents.pop("a")
    settled(there)
    assert there.store.claims.get(one) is not None
    there.agents["a"] = agent
    settled(there)
    assert there.store.claims.get(one) is None
    there.check_agreement()


def test_a_server_on_a_host_that_is_gone_says_how_to_delete_it() -> None:
    there = world(*hosts("a"))
    [one] = there.boot(VGPU)
    del there.agents["a"]
    there.servers.delete(one)
    there.work()
    fault = there.store.servers.get(one).fault
    assert fault is not None
    assert fault.message == (
        "Deleting stopped: host a is not configured any more; configure it again"
    )


def test_what_nobody_thought_of_is_one_servers_trouble_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others are settled; it is in ERROR, and holds what it had."""
    there = world(*hosts("a"))
    [one], [other] = there.boot(VGPU), there.boot(VGPU)
    agent, get = there.agents["a"], there.store.claims.get
    agent.states[other] = GuestState.OFF

    def sick(consumer: UUID) -> Claim | None:
        if consumer == one:
            monkeypatch.undo()
            raise RuntimeError
        return get(consumer)

    monkeypatch.setattr(there.store.claims, "get", sick)
    settled(there)
    server = there.servers.get(one)
    assert server.phase is Phase.ERROR
    assert server.fault is not None
    assert server.fault.message == "Settling failed; the service's log says why."
    assert get(one) is not None
    assert there.servers.get(other).phase is Phase.ACTIVE
    assert agent.states[other] is GuestState.RUNNING
