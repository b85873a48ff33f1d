"""Users, projects and roles, and one who calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(IntEnum):
    """What one may do in a project; each implies those before it, as in Keystone."""

    READER = 1
    MEMBER = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """The role's name in files and documents."""
        return self.name.lower()

    @property
    def implied(self) -> tuple[Role, ...]:
        """The role and all that it implies, the highest first."""
        return tuple(role for role in reversed(Role) if role <= self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Whose servers they are."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One who may sign in; ``roles`` is by a project's id.

    ``is_hashed``: what stands for the password is its hash.
    """

    id: str
    name: str
    password: str = field(repr=False)
    roles: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    is_hashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Everybody who may sign in, and every project. Names are unique."""

    users: tuple[User, ...] = ()
    projects: tuple[Project, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls; ``project`` and ``role`` are None with an unscoped token."""

    user_id: str
    user_name: str
    project: Project | None = None
    role: Role | None = None

    @property
    def is_admin(self) -> bool:
        """Whether everything is allowed: an admin of any project is, as in Nova."""
        return self.role is Role.ADMIN

    @property
    def project_id(self) -> str:
        """The project's id; empty with an unscoped token."""
        return self.project.id if self.project else ""

    def may(self, needed: Role) -> bool:
        """Whether the caller's role is enough."""
        return self.role is not None and self.role >= needed

    def sees(self, project_id: str) -> bool:
        """Whether what belongs to a project may be seen."""
        return self.is_admin or project_id == self.project_id


# Whom everything belongs to as long as nobody has to sign in. A project and a user
# named admin keep these ids, so that a users file takes over what is there.
ADMIN_PROJECT: Final = Project(id="5d0000000000400080000000000000a1", name="admin")
ADMIN_USER_ID: Final = "5d0000000000400080000000000000b2"
EVERYBODY: Final = Caller(
    user_id=ADMIN_USER_ID, user_name="admin", project=ADMIN_PROJECT, role=Role.ADMIN
)
