"""Everybody who may sign in: those of the users file, and those added since."""

from __future__ import annotations

import hashlib
import hmac
from threading import Lock
from typing import TYPE_CHECKING, Final

from sundog.core.access.enrolment import AddedUser, Enrolment, Grant
from sundog.core.access.people import Project
from sundog.core.errors import ForbiddenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sundog.core.access.people import People, User
    from sundog.workflows.projects.shelf import Shelf

_OWNER: Final = ""
_KEY: Final = "all"
# What scrypt costs: 16 MiB and some 50 ms, as RFC 7914 says for signing in.
_COST: Final = {"n": 1 << 14, "r": 8, "p": 1, "dklen": 32}
_IN_FILE: Final = "{} {} stands in the users file; it is changed there"


class Register:
    """The people, kept in memory and on a shelf. Thread-safe."""

    def __init__(
        self, people: People, shelf: Shelf[Enrolment], new_token: Callable[[], str]
    ) -> None:
        """Know the file's ``people``; ``new_token`` is a text that nobody guesses."""
        self._file = people
        self._shelf = shelf
        self._new_token = new_token
        self._lock = Lock()
        self._people = (shelf.get(_OWNER, _KEY) or Enrolment()).joined(people)

    @property
    def people(self) -> People:
        """Everybody who may sign in."""
        return self._people

    def add_project(self, name: str) -> Project:
        """Add a project; raises ConflictError for a name that is taken."""
        project = Project(id=self._new_id(name), name=name)
        self._change(lambda old: old.with_project(self._file, project))
        return project

    def add_user(self, name: str, password: str) -> User:
        """Add a user without a role; raises ConflictError for a name that is taken."""
        user = AddedUser(
            id=self._new_id(name),
            name=name,
            secret=hashed(password, self._new_token()),
        )
        self._change(lambda old: old.with_user(self._file, user))
        return next(one for one in self._people.users if one.id == user.id)

    def remove_project(self, project_id: str) -> None:
        """Take a project away with its roles; raises NotFoundError, ForbiddenError."""
        self._refuse_filed("Project", project_id)
        self._change(lambda old: old.without_project(project_id))

    def remove_user(self, user_id: str) -> None:
        """Take a user away; its tokens end. Raises NotFoundError, ForbiddenError."""
        self._refuse_filed("User", user_id)
        self._change(lambda old: old.without_user(user_id))

    def grant(self, grant: Grant) -> None:
        """Give a role; raises NotFoundError."""
        self._change(lambda old: old.with_grant(self._file, grant))

    def revoke(self, grant: Grant) -> None:
        """Take a role away; raises NotFoundError, also for one of the file."""
        self._change(lambda old: old.without_grant(grant))

    def _refuse_filed(self, kind: str, key: str) -> None:
        users = {one.id for one in self._file.users}
        if key in users | {one.id for one in self._file.projects}:
            raise ForbiddenError(_IN_FILE.format(kind, key))

    def _change(self, edit: Callable[[Enrolment], Enrolment]) -> None:
        with self._lock:
            kept = self._shelf.change(
                _OWNER, _KEY, lambda old: edit(old or Enrolment())
            )
            self._people = (kept or Enrolment()).joined(self._file)

    def _new_id(self, name: str) -> str:
        salted = f"{self._new_token()} {name}".encode()
        return hashlib.sha256(salted).hexdigest()[:32]


def hashed(password: str, salt: str) -> str:
    """Return what is kept of a password."""
    key = hashlib.scrypt(password.encode(), salt=salt.encode(), **_COST)
    return f"{salt} {key.hex()}"


def is_password(people: People, user: User, password: str) -> bool:
    """Tell whether a password is the user's, in a time that tells nothing.

    Where one user's password has to be hashed, everybody's is.
    """
    given = password
    if any(one.is_hashed for one in people.users):
        secret = hashed(password, user.password.partition(" ")[0])
        given = secret if user.is_hashed else password
    return hmac.compare_digest(user.password.encode(), given.encode())
