"""One embedded Placement for the tests of a module, with a front before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.fakes.placement_front import Front

from sundog.edges.placement.calls import Calls
from sundog.edges.placement.embedded import EmbeddedPlacement
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.sessions import inside_session

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def placement(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[EmbeddedPlacement]:
    app = EmbeddedPlacement(tmp_path_factory.mktemp("placement") / "placement.sqlite")
    yield app
    app.close()


@pytest.fixture
def front(placement: EmbeddedPlacement) -> Front:
    return Front(placement)


@pytest.fixture
def ledger(front: Front) -> PlacementLedger:
    return PlacementLedger(inside_session(front))


@pytest.fixture
def others(placement: EmbeddedPlacement) -> Calls:
    """Somebody else who writes to the same Placement."""
    return Calls(inside_session(placement))
