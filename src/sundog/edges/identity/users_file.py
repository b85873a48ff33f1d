"""The users file: TOML, read and checked once at start."""

from __future__ import annotations

import re
import stat
import tomllib
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from sundog.core.access.people import (
    ADMIN_PROJECT,
    ADMIN_USER_ID,
    People,
    Project,
    Role,
    User,
)
from sundog.core.errors import BadConfigurationError
from sundog.core.wording import shown

if TYPE_CHECKING:
    from pathlib import Path

# Ids are made of names, so that a file that is written anew means the same people.
_NAMESPACE: Final = UUID("5d000000-0000-4000-8000-0000000000c3")
_NAME: Final = re.compile(r"\S(?:.{0,253}\S)?")
_KEYS: Final = ("name", "password", "roles")
_ROLES: Final = {role.word: role for role in Role}
_EXAMPLE: Final = (
    'write [[user]] with name = "alice", password = "...", roles = {alpha = "member"}'
)


def read_users_file(path: Path) -> People:
    """Read the users and the projects that their roles name.

    Raises BadConfigurationError with every problem, one line each.
    """
    document = _document(path)
    problems: list[str] = []
    problems += [f"{key} is not known; {_EXAMPLE}" for key in document if key != "user"]
    entries = document.get("user")
    if not isinstance(entries, list) or not entries:
        problems.append(f"there is no user; {_EXAMPLE}")
        entries = []
    users = [
        user
        for number, entry in enumerate(entries, 1)
        if (user := _user(entry, f"user {number}", problems)) is not None
    ]
    names = [user.name for user in users]
    problems += [
        f"user {shown(name)} stands twice; give each its own name"
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if users and not any(Role.ADMIN in user.roles.values() for user in users):
        problems.append("nobody is admin, so nobody could make flavors; name one")
    if problems:
        raise BadConfigurationError(*(f"{path}: {problem}" for problem in problems))
    projects = {name for entry in entries for name in entry["roles"]}
    return People(
        users=tuple(users),
        projects=tuple(
            Project(id=_project_id(name), name=name) for name in sorted(projects)
        ),
    )


def _document(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~stat.S_IRGRP:
            raise BadConfigurationError(
                f"{path}: holds passwords, and others may use it; chmod 600 {path}"
            )
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    except ValueError as error:
        reason = f"is not TOML in UTF-8: {error}"
    raise BadConfigurationError(f"{path}: {reason}")


def _user(entry: object, where: str, problems: list[str]) -> User | None:
    if not isinstance(entry, dict):
        problems.append(f"{where} is no table; {_EXAMPLE}")
        return None
    before = len(problems)
    name, password, said = (entry.get(key) for key in _KEYS)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.append(
            f"{where}: name is {shown(name)}; write 1 to 255 characters, no space at "
            "the ends"
        )
    else:
        where = f"user {shown(name)}"
    problems += [f"{where}: {key} is not known" for key in entry if key not in _KEYS]
    if not isinstance(password, str) or not password:
        problems.append(f'{where}: password is missing; write password = "..."')
    roles = _roles(said, where, problems)
    if len(problems) > before:
        return None
    return User(
        id=_user_id(str(name)),
        name=str(name),
        password=str(password),
        roles=roles,
    )


def _roles(said: object, where: str, problems: list[str]) -> dict[str, Role]:
    if not isinstance(said, dict) or not said:
        problems.append(
            f'{where}: roles is missing; write roles = {{alpha = "member"}}'
        )
        return {}
    roles = {}
    for project, word in said.items():
        if not _NAME.fullmatch(project):
            problems.append(f"{where}: roles: {shown(project)} is no project's name")
        if not isinstance(word, str) or word not in _ROLES:
            problems.append(
                f"{where}: roles: {shown(project)} is {shown(word)}; write "
                f"{', '.join(reversed(_ROLES))}"
            )
        else:
            roles[_project_id(project)] = _ROLES[word]
    return roles


def _user_id(name: str) -> str:
    if name == "admin":
        return ADMIN_USER_ID
    return uuid5(_NAMESPACE, f"user {name}").hex


def _project_id(name: str) -> str:
    if name == ADMIN_PROJECT.name:
        return ADMIN_PROJECT.id
    return uuid5(_NAMESPACE, f"project {name}").hex
