"""Who asks: read from the environment or an operator's clouds.yaml."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sundog.edges.cli.endpoint import cloud_of

if TYPE_CHECKING:
    from collections.abc import Mapping

# Any token is the admin's where nobody has to sign in.
ANY_TOKEN = "admin"  # noqa: S105 - no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A user's name and password, and the project to act in."""

    user: str
    password: str = field(repr=False)
    project: str


def find_credentials(environ: Mapping[str, str]) -> Credentials | None:
    """Return what ``OS_CLOUD`` or ``OS_USERNAME`` and its like say; None: nothing.

    Raises BadConfigurationError when the cloud cannot be read.
    """
    said: Mapping[str, object] = {
        name.lower().removeprefix("os_"): text for name, text in environ.items()
    }
    if environ.get("OS_CLOUD"):
        auth = cloud_of(environ).get("auth")
        said = auth if isinstance(auth, dict) else {}
    user, password = said.get("username"), said.get("password")
    if not user or password is None:
        return None
    project = said.get("project_name") or said.get("tenant_name") or ""
    return Credentials(user=str(user), password=str(password), project=str(project))
