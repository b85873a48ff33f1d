"""What every errand shares: it ends at its goal, or the server goes back."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sundog.core.errors import (
    ConflictError,
    HostRefusedError,
    NotFoundError,
    StuckError,
    SundogError,
    UnavailableError,
    waits_for,
)
from sundog.core.lives.claim import ClaimState
from sundog.core.lives.guest import GuestState
from sundog.core.lives.phases import Phase, ServerEvent
from sundog.core.lives.server_life import ERRAND_OF
from sundog.core.requests.extra_specs import guest_request
from sundog.workflows.ports import BootOrder

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sundog.core.lives.claim import Claim
    from sundog.core.lives.server import Server
    from sundog.core.lives.server_life import Errand
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.ports import HostAgent

LOG = logging.getLogger(__name__)

# What the guest of a server in a phase is brought to; of one in ERROR nothing is known.
GUEST_OF: Final = {
    Phase.ACTIVE: GuestState.RUNNING,
    Phase.SHUTOFF: GuestState.OFF,
    Phase.PAUSED: GuestState.PAUSED,
    Phase.SUSPENDED: GuestState.SAVED,
    Phase.RESIZED: GuestState.RUNNING,
    Phase.RESCUED: GuestState.RUNNING,
    Phase.RESIZED_SHUTOFF: GuestState.OFF,
    Phase.RESCUED_SHUTOFF: GuestState.OFF,
}


@dataclass(slots=True)
class Job:
    """An errand under way; ``is_lost`` says that the guest's memory is gone."""

    conductor: Conductor
    server: Server
    errand: Errand
    is_lost: bool = False

    def reach(self, step: str) -> None:
        """Note the step that the errand is at, where looking could not tell."""
        self.conductor.reach(self.server.id, self.errand.asked.value, step)

    def finish(self, **changes: object) -> None:
        """Move the server to the errand's goal, with other fields changed."""
        self.conductor.advance(self.server.id, ServerEvent.FINISH, **changes)


@dataclass(frozen=True, slots=True)
class Hold:
    """What a server holds, on a host that can be asked."""

    claim: Claim
    agent: HostAgent
    order: BootOrder


def hold_of(conductor: Conductor, server: Server) -> Hold:
    """Return what a server holds; raises HostRefusedError if it cannot be used."""
    claim = conductor.claims.get(server.id)
    if claim is None:
        raise HostRefusedError("The server's claim is lost; delete the server.")
    if claim.state is not ClaimState.ALLOCATED:
        raise HostRefusedError(
            f"The server's claim is {claim.state.value}; delete the server."
        )
    agent = conductor.agent(claim.assignment.host)
    request = guest_request(server.flavor, server.image_properties, conductor.aliases)
    order = BootOrder(
        server=server, assignment=claim.assignment, guest_cells=request.cells
    )
    return Hold(claim, agent, order)


def bring_back(job: Job, hold: Hold) -> None:
    """Bring the guest to where the errand began; raises StuckError if it stays away.

    What was in the memory of a paused or saved guest may be gone: it is then off.
    """
    state = GUEST_OF.get(job.errand.origin)
    if state is None:
        return
    try:
        if state is GuestState.RUNNING:
            hold.agent.bring(hold.order, state)
        else:
            _bring_to_rest(job, hold, state)
    except SundogError as stuck:
        raise StuckError(
            f"{job.errand.asked.value.capitalize()} failed, and bringing the guest "
            f"back failed too: {stuck}"
        ) from stuck


def _bring_to_rest(job: Job, hold: Hold, state: GuestState) -> None:
    try:
        hold.agent.prepare(hold.order)
    except HostRefusedError as refused:
        # A guest that does not run needs its devices only when it starts again.
        LOG.warning("Server %s: %s", job.server.id, refused)
    try:
        hold.agent.bring(hold.order, state)
    except HostRefusedError:
        hold.agent.bring(hold.order, GuestState.OFF)
        job.is_lost = state is not GuestState.OFF


def undo(conductor: Conductor, server: Server) -> Server:
    """Let a server go back to where its errand was asked, as it was then."""
    before = server.intent.before if server.intent else {}
    return conductor.advance(server.id, ServerEvent.UNDO, **before)


def run(
    conductor: Conductor, server_id: UUID, deed: Callable[[Job], None]
) -> str | None:
    """Do an errand that was asked for; returns why it failed, or nothing.

    The deed undoes what it did when it fails; the server then goes back. Where that
    could not be done it goes to ERROR, with its claim; but while an outside service
    is away it waits as it is, and None is returned.
    """
    with conductor.locks.of(server_id):
        server = conductor.servers.get(server_id)
        errand = ERRAND_OF.get(server.phase)
        if errand is None:
            return f"The server is {server.phase.value}."
        job = Job(conductor, server, errand)
        try:
            deed(job)
        except (ConflictError, NotFoundError) as error:
            return _give_way(job, error)
        except SundogError as error:
            return _fail(job, error)
        except Exception:
            LOG.exception("%s of server %s failed", errand.asked.value, server_id)
            return _go_back(job, "It failed; the service's log says why.")
        return ""


def stuck_if_it_fails(step: Callable[..., object], *values: object) -> None:
    """Undo a step; raises StuckError when that fails, for the job is half done then."""
    try:
        step(*values)
    except SundogError as stuck:
        raise StuckError(f"What was given back could not be kept: {stuck}") from stuck


def _give_way(job: Job, error: SundogError) -> str:
    """End a job that something else overtook: mostly the server was deleted."""
    LOG.info("Server %s went away: %s", job.server.id, error)
    try:
        phase = job.conductor.servers.get(job.server.id).phase
    except NotFoundError:
        return str(error)
    return _go_back(job, str(error)) if phase is job.errand.way else str(error)


def _fail(job: Job, error: SundogError) -> str | None:
    """Let a job wait that is half done while something is away; else end it."""
    if not isinstance(error, StuckError):
        return _go_back(job, str(error))
    if waits_for(error):
        job.conductor.postpone(job.server.id, str(error))
        return None
    job.conductor.fail(job.server.id, str(error))
    return str(error)


def _go_back(job: Job, why: str) -> str:
    LOG.warning("%s of server %s: %s", job.errand.asked.value, job.server.id, why)
    try:
        undo(job.conductor, job.server)
        if job.is_lost:
            job.conductor.advance(job.server.id, ServerEvent.LOSE)
    except (ConflictError, UnavailableError):
        # It was deleted meanwhile, or the move to its goal was kept although the
        # answer was lost: its guest is to follow its record, whatever that says.
        job.conductor.postpone(job.server.id, why)
    return why
