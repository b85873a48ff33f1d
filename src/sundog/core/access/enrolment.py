"""Users, projects and roles that the admin adds to those of the users file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sundog.core.access.people import People, Project, Role, User
from sundog.core.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedUser:
    """A user with a password's hash."""

    id: str
    name: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role of a user in a project, all by id and word."""

    user_id: str
    project_id: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """All that was added. Each change gives a new whole; ``people`` has the file's."""

    projects: tuple[Project, ...] = ()
    users: tuple[AddedUser, ...] = ()
    grants: tuple[Grant, ...] = ()

    def joined(self, people: People) -> People:
        """Return everybody; of several roles in a project the highest counts."""
        added = tuple(
            User(id=one.id, name=one.name, password=one.secret, is_hashed=True)
            for one in self.users
        )
        return People(
            users=tuple(self._granted(one) for one in (*people.users, *added)),
            projects=(*people.projects, *self.projects),
        )

    def with_project(self, people: People, project: Project) -> Enrolment:
        """Add a project; raises ConflictError for a name that is taken."""
        _check_free("project", project.name, self.joined(people).projects)
        return replace(self, projects=(*self.projects, project))

    def with_user(self, people: People, user: AddedUser) -> Enrolment:
        """Add a user; raises ConflictError for a name that is taken."""
        _check_free("user", user.name, self.joined(people).users)
        return replace(self, users=(*self.users, user))

    def without_project(self, project_id: str) -> Enrolment:
        """Take a project away with its roles; raises NotFoundError."""
        left = tuple(one for one in self.projects if one.id != project_id)
        if len(left) == len(self.projects):
            raise NotFoundError(f"Could not find project: {project_id}.")
        grants = tuple(one for one in self.grants if one.project_id != project_id)
        return replace(self, projects=left, grants=grants)

    def without_user(self, user_id: str) -> Enrolment:
        """Take a user away with its roles; raises NotFoundError."""
        left = tuple(one for one in self.users if one.id != user_id)
        if len(left) == len(self.users):
            raise NotFoundError(f"Could not find user: {user_id}.")
        grants = tuple(one for one in self.grants if one.user_id != user_id)
        return replace(self, users=left, grants=grants)

    def with_grant(self, people: People, grant: Grant) -> Enrolment:
        """Give a role; raises NotFoundError. One that is there stays."""
        everybody = self.joined(people)
        if grant.user_id not in {one.id for one in everybody.users}:
            raise NotFoundError(f"Could not find user: {grant.user_id}.")
        if grant.project_id not in {one.id for one in everybody.projects}:
            raise NotFoundError(f"Could not find project: {grant.project_id}.")
        if grant in self.grants:
            return self
        return replace(self, grants=(*self.grants, grant))

    def without_grant(self, grant: Grant) -> Enrolment:
        """Take a role away; raises NotFoundError for one that was not added."""
        if grant not in self.grants:
            raise NotFoundError(f"Could not find role assignment of {grant.role}.")
        return replace(self, grants=tuple(one for one in self.grants if one != grant))

    def _granted(self, user: User) -> User:
        roles = dict(user.roles)
        for grant in self.grants:
            if grant.user_id == user.id:
                role = Role[grant.role.upper()]
                roles[grant.project_id] = max(
                    role, roles.get(grant.project_id, Role.READER)
                )
        return replace(user, roles=roles)


def _check_free(kind: str, name: str, things: Iterable[User | Project]) -> None:
    if any(one.name == name for one in things):
        raise ConflictError(
            f"Conflict occurred attempting to store {kind} - Duplicate entry found "
            f"with name {name}."
        )
