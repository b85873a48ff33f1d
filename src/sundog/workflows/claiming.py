"""What booting and moving share: hosts tried in turn, and claims that yield."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from sundog.core.choosing.choose_host import check
from sundog.core.errors import (
    ClaimConflictError,
    HostRefusedError,
    OutbidError,
    UnavailableError,
)
from sundog.core.hosts.allocation import allocation_of
from sundog.core.hosts.host_snapshot import Holding, HostState
from sundog.core.moves.vacated import vacated
from sundog.workflows.ports import Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from uuid import UUID

    from sundog.core.choosing.assignment import Assignment
    from sundog.core.hosts.provider_tree import Allocation
    from sundog.core.lives.claim import Claim
    from sundog.core.lives.server import Server
    from sundog.workflows.conductor import Conductor

LOG = logging.getLogger(__name__)

# How often a server chooses anew because another chooser was faster. Each time the
# other one got on, so that many in a row mean hosts that are all but full.
MOST_OUTBIDS: Final = 20


class Choice(Protocol):
    """What is chosen for a server, on a host."""

    @property
    def host(self) -> str:
        """The host's name."""
        ...


C = TypeVar("C", bound=Choice)


def try_hosts(
    conductor: Conductor,
    server_id: UUID,
    choose: Callable[[Collection[str]], C | None],
    attempt: Callable[[C], None],
    learnt: Callable[[C], bool] = lambda _: False,
) -> Mapping[str, str] | None:
    """Choose and attempt until one attempt goes well: None is returned then.

    Else why each host that was tried refused. A host that refused is not chosen
    again, unless looking at it anew shows why (``learnt``): what is chosen there then
    is something else. Who was outbid chooses anew, the same host too.
    """
    tried, closed = dict[str, str](), set[str]()
    refusals = outbids = 0
    while refusals < conductor.max_attempts and outbids < MOST_OUTBIDS:
        choice = choose(closed)
        if choice is None:
            break
        try:
            attempt(choice)
        except OutbidError as outbid:
            LOG.info("Server %s: %s", server_id, outbid)
            outbids += 1
            conductor.look_again(choice.host)
        except (ClaimConflictError, HostRefusedError) as refused:
            LOG.warning("Server %s on %s: %s", server_id, choice.host, refused)
            refusals += 1
            tried[choice.host] = str(refused)
            conductor.look_again(choice.host)
            if not learnt(choice):
                closed.add(choice.host)
        else:
            return None
    return tried


def stands_no_more(conductor: Conductor, consumer: UUID, chosen: Assignment) -> bool:
    """Tell whether a host, as it is known now, rules out what was chosen on it."""
    state = conductor.fleet.state(chosen.host)
    if state is None:
        return False
    others = tuple(one for one in state.holdings if one.consumer != consumer)
    return bool(check(chosen, HostState(snapshot=state.snapshot, holdings=others)))


@contextmanager
def asking(host: str) -> Iterator[None]:
    """Let a host that is away refuse, so that the next one is tried."""
    try:
        yield
    except UnavailableError as away:
        raise HostRefusedError(f"Host {host} is away: {away}") from away


def tried_in_vain(tried: Mapping[str, str]) -> str:
    """Say of each host that was tried why it refused."""
    reasons = "; ".join(f"{host}: {reason}" for host, reason in tried.items())
    return f"No valid host was found. {len(tried)} tried, each refused: {reasons}"


def charge(
    conductor: Conductor, server: Server, assignment: Assignment
) -> tuple[Allocation, Owner]:
    """Return what a server's assignment takes in Placement, and whose it is."""
    state = conductor.fleet.state(assignment.host)
    if state is None:
        raise HostRefusedError(f"Host {assignment.host} is gone.")
    owner = Owner(project_id=server.project_id, user_id=server.user_id)
    return allocation_of(assignment, state.snapshot), owner


def yield_to_others(
    conductor: Conductor, claim: Claim, had: Assignment | None = None
) -> None:
    """Yield to another chooser whose claim on the host was recorded before.

    Placement counts amounts: two choosers that take the same device of a card with
    room are both let through, and the host would have to refuse one of them. Of two
    at the same moment both step back and choose anew: that costs less than a write
    to Placement in vain. What the server ``had`` serves it again. Raises OutbidError.
    """
    host = claim.assignment.host
    conductor.fleet.recorded(claim.consumer)
    state = conductor.fleet.state(host)
    first = tuple(
        other.holding
        for other in conductor.claims.of_host(host)
        if other.consumer != claim.consumer
    )
    if state is None:
        raise HostRefusedError(f"Host {host} is gone.")
    snapshot = state.snapshot
    if had is not None:
        holding = Holding(consumer=claim.consumer, assignment=had)
        snapshot = vacated(snapshot, holding)
    reason = check(claim.assignment, HostState(snapshot=snapshot, holdings=first))
    if reason:
        raise OutbidError(f"Another server was first on host {host}: {reason}")
