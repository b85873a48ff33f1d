"""A project's access to a flavor that is not public."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FlavorAccess:
    """That a project may use a private flavor."""

    flavor_id: str
    project_id: str
