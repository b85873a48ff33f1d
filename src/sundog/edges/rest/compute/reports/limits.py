"""``/limits``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault
from sundog.workflows.ports import ServerQuery

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask

_LAST_WITH_NETWORKS: Final = 35
_LAST_WITH_IMAGES: Final = 38
_LAST_WITH_PERSONALITY: Final = 56


def limits(ask: Ask) -> Answer:
    """``GET /limits``: a project's quotas, and what is used of them."""
    project = ask.query.text("tenant_id") or ask.caller.project_id
    if not ask.caller.sees(project):
        raise Fault(403, "Policy doesn't allow the limits of another project.")
    servers = ask.books.servers.list(ServerQuery(project_id=project))
    most = ask.books.quotas.limits(project)
    absolute = {
        "maxServerMeta": most["metadata_items"],
        "maxTotalInstances": most["instances"],
        "maxTotalCores": most["cores"],
        "maxTotalRAMSize": most["ram"],
        "maxTotalKeypairs": most["key_pairs"],
        "maxServerGroups": most["server_groups"],
        "maxServerGroupMembers": most["server_group_members"],
        "totalInstancesUsed": len(servers),
        "totalCoresUsed": sum(server.flavor.vcpus for server in servers),
        "totalRAMUsed": sum(server.flavor.memory_mb for server in servers),
        "totalServerGroupsUsed": len(ask.books.groups.list(project)),
    }
    if ask.version <= _LAST_WITH_NETWORKS:
        absolute |= {
            "maxTotalFloatingIps": 0,
            "maxSecurityGroups": 0,
            "maxSecurityGroupRules": 0,
            "totalFloatingIpsUsed": 0,
            "totalSecurityGroupsUsed": 0,
        }
    if ask.version <= _LAST_WITH_IMAGES:
        absolute["maxImageMeta"] = most["metadata_items"]
    if ask.version <= _LAST_WITH_PERSONALITY:
        absolute |= {"maxPersonality": 0, "maxPersonalitySize": 0}
    return Answer(body={"limits": {"rate": [], "absolute": absolute}})
