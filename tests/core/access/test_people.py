"""Roles imply each other, and one sees one's own project's."""

import pytest

from sundog.core.access.people import EVERYBODY, Caller, Project, Role

ALPHA = Project(id="alpha-id", name="alpha")


def caller(role: Role | None) -> Caller:
    project = ALPHA if role else None
    return Caller(user_id="ann-id", user_name="ann", project=project, role=role)


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (Role.READER, ["reader"]),
        (Role.MEMBER, ["member", "reader"]),
        (Role.ADMIN, ["admin", "member", "reader"]),
    ],
)
def test_role_implies_those_before_it(role: Role, words: list[str]) -> None:
    """An admin is a member, and a member is a reader."""
    assert [each.word for each in role.implied] == words
    assert all(caller(role).may(each) for each in role.implied)


def test_caller_sees_its_own_project_and_an_admin_sees_all() -> None:
    """Without a project nothing may be done, and nothing of a project is seen."""
    assert caller(Role.MEMBER).sees("alpha-id")
    assert not caller(Role.MEMBER).sees("beta-id")
    assert caller(Role.ADMIN).sees("beta-id")
    assert not caller(None).may(Role.READER)
    assert caller(None).project_id == ""
    assert not caller(None).sees("alpha-id")


def test_everybody_is_an_admin_where_nobody_signs_in() -> None:
    """The one caller without a users file may do everything."""
    assert EVERYBODY.is_admin
