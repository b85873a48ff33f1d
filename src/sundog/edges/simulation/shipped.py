"""The host files that come with Sundog."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sundog.core.errors import NotFoundError

HOSTS: Final = Path(__file__).parent / "hosts"


def shipped_hosts() -> tuple[str, ...]:
    """Return the names of the host files that are shipped."""
    return tuple(sorted(path.stem for path in HOSTS.glob("*.toml")))


def shipped_host(name: str) -> Path:
    """Return the path of a shipped host file; raises NotFoundError."""
    if name not in shipped_hosts():
        raise NotFoundError(
            f"there is no shipped host {name!r}; there are {', '.join(shipped_hosts())}"
        )
    return HOSTS / f"{name}.toml"
