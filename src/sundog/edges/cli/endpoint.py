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
    ``compute_endpoint_override`` or else the ``auth_url`` of the cloud that
    ``OS_CLOUD`` names, ``OS_AUTH_URL``, the default. Raises BadConfigurationError.
    """
    if said:
        return _checked(said, "--endpoint")
    if environ.get("SUNDOG_ENDPOINT"):
        return _checked(environ["SUNDOG_ENDPOINT"], "SUNDOG_ENDPOINT")
    if environ.get("OS_CLOUD"):
        return _of_cloud(cloud_of(environ))
    if environ.get("OS_AUTH_URL"):
        return _checked(environ["OS_AUTH_URL"], "OS_AUTH_URL")
    return DEFAULT_ENDPOINT


def _of_cloud(entry: Mapping[str, object]) -> str:
    auth = entry.get("auth")
    auth_url = auth.get("auth_url") if isinstance(auth, dict) else None
    if entry.get(_OVERRIDE):
        return _checked(str(entry[_OVERRIDE]), _OVERRIDE)
    return _checked(str(auth_url), "auth_url") if auth_url else DEFAULT_ENDPOINT


def _checked(url: str, key: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise BadConfigurationError(
            f"{key} is {url!r}: write it as http://HOST:PORT, like {DEFAULT_ENDPOINT}"
        )
    # Sundog's own API stands beside the compute API, and the identity API.
    path = parts.path.rstrip("/").removesuffix("/v2.1").removesuffix("/compute")
    path = path.removesuffix("/v3").removesuffix("/identity")
    return f"{parts.scheme}://{parts.netloc}{path}"


def cloud_of(environ: Mapping[str, str]) -> Mapping[str, object]:
    """Return the entry of the cloud that ``OS_CLOUD`` names; empty without a file.

    Raises BadConfigurationError.
    """
    cloud = environ["OS_CLOUD"]
    for path in _cloud_files(environ):
        if path.is_file():
            clouds = _clouds(path)
            entry = clouds.get(cloud)
            if not isinstance(entry, dict):
                known = ", ".join(sorted(map(str, clouds))) or "none"
                raise BadConfigurationError(
                    f"OS_CLOUD is {cloud!r}, which {path} does not have; it has {known}"
                )
            return entry
    return {}


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
