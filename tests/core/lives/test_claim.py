"""A claim moves only along its table."""

import uuid

import pytest

from sundog.core.choosing.assignment import Assignment
from sundog.core.errors import ConflictError
from sundog.core.lives.claim import CLAIM_LIFE, Claim, ClaimEvent, ClaimState

CLAIM = Claim(consumer=uuid.UUID(int=1), assignment=Assignment(host="h"))
EVERY_MOVE = [(state, event) for state in ClaimState for event in ClaimEvent]


@pytest.mark.parametrize(("state", "event"), EVERY_MOVE, ids=lambda one: one.name)
def test_moves_only_along_the_table(state: ClaimState, event: ClaimEvent) -> None:
    """A move in the table leads where it says; any other is an error."""
    claim = Claim(consumer=CLAIM.consumer, assignment=CLAIM.assignment, state=state)
    if (state, event) in CLAIM_LIFE:
        assert claim.after(event).state is CLAIM_LIFE[state, event]
    else:
        with pytest.raises(ConflictError, match=f"cannot {event.value} while"):
            claim.after(event)


def test_main_road() -> None:
    """Claimed, allocated, freeing, and then available again."""
    events = [ClaimEvent.ALLOCATE, ClaimEvent.FREE, ClaimEvent.FREED]
    states = []
    claim = CLAIM
    for event in events:
        claim = claim.after(event)
        states.append(claim.state)
    assert states == [ClaimState.ALLOCATED, ClaimState.FREEING, ClaimState.AVAILABLE]


def test_every_state_can_be_reached_and_left() -> None:
    """No state is a trap but `removed`, and none is out of reach."""
    reached = {ClaimState.AVAILABLE, *CLAIM_LIFE.values()}
    left = {state for state, _ in CLAIM_LIFE}
    assert reached == set(ClaimState)
    assert set(ClaimState) - left == {ClaimState.REMOVED}
