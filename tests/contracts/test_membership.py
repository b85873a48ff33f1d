"""The contract of aggregates' members, held by the fake and by Placement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from tests.fakes.ledger import FakeLedger
from tests.fakes.membership import FakeMembership

from sundog.core.errors import NotFoundError
from sundog.core.hosts.provider_tree import Inventory, Provider, ProviderTree
from sundog.edges.placement.embedded import EmbeddedPlacement
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.membership import PlacementMembership
from sundog.edges.placement.sessions import inside_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sundog.workflows.ports import Ledger
    from sundog.workflows.projects.aggregates import Membership

HOST = uuid4()
TREE = ProviderTree.of(
    [Provider(uuid=HOST, name="h", inventories={"DISK_GB": Inventory.of(10)})]
)


@dataclass(frozen=True)
class Kept:
    """A membership, and the ledger beside it."""

    membership: Membership
    ledger: Ledger


@pytest.fixture(scope="module", params=["fake", "Placement"])
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kept]:
    if request.param == "fake":
        ledger = FakeLedger()
        ledger.report(TREE)
        yield Kept(FakeMembership(ledger.trees), ledger)
        return
    app = EmbeddedPlacement(tmp_path_factory.mktemp("members") / "placement.sqlite")
    try:
        session = inside_session(app)
        PlacementLedger(session).report(TREE)
        yield Kept(PlacementMembership(session), PlacementLedger(session))
    finally:
        app.close()


@pytest.fixture
def membership(kept: Kept) -> Membership:
    return kept.membership


def joined(membership: Membership) -> UUID:
    """Put the host into a new aggregate; returns it."""
    aggregate = uuid4()
    membership.join(HOST, aggregate)
    return aggregate


def test_a_host_may_be_in_several(membership: Membership) -> None:
    first, second = joined(membership), joined(membership)
    assert {first, second} <= membership.memberships(HOST)


def test_to_join_or_leave_twice_is_fine(membership: Membership) -> None:
    first, second = joined(membership), joined(membership)
    membership.join(HOST, first)
    membership.leave(HOST, second)
    membership.leave(HOST, second)
    assert first in membership.memberships(HOST)
    assert second not in membership.memberships(HOST)


def test_an_unknown_host_is_in_nothing(membership: Membership) -> None:
    stranger = uuid4()
    assert membership.memberships(stranger) == frozenset()
    for deed in (membership.join, membership.leave):
        with pytest.raises(NotFoundError, match=str(stranger)):
            deed(stranger, uuid4())


def test_a_report_leaves_a_host_where_it_is(kept: Kept) -> None:
    aggregate = joined(kept.membership)
    more = {"DISK_GB": Inventory.of(20)}
    provider = Provider(uuid=HOST, name="h", inventories=more)
    kept.ledger.report(ProviderTree.of([provider]))
    assert aggregate in kept.membership.memberships(HOST)
