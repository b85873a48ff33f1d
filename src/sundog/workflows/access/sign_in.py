"""Sign in with a password or a token; tokens are random, expire, and are in memory.

Only a token's hash is kept, so that a memory dump gives none away; a restart ends
them all.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from sundog.core.access.people import (
    ADMIN_PROJECT,
    ADMIN_USER_ID,
    EVERYBODY,
    Caller,
    People,
    Role,
    User,
)
from sundog.core.errors import UnauthorizedError
from sundog.workflows.access.register import is_password

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sundog.workflows.access.register import Register
    from sundog.workflows.ports import Clock

_WRONG: Final = "The request you have made requires authentication."


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a token stands for. Times are UTC and aware."""

    caller: Caller
    methods: tuple[str, ...]
    issued: datetime
    expires: datetime
    audit_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The project to act in, by id or by name; neither: unscoped."""

    project_id: str = ""
    project_name: str = ""


class Door(Protocol):
    """Lets callers in."""

    @property
    def is_open(self) -> bool:
        """Whether any token, and none, is the admin's."""
        ...

    @property
    def people(self) -> People:
        """Everybody who may sign in."""
        ...

    @property
    def register(self) -> Register | None:
        """Where the admin adds people, None where nobody signs in."""
        ...

    def sign_in(self, user: str, password: str, scope: Scope) -> tuple[str, Session]:
        """Return a new token for a user by id or name; raises UnauthorizedError."""
        ...

    def rescope(self, token: str, scope: Scope) -> tuple[str, Session]:
        """Return a token of another scope, which expires when the first does."""
        ...

    def session(self, token: str) -> Session:
        """Return what a token stands for; raises UnauthorizedError."""
        ...

    def sign_out(self, token: str) -> None:
        """End a token; raises UnauthorizedError."""
        ...


class OpenDoor:
    """Everybody is the admin, whatever the token."""

    is_open = True
    register = None
    people = People(
        users=(
            User(
                id=ADMIN_USER_ID,
                name=EVERYBODY.user_name,
                password="",
                roles={ADMIN_PROJECT.id: Role.ADMIN},
            ),
        ),
        projects=(ADMIN_PROJECT,),
    )

    def __init__(self, clock: Clock, lifetime: timedelta = timedelta(hours=1)) -> None:
        """Let everybody in."""
        self._clock = clock
        self._lifetime = lifetime

    def sign_in(self, _user: str, _password: str, _scope: Scope) -> tuple[str, Session]:
        """Return a token that is as good as any."""
        return "admin", self.session("admin")

    def rescope(self, token: str, _scope: Scope) -> tuple[str, Session]:
        """Return the token itself."""
        return token, self.session(token)

    def session(self, _token: str) -> Session:
        """Say that it is the admin's."""
        now = self._clock()
        return Session(
            caller=EVERYBODY,
            methods=("password",),
            issued=now,
            expires=now + self._lifetime,
            audit_id="everybody",
        )

    def sign_out(self, _token: str) -> None:
        """Do nothing: no token is kept."""


class LockedDoor:
    """Users sign in with a password."""

    is_open = False

    def __init__(
        self,
        register: Register,
        clock: Clock,
        new_token: Callable[[], str],
        lifetime: timedelta = timedelta(hours=1),
    ) -> None:
        """Know the people; ``new_token`` makes a text that nobody can guess."""
        self._register = register
        self._clock = clock
        self._new_token = new_token
        self._lifetime = lifetime
        # Whom a wrong name is compared with, so that it takes as long.
        self._nobody = User(id="", name="", password=new_token())
        self._lock = Lock()
        self._sessions: dict[bytes, Session] = {}

    @property
    def people(self) -> People:
        """Everybody who may sign in."""
        return self._register.people

    @property
    def register(self) -> Register:
        """Where the admin adds people."""
        return self._register

    def sign_in(self, user: str, password: str, scope: Scope) -> tuple[str, Session]:
        """Return a new token; raises UnauthorizedError, the same for every reason."""
        found = _named(self.people.users, user)
        if not is_password(self.people, found or self._nobody, password) or not found:
            raise UnauthorizedError(_WRONG)
        now = self._clock()
        session = Session(
            caller=self._caller(found, scope),
            methods=("password",),
            issued=now,
            expires=now + self._lifetime,
            audit_id=self._new_token()[:22],
        )
        return self._keep(session), session

    def rescope(self, token: str, scope: Scope) -> tuple[str, Session]:
        """Return a token of another scope, which expires when the first does."""
        old = self.session(token)
        user = _named(self.people.users, old.caller.user_id)
        if user is None:
            raise UnauthorizedError(_WRONG)
        session = replace(
            old,
            caller=self._caller(user, scope),
            methods=tuple(dict.fromkeys((*old.methods, "token"))),
            issued=self._clock(),
            audit_id=self._new_token()[:22],
        )
        return self._keep(session), session

    def session(self, token: str) -> Session:
        """Return what a token stands for; raises UnauthorizedError."""
        with self._lock:
            session = self._sessions.get(_hash(token))
        if session is None or session.expires <= self._clock():
            raise UnauthorizedError(_WRONG)
        self._check_still(session.caller)
        return session

    def sign_out(self, token: str) -> None:
        """End a token; raises UnauthorizedError."""
        self.session(token)
        with self._lock:
            self._sessions.pop(_hash(token), None)

    def _check_still(self, caller: Caller) -> None:
        """Raise UnauthorizedError if a user, a project or a role is gone since."""
        user = next((o for o in self.people.users if o.id == caller.user_id), None)
        role = user.roles.get(caller.project_id) if user else None
        if user is None or (caller.role is not None and role != caller.role):
            raise UnauthorizedError(_WRONG)

    def _caller(self, user: User, scope: Scope) -> Caller:
        if not scope.project_id and not scope.project_name:
            return Caller(user_id=user.id, user_name=user.name)
        wanted = scope.project_id or scope.project_name
        project = _named(self.people.projects, wanted)
        role = user.roles.get(project.id) if project else None
        if role is None:
            # Keystone's answer too: who may not enter is not told what is there.
            raise UnauthorizedError(_WRONG)
        return Caller(user_id=user.id, user_name=user.name, project=project, role=role)

    def _keep(self, session: Session) -> str:
        token, now = self._new_token(), self._clock()
        with self._lock:
            # The oldest stand first: those that are over go before they add up.
            while self._sessions:
                oldest = next(iter(self._sessions))
                if self._sessions[oldest].expires > now:
                    break
                del self._sessions[oldest]
            self._sessions[_hash(token)] = session
        return token


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


_T = TypeVar("_T", bound=_Named)


def _named(things: Sequence[_T], key: str) -> _T | None:
    """Find by id, then by name."""
    by_id = next((one for one in things if one.id == key), None)
    return by_id or next((one for one in things if one.name == key), None)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
