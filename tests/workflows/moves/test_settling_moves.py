"""What of a move was under way when the service stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.workflows.moves.moving import (
    MOVES,
    ask,
    by_name,
    check,
    force_down,
    last_move,
    standing,
)

from sundog.core.lives.phases import Phase, ServerEvent
from sundog.workflows.settle import settle

if TYPE_CHECKING:
    from tests.workflows.world import World

    from sundog.core.lives.server_life import Errand

GO_ON = {
    ServerEvent.CONFIRM,
    ServerEvent.REVERT,
    ServerEvent.EVACUATE,
    ServerEvent.EVACUATE_OFF,
}


class Cut(BaseException):
    """The process ends here: no undo runs, for nothing catches this."""


def _cut() -> None:
    raise Cut


@pytest.mark.parametrize("errand", MOVES, ids=by_name)
def test_a_move_that_was_not_begun_goes_back_or_on(here: World, errand: Errand) -> None:
    """Confirming, reverting and evacuating go on, all others go back."""
    call = standing(here, errand.origin)
    ask(here, call, errand.asked)
    here.queue.clear()
    settle(here.conductor, lambda _: None)
    here.work()
    if errand.asked in (ServerEvent.EVACUATE, ServerEvent.EVACUATE_OFF):
        force_down(here, last_move(here, call.server_id).source, down=False)
    check(here, call, errand.goal if errand.asked in GO_ON else errand.origin)
    if errand.goal not in (Phase.RESIZED, Phase.RESIZED_SHUTOFF):
        assert last_move(here, call.server_id).is_over
