"""What the service needs beside its hosts: the time, Placement, and its door."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from sundog.edges.identity.users_file import read_users_file
from sundog.edges.placement.embedded import EmbeddedPlacement
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.membership import PlacementMembership
from sundog.edges.placement.sessions import inside_session, token_session
from sundog.workflows.access.register import Register
from sundog.workflows.access.sign_in import LockedDoor, OpenDoor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack
    from wsgiref.types import WSGIApplication

    from sundog.core.access.people import People
    from sundog.edges.storage.store import Store
    from sundog.settings.tree import Settings
    from sundog.workflows.access.sign_in import Door
    from sundog.workflows.ports import Ledger
    from sundog.workflows.projects.aggregates import Membership


def now() -> datetime:
    """Tell the time, UTC and aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Placement, for claims and for aggregates; ``mounts`` is it where it is ours."""

    ledger: Ledger
    membership: Membership
    mounts: Mapping[str, WSGIApplication] = field(default_factory=dict)


def open_placement(settings: Settings, opening: ExitStack) -> Placement:
    """Reach Placement at its URL, or open one in this process; ``opening`` closes it.

    Raises BadConfigurationError when its database cannot be opened.
    """
    mounts: dict[str, WSGIApplication] = {}
    if settings.placement.endpoint:
        session = token_session(settings.placement.endpoint, settings.placement.token)
    else:
        placement = EmbeddedPlacement(settings.state_path / "placement.db")
        opening.callback(placement.close)
        session = inside_session(placement)
        mounts["/placement"] = placement
    return Placement(
        ledger=PlacementLedger(session),
        membership=PlacementMembership(session),
        mounts=mounts,
    )


def read_people(settings: Settings) -> People | None:
    """Read who may sign in; None where everybody is let in.

    Raises BadConfigurationError with every problem of the users file.
    """
    file = settings.identity.users_file
    return read_users_file(file) if file else None


def build_door(settings: Settings, people: People | None, store: Store) -> Door:
    """Build what callers come in by."""
    lifetime = timedelta(seconds=settings.identity.token_seconds)
    if people is None:
        return OpenDoor(now, lifetime)
    register = Register(people, store.enrolment, token_urlsafe)
    return LockedDoor(register, now, token_urlsafe, lifetime)
