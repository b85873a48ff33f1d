"""Version documents, and the index at ``/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.edges.rest.ask import Answer
from sundog.edges.rest.microversions import NEWEST, OLDEST

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
    return Answer(body={"versions": [_version(ask, "/v2.1")], "services": services})


def compute_versions(ask: Ask) -> Answer:
    """Answer the versions of the compute API (``GET /compute``)."""
    return Answer(body={"versions": [_version(ask, "/compute/v2.1")]})


def show(ask: Ask) -> Answer:
    """Answer the version document that clients discover by."""
    return Answer(body={"version": _version(ask, ask.base)})


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
