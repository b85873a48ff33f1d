"""Where the service is: said outright, or read from an operator's clouds.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import yaml

from sundog.core.errors import BadConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_ENDPOINT: Final = "http://127.0.0.1:8774"
_OVERRIDE: Final = "compute_endpoint_override"


def find_endpoint(said: str | None, environ: Mapping[str, str]) -> str:
    """Return the service's root URL, without a slash at its end.

    The first of these counts: ``said``, ``SUNDOG_ENDPOINT``, the
    ``compute_endpoint_override`` of the cloud that ``OS_CLOUD`` names, the default.
    Raises BadConfigurationError.
    """
    cloud = environ.get("OS_CLOUD")
    if said:
        return _checked(said, "--endpoint")
    if environ.get("SUNDOG_ENDPOINT"):
        return _checked(environ["SUNDOG_ENDPOINT"], "SUNDOG_ENDPOINT")
    if cloud:
        override = _of_cloud(cloud, environ)
        return _checked(override, _OVERRIDE) if override else DEFAULT_ENDPOINT
    return DEFAULT_ENDPOINT


def _checked(url: str, key: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise BadConfigurationError(
            f"{key} is {url!r}: write it as http://HOST:PORT, like {DEFAULT_ENDPOINT}"
        )
    # Sundog's own API stands beside the compute API.
    path = parts.path.rstrip("/").removesuffix("/v2.1").removesuffix("/compute")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _of_cloud(cloud: str, environ: Mapping[str, str]) -> str:
    for path in _cloud_files(environ):
        if path.is_file():
            clouds = _clouds(path)
            entry = clouds.get(cloud)
            if not isinstance(entry, dict):
                known = ", ".join(sorted(map(str, clouds))) or "none"
                raise BadConfigurationError(
                    f"OS_CLOUD is {cloud!r}, which {path} does not have; it has {known}"
                )
            return str(entry.get(_OVERRIDE) or "")
    return ""


def _cloud_files(environ: Mapping[str, str]) -> list[Path]:
    said = environ.get("OS_CLIENT_CONFIG_FILE")
    home = Path(environ.get("HOME", "/"))
    usual = [Path(), home / ".config/openstack", Path("/etc/openstack")]
    return ([Path(said)] if said else []) + [place / "clouds.yaml" for place in usual]


def _clouds(path: Path) -> dict[object, object]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise BadConfigurationError(f"{path} cannot be read: {reason}") from None
    clouds = document.get("clouds") if isinstance(document, dict) else None
    return clouds if isinstance(clouds, dict) else {}
