"""Which projects may use which private flavors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sundog.core.errors import ConflictError, NotFoundError
from sundog.core.projects.flavor_access import FlavorAccess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.access.people import Caller
    from sundog.core.requests.flavor import Flavor
    from sundog.workflows.projects.shelf import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessBook:
    """What the API may do with access to flavors."""

    shelf: Shelf[FlavorAccess]

    def list(self, flavor_id: str) -> Sequence[FlavorAccess]:
        """Return who may use a private flavor."""
        return self.shelf.list(flavor_id)

    def may_use(self, caller: Caller, flavor: Flavor) -> bool:
        """Whether a flavor is public, the caller an admin, or the project let in."""
        if flavor.is_public or caller.is_admin:
            return True
        return self.is_in(caller.project_id, flavor)

    def is_in(self, project_id: str, flavor: Flavor) -> bool:
        """Whether a project was let in."""
        return self.shelf.get(flavor.id, project_id) is not None

    def add(self, flavor_id: str, project_id: str) -> None:
        """Let a project in; raises ConflictError if it is."""

        def add(old: FlavorAccess | None) -> FlavorAccess:
            if old is not None:
                raise ConflictError(
                    f"Flavor access already exists for flavor {flavor_id} and project "
                    f"{project_id} combination."
                )
            return FlavorAccess(flavor_id=flavor_id, project_id=project_id)

        self.shelf.change(flavor_id, project_id, add)

    def remove(self, flavor_id: str, project_id: str) -> None:
        """Shut a project out; raises NotFoundError if it is not in."""

        def remove(old: FlavorAccess | None) -> None:
            if old is None:
                raise NotFoundError(
                    f"Flavor access not found for {flavor_id} / {project_id} "
                    "combination."
                )

        self.shelf.change(flavor_id, project_id, remove)

    def forget(self, flavor_id: str) -> None:
        """Shut all out of a flavor that is gone: its id may come again."""
        for access in self.shelf.list(flavor_id):
            self.shelf.change(flavor_id, access.project_id, lambda _: None)
