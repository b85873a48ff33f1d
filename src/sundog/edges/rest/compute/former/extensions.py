"""``/extensions``: what was an extension in 2013 is the API itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask

# Those whose paths and fields are served here, by alias; some have another name.
_NAMES: Final = {
    "os-admin-actions": "AdminActions",
    "os-aggregates": "Aggregates",
    "os-assisted-volume-snapshots": "AssistedVolumeSnapshots",
    "os-attach-interfaces": "AttachInterfaces",
    "os-availability-zone": "AvailabilityZone",
    "os-config-drive": "ConfigDrive",
    "os-console-auth-tokens": "ConsoleAuthTokens",
    "os-console-output": "ConsoleOutput",
    "os-consoles": "Consoles",
    "os-create-backup": "CreateBackup",
    "os-deferred-delete": "DeferredDelete",
    "OS-DCF": "DiskConfig",
    "OS-EXT-AZ": "ExtendedAvailabilityZone",
    "OS-EXT-SRV-ATTR": "ExtendedServerAttributes",
    "OS-EXT-STS": "ExtendedStatus",
    "os-evacuate": "Evacuate",
    "os-extended-volumes": "ExtendedVolumes",
    "os-flavor-access": "FlavorAccess",
    "os-flavor-extra-specs": "FlavorExtraSpecs",
    "os-flavor-manage": "FlavorManage",
    "flavors": "Flavors",
    "os-hide-server-addresses": "HideServerAddresses",
    "os-hosts": "Hosts",
    "os-hypervisors": "Hypervisors",
    "os-instance-actions": "InstanceActions",
    "os-instance_usage_audit_log": "OSInstanceUsageAuditLog",
    "os-keypairs": "Keypairs",
    "limits": "Limits",
    "os-lock-server": "LockServer",
    "os-migrate-server": "MigrateServer",
    "os-migrations": "Migrations",
    "os-multiple-create": "MultipleCreate",
    "os-pause-server": "PauseServer",
    "os-quota-class-sets": "QuotaClasses",
    "os-quota-sets": "Quotas",
    "os-remote-consoles": "Consoles",
    "os-rescue": "Rescue",
    "OS-SCH-HNT": "SchedulerHints",
    "os-server-diagnostics": "ServerDiagnostics",
    "os-server-external-events": "ServerExternalEvents",
    "os-server-groups": "ServerGroups",
    "server-metadata": "ServerMetadata",
    "os-server-password": "ServerPassword",
    "OS-SRV-USG": "ServerUsage",
    "servers": "Servers",
    "os-services": "Services",
    "os-shelve": "Shelve",
    "os-simple-tenant-usage": "SimpleTenantUsage",
    "os-suspend-server": "SuspendServer",
    "os-used-limits": "UsedLimits",
    "os-user-data": "UserData",
    "versions": "Versions",
}


def index(_: Ask) -> Answer:
    """``GET /extensions``."""
    return Answer(body={"extensions": [_body(alias) for alias in _NAMES]})


def show(_: Ask, alias: str) -> Answer:
    """``GET /extensions/{alias}``."""
    if alias not in _NAMES:
        raise Fault(404, f"There is no extension {alias}.")
    return Answer(body={"extension": _body(alias)})


def _body(alias: str) -> dict[str, object]:
    return {
        "alias": alias,
        "name": _NAMES[alias],
        "description": "A part of the compute API.",
        "namespace": "http://docs.openstack.org/compute/ext/fake_xml",
        "updated": "2014-12-03T00:00:00Z",
        "links": [],
    }
