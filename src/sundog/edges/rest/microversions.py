"""The compute API's microversions, in one list, and the header that asks for one.

Source: Nova's REST API Version History. Only resources served here are told; a
microversion that is not in the list changes nothing of them, and is served.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import Headers

# The API before there were microversions: as 2.1 is, whatever the headers ask for.
VERSION_2_0: Final = "/v2"
OLDEST: Final = 1
NEWEST: Final = 104

CHANGES: Final[Mapping[int, str]] = {
    1: "the first",
    3: "servers show OS-EXT-SRV-ATTR hostname, kernel, ramdisk, launch_index, …",
    5: "servers are filtered by ip6",
    6: "POST /servers/{id}/remote-consoles (there are no consoles)",
    9: "servers show locked",
    11: "services show and take forced_down",
    14: "evacuate takes no onSharedStorage and shows no adminPass",
    16: "servers show host_status",
    19: "servers have a description",
    21: "deleted servers show their actions",
    22: "a live migration can be forced to complete",
    23: "migrations show their type; /servers/{id}/migrations shows live ones",
    24: "a live migration can be aborted",
    25: "block_migration may be auto; disk_over_commit is gone",
    26: "servers have tags",
    27: "the header OpenStack-API-Version",
    28: "hypervisors show cpu_info as an object",
    29: "evacuate takes force",
    30: "a live migration takes force",
    31: "GET /os-console-auth-tokens/{token}",
    32: "networks and block devices take a tag (block devices in 2.32 only)",
    33: "hypervisors are paged",
    36: "limits of networks are gone",
    37: "a server's networks must be told: none, auto or a list; tags are gone",
    38: "an unknown status to filter servers by is refused",
    39: "the limit maxImageMeta is gone",
    40: "usage of projects is paged",
    41: "aggregates have a uuid",
    42: "networks and block devices take a tag again",
    43: "os-hosts is gone",
    47: "servers embed their flavor",
    48: "diagnostics are the same for every hypervisor",
    51: "actions show their events to everybody",
    52: "servers are created with tags",
    53: "hypervisors and services have uuids; PUT /os-services/{id}; with_servers",
    54: "a rebuild shows key_name",
    55: "flavors have a description",
    56: "migrate takes host",
    57: "personality and its limits are gone; a rebuild takes user_data",
    58: "actions are paged and show updated_at",
    59: "migrations are paged, have a uuid, and are filtered by changes-since",
    61: "flavors show extra_specs",
    62: "events of actions show hostId",
    63: "servers show and take trusted_image_certificates",
    65: "a live migration can be aborted before it begins",
    66: "servers and actions are filtered by changes-before",
    67: "block devices take a volume_type",
    68: "evacuate and live migration take no force",
    69: "what a part that is down cannot tell is left out (no part can be down)",
    71: "servers show server_groups",
    73: "a lock has a reason, servers show locked_reason and are filtered by locked",
    74: "servers take host and hypervisor_hostname",
    75: "unknown parameters are refused; PUT shows a whole server; swap is a number",
    77: "unshelve takes availability_zone",
    78: "GET /servers/{id}/topology",
    80: "migrations show user and project",
    81: "POST /os-aggregates/{id}/images",
    83: "more filters of servers for everyone",
    84: "events of actions show details",
    86: "extra specs are checked (they are here at every microversion)",
    88: "hypervisors show uptime and no amounts; statistics are gone",
    90: "servers take a hostname",
    91: "unshelve takes host",
    94: "a hostname may be a full domain name",
    95: "an evacuated server is off at its new host",
    96: "servers show pinned_availability_zone",
    98: "servers show their image's properties",
    100: "servers show scheduler_hints",
    102: "flavors are filtered by name; rxtx_factor and disabled are gone",
    104: "PUT /servers/{id} pins a server to its zone, and unpins it",
}

HEADER: Final = "OpenStack-API-Version"
OLD_HEADER: Final = "X-OpenStack-Nova-API-Version"
_VERSION: Final = re.compile(r"([1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})", re.ASCII)


def asked(headers: Headers) -> int:
    """Return the microversion that a request asks for: 53 for 2.53.

    Raises Fault 400 for a malformed one, 406 for one that is not served.
    """
    text = _new_header(headers.get(HEADER, "")) or headers.get(OLD_HEADER, "").strip()
    if not text:
        return OLDEST
    if text.lower() == "latest":
        return NEWEST
    match = _VERSION.fullmatch(text)
    if match is None:
        raise Fault(
            400,
            f"API Version String {text[:40]!r} is of invalid format. Must be of "
            "format MajorNum.MinorNum.",
        )
    major, minor = int(match[1]), int(match[2])
    if major != 2 or not OLDEST <= minor <= NEWEST:  # noqa: PLR2004 - the API is v2
        raise Fault(
            406,
            f"Version {text} is not supported by the API. Minimum is 2.{OLDEST} and "
            f"maximum is 2.{NEWEST}.",
        )
    return minor


def echoed(version: int) -> dict[str, str]:
    """Return the headers that tell which microversion answered."""
    return {
        HEADER: f"compute 2.{version}",
        OLD_HEADER: f"2.{version}",
        "Vary": f"{HEADER}, {OLD_HEADER}",
    }


def _new_header(value: str) -> str:
    """Find ``compute 2.53`` among ``SERVICE VERSION`` parts with commas between."""
    for part in value.split(","):
        service, _, version = part.strip().partition(" ")
        if service.lower() == "compute":
            return version.strip() or "nothing"
    return ""
