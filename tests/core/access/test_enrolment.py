"""Who was added joins those of the file, and goes again with all roles."""

from __future__ import annotations

import pytest

from sundog.core.access.enrolment import AddedUser, Enrolment, Grant
from sundog.core.access.people import People, Project, Role, User
from sundog.core.errors import ConflictError, NotFoundError

ALPHA, BETA = Project(id="a", name="alpha"), Project(id="b", name="beta")
ANN = User(id="u-ann", name="ann", password="x", roles={"a": Role.MEMBER})  # noqa: S106 - nobody's
BOB = AddedUser(id="u-bob", name="bob", secret="salt hash")  # noqa: S106 - nobody's
FILE = People(users=(ANN,), projects=(ALPHA,))


def grant(user: str, project: str, role: str) -> Grant:
    """Write a grant."""
    return Grant(user_id=user, project_id=project, role=role)


@pytest.fixture
def added() -> Enrolment:
    """Add a user and a project."""
    return Enrolment().with_project(FILE, BETA).with_user(FILE, BOB)


def roles(enrolment: Enrolment) -> dict[str, dict[str, Role]]:
    """Return everybody's roles."""
    return {one.name: dict(one.roles) for one in enrolment.joined(FILE).users}


def test_those_added_join_those_of_the_file(added: Enrolment) -> None:
    people = added.joined(FILE)
    assert [one.name for one in people.projects] == ["alpha", "beta"]
    assert [(one.name, one.is_hashed) for one in people.users] == [
        ("ann", False),
        ("bob", True),
    ]
    assert roles(added) == {"ann": {"a": Role.MEMBER}, "bob": {}}


def test_of_several_roles_the_highest_counts(added: Enrolment) -> None:
    given = (
        added.with_grant(FILE, grant("u-bob", "b", "member"))
        .with_grant(FILE, grant("u-bob", "b", "reader"))
        .with_grant(FILE, grant("u-ann", "a", "admin"))
        .with_grant(FILE, grant("u-ann", "a", "admin"))
    )
    assert roles(given) == {"ann": {"a": Role.ADMIN}, "bob": {"b": Role.MEMBER}}
    assert len(given.grants) == 3
    left = given.without_grant(grant("u-bob", "b", "member"))
    assert roles(left)["bob"] == {"b": Role.READER}
    with pytest.raises(NotFoundError, match="role assignment of member"):
        left.without_grant(grant("u-bob", "b", "member"))


def test_roles_go_with_their_user_and_their_project(added: Enrolment) -> None:
    given = added.with_grant(FILE, grant("u-bob", "a", "member"))
    given = given.with_grant(FILE, grant("u-bob", "b", "member"))
    assert given.without_project("b").grants == (grant("u-bob", "a", "member"),)
    assert given.without_user("u-bob").grants == ()
    for deed in (given.without_project, given.without_user):
        with pytest.raises(NotFoundError, match="nobody"):
            deed("nobody")


def test_names_are_taken_once(added: Enrolment) -> None:
    for name in ("alpha", "beta"):
        with pytest.raises(ConflictError, match=f"name {name}"):
            added.with_project(FILE, Project(id="c", name=name))
    for name in ("ann", "bob"):
        with pytest.raises(ConflictError, match=f"name {name}"):
            added.with_user(FILE, AddedUser(id="c", name=name, secret="x"))  # noqa: S106 - nobody's


def test_a_role_is_of_a_user_in_a_project(added: Enrolment) -> None:
    for user, project in (("nobody", "b"), ("u-bob", "nobody")):
        with pytest.raises(NotFoundError, match="nobody"):
            added.with_grant(FILE, grant(user, project, "member"))
