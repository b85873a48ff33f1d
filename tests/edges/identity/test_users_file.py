"""A users file is read whole, or refused with everything that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sundog.core.access.people import ADMIN_PROJECT, ADMIN_USER_ID, People, Role
from sundog.core.errors import BadConfigurationError
from sundog.edges.identity.users_file import read_users_file

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
[[user]]
name = "admin"
password = "one"
roles = {admin = "admin"}

[[user]]
name = "alice"
password = "two"
roles = {alpha = "member", beta = "reader"}
"""


def read(folder: Path, text: str, mode: int = 0o600) -> People:
    """Read a users file of this text."""
    file = folder / "users.toml"
    file.write_text(text)
    file.chmod(mode)
    return read_users_file(file)


def problems(folder: Path, text: str) -> list[str]:
    """Return what is wrong with a text, the file's name cut off."""
    with pytest.raises(BadConfigurationError) as caught:
        read(folder, text)
    lines = caught.value.problems
    assert all(line.startswith(f"{folder}/users.toml: ") for line in lines)
    return [line.partition("users.toml: ")[2] for line in lines]


def test_users_have_roles_in_projects(tmp_path: Path) -> None:
    people = read(tmp_path, GOOD)
    admin, alice = people.users
    assert [one.name for one in people.projects] == ["admin", "alpha", "beta"]
    by_name = {one.name: one.id for one in people.projects}
    assert admin.roles == {by_name["admin"]: Role.ADMIN}
    assert alice.roles == {by_name["alpha"]: Role.MEMBER, by_name["beta"]: Role.READER}


def test_ids_stay_when_the_file_is_read_again(tmp_path: Path) -> None:
    assert read(tmp_path, GOOD) == read(tmp_path, GOOD)
    people = read(tmp_path, GOOD)
    assert people.users[0].id == ADMIN_USER_ID
    assert ADMIN_PROJECT in people.projects


def test_a_password_is_not_shown() -> None:
    people = People()
    assert "password" not in repr(people)


def test_a_file_that_others_may_use_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfigurationError, match="chmod 600"):
        read(tmp_path, GOOD, mode=0o604)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadConfigurationError, match="No such file"):
        read_users_file(tmp_path / "nobody.toml")


@pytest.mark.parametrize("text", ["[[user", "user = 1\nuser = 2", 'a = "\\q"'])
def test_what_is_no_toml_is_told_in_a_line(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith("is not TOML")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = """
colour = "red"
[[user]]
name = "alice"
password = ""
roles = {alpha = "king"}
shoe = 42
[[user]]
name = " bob"
password = "x"
"""
    told = problems(tmp_path, text)
    assert [line.partition(";")[0] for line in told] == [
        "colour is not known",
        "user 'alice': shoe is not known",
        "user 'alice': password is missing",
        "user 'alice': roles: 'alpha' is 'king'",
        "user 2: name is ' bob'",
        "user 2: roles is missing",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no user"),
        ("user = [1]", "user 1 is no table"),
        ('user = "alice"', "there is no user"),
        (GOOD + GOOD, "user 'admin' stands twice"),
        (GOOD.replace('"admin"}', '"member"}'), "nobody is admin"),
        (GOOD.replace("alpha =", '" x" ='), "' x' is no project's name"),
    ],
)
def test_a_problem_is_named(tmp_path: Path, text: str, told: str) -> None:
    assert any(told in line for line in problems(tmp_path, text))
