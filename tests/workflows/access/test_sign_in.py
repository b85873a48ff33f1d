"""Tokens are random, stand for one user in one project, and end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from tests.fakes.shelf import FakeShelf

from sundog.core.access.people import People, Project, Role, User
from sundog.core.errors import UnauthorizedError
from sundog.workflows.access.register import Register
from sundog.workflows.access.sign_in import LockedDoor, OpenDoor, Scope

ALPHA, BETA = Project(id="a1", name="alpha"), Project(id="b1", name="beta")
ALICE = User(id="u1", name="alice", password="two", roles={"a1": Role.MEMBER})  # noqa: S106 - nobody's
PEOPLE = People(users=(ALICE,), projects=(ALPHA, BETA))
IN_ALPHA = Scope(project_name="alpha")


class Hand:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        """Start at noon."""
        self.now = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def door(clock: Hand) -> LockedDoor:
    numbers = count()
    register = Register(PEOPLE, FakeShelf(), lambda: f"salt-{next(numbers)}")
    return LockedDoor(register, clock, lambda: f"token-{next(numbers)}")


def test_a_token_stands_for_a_user_in_a_project(door: LockedDoor) -> None:
    token, session = door.sign_in("alice", "two", IN_ALPHA)
    assert door.session(token) == session
    assert (session.caller.user_id, session.caller.project) == ("u1", ALPHA)
    assert session.caller.role is Role.MEMBER


def test_users_and_projects_are_named_by_id_too(door: LockedDoor) -> None:
    _, session = door.sign_in("u1", "two", Scope(project_id="a1"))
    assert session.caller.project == ALPHA


def test_without_a_project_there_is_no_role(door: LockedDoor) -> None:
    _, session = door.sign_in("alice", "two", Scope())
    assert session.caller.role is None
    assert not session.caller.may(Role.READER)
    assert session.caller.project_id == ""


@pytest.mark.parametrize(
    ("user", "password", "scope"),
    [
        ("alice", "one", IN_ALPHA),
        ("alice", "", IN_ALPHA),
        ("bob", "two", IN_ALPHA),
        ("alice", "two", Scope(project_name="beta")),
        ("alice", "two", Scope(project_name="gamma")),
    ],
)
def test_every_refusal_reads_the_same(
    door: LockedDoor, user: str, password: str, scope: Scope
) -> None:
    with pytest.raises(UnauthorizedError, match="requires authentication"):
        door.sign_in(user, password, scope)


def test_a_token_ends_in_time(door: LockedDoor, clock: Hand) -> None:
    token, session = door.sign_in("alice", "two", IN_ALPHA)
    clock.now = session.expires - timedelta(seconds=1)
    door.session(token)
    clock.now = session.expires
    with pytest.raises(UnauthorizedError):
        door.session(token)


def test_a_token_of_a_token_ends_with_it(door: LockedDoor, clock: Hand) -> None:
    first, old = door.sign_in("alice", "two", Scope())
    clock.now += timedelta(minutes=10)
    second, new = door.rescope(first, IN_ALPHA)
    assert new.expires == old.expires
    assert new.methods == ("password", "token")
    assert door.session(second).caller.project == ALPHA


def test_a_token_may_be_ended(door: LockedDoor) -> None:
    token, _ = door.sign_in("alice", "two", IN_ALPHA)
    door.sign_out(token)
    with pytest.raises(UnauthorizedError):
        door.session(token)
    with pytest.raises(UnauthorizedError):
        door.sign_out(token)


def test_old_tokens_are_forgotten(door: LockedDoor, clock: Hand) -> None:
    for _ in range(3):
        door.sign_in("alice", "two", IN_ALPHA)
    clock.now += timedelta(hours=2)
    token, _ = door.sign_in("alice", "two", IN_ALPHA)
    assert len(door._sessions) == 1  # noqa: SLF001 - what is kept is the point
    assert token.encode() not in next(iter(door._sessions))  # noqa: SLF001 - same


def test_an_open_door_lets_everybody_in_as_admin(clock: Hand) -> None:
    door = OpenDoor(clock)
    token, _ = door.sign_in("anybody", "anything", Scope())
    for shown in (token, "notused", door.rescope("x", IN_ALPHA)[0]):
        assert door.session(shown).caller.is_admin
    door.sign_out(token)
    assert [user.name for user in door.people.users] == ["admin"]
