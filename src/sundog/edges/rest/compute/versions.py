"""Version documents, and the index at ``/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.edges.rest.ask import Answer
from sundog.edges.rest.microversions import NEWEST, OLDEST, VERSION_2_0

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask


def index(ask: Ask) -> Answer:
    """Answer what is served, and where."""
    services = {
        "compute": f"{ask.host_url}/compute/v2.1",
        "image": f"{ask.host_url}/image",
        "identity": f"{ask.host_url}/identity/v3",
        "placement": f"{ask.host_url}/placement",
        "sundog": f"{ask.host_url}/v1",
    }
    versions = [_first(ask), _version(ask, "/v2.1")]
    return Answer(body={"versions": versions, "services": services})


def compute_versions(ask: Ask) -> Answer:
    """Answer the versions of the compute API (``GET /compute``)."""
    versions = [_first(ask), _version(ask, "/compute/v2.1")]
    return Answer(body={"versions": versions})


def show(ask: Ask) -> Answer:
    """Answer the version document that clients discover by."""
    is_first = ask.base.endswith(VERSION_2_0)
    version = _first(ask) if is_first else _version(ask, ask.base)
    return Answer(body={"version": version})


def _first(ask: Ask) -> dict[str, object]:
    """Tell of the API without microversions, where old clients look for it."""
    return {
        **_version(ask, f"/compute{VERSION_2_0}"),
        "id": "v2.0",
        "status": "SUPPORTED",
        "version": "",
        "min_version": "",
        "updated": "2011-01-21T11:33:21Z",
    }


def _version(ask: Ask, path: str) -> dict[str, object]:
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": f"2.{NEWEST}",
        "min_version": f"2.{OLDEST}",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": f"{ask.host_url}{path}/"}],
        "media-types": [
            {
                "base": "application/json",
                "type": "application/vnd.openstack.compute+json;version=2.1",
            }
        ],
    }
