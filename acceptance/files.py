"""What Tempest reads: its configuration and its accounts; and the users for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from acceptance.service import ADMIN, PASSWORD, Client

if TYPE_CHECKING:
    from pathlib import Path

# Name, project, role for Tempest, role here. A class of tests takes a member and a
# reader of one project, a member of another, and an admin; the first that is free is
# taken, so members stand first. Nova's manager is a member here.
_ACCOUNTS: Final = (
    ("one-member", "one", "member", "member"),
    ("two-member", "two", "member", "member"),
    ("three-member", "three", "member", "member"),
    ("one-reader", "one", "reader", "reader"),
    ("two-reader", "two", "reader", "reader"),
    ("one-manager", "one", "manager", "member"),
    ("two-manager", "two", "manager", "member"),
    ("four-admin", "four", "admin", "admin"),
    ("five-admin", "five", "admin", "admin"),
    ("six-service", "six", "admin service", "admin"),
    ("seven-service", "seven", "admin service", "admin"),
)
# Nova's defaults; Sundog has no limits of these by default.
_QUOTAS: Final = {"instances": 10, "cores": 20, "ram": 51200}
# What is obeyed here whatever an operator enables in Nova.
_FILTERS: Final = (
    "DifferentHostFilter",
    "SameHostFilter",
    "ServerGroupAffinityFilter",
    "ServerGroupAntiAffinityFilter",
)

_CONFIG: Final = """[DEFAULT]
log_file = tempest.log
log_dir = {folder}
debug = true
[oslo_concurrency]
lock_path = {folder}/locks
[auth]
use_dynamic_credentials = false
test_accounts_file = {folder}/accounts.yaml
create_isolated_networks = false
admin_username = {admin}
admin_password = {password}
admin_project_name = {admin}
admin_domain_name = Default
[identity]
uri_v3 = {root}/identity/v3
auth_version = v3
region = RegionOne
v3_endpoint_type = public
[service_available]
nova = true
glance = true
neutron = {neutron}
cinder = false
swift = false
[enforce_scope]
nova = true
[validation]
run_validation = false
[compute]
image_ref = {image}
image_ref_alt = {other_image}
flavor_ref = {flavor}
flavor_ref_alt = {other_flavor}
min_microversion = 2.1
max_microversion = latest
endpoint_type = public
min_compute_nodes = 2
build_interval = 1
build_timeout = 60
[compute-feature-enabled]
resize = true
rescue = true
block_migration_for_live_migration = true
live_migrate_paused_instances = true
volume_attachment = false
console_output = true
personality = true
scheduler_enabled_filters = {filters}
[image]
build_interval = 1
"""


def users() -> str:
    """Write the users file of the service."""
    people = [(ADMIN, ADMIN, "admin", "admin"), *_ACCOUNTS]
    return "\n".join(
        f'[[user]]\nname = "{name}"\npassword = "{PASSWORD}"\n'
        f'roles = {{{project} = "{role}"}}\n'
        for name, project, _, role in people
    )


def write(folder: Path, client: Client) -> tuple[Path, Path]:
    """Make flavors, and write what Tempest reads; returns two configurations.

    They differ in Neutron. Tempest believes the first that there is one, or it would
    leave out classes whose servers need no network; under the second a test may make
    projects, whose networks Tempest would clean up.
    """
    common, own_projects = folder / "tempest.conf", folder / "own-projects.conf"
    for name, memory in (("one", 64), ("two", 128)):
        flavor = {"id": name, "name": name, "ram": memory, "vcpus": 1, "disk": 1}
        client.call("POST", "/v2.1/flavors", {"flavor": flavor})
    client.call(
        "PUT", "/v2.1/os-quota-class-sets/default", {"quota_class_set": _QUOTAS}
    )
    images = client.call("GET", "/v2/images")["images"]
    by_name = {image["name"]: image["id"] for image in images}
    for config, neutron in ((common, "true"), (own_projects, "false")):
        text = _CONFIG.format(
            folder=folder,
            root=f"http://127.0.0.1:{client.port}",
            image=by_name["tiny"],
            other_image=by_name["other"],
            admin=ADMIN,
            password=PASSWORD,
            filters=",".join(_FILTERS),
            flavor="one",
            other_flavor="two",
            neutron=neutron,
        )
        config.write_text(text, encoding="utf-8")
    # JSON is YAML.
    accounts = json.dumps([_account(*account) for account in _ACCOUNTS])
    (folder / "accounts.yaml").write_text(accounts, encoding="utf-8")
    return common, own_projects


def _account(name: str, project: str, role: str, _here: str) -> dict[str, object]:
    kind = {"types": ["admin"]} if role == "admin" else {"roles": role.split()}
    return {
        "username": name,
        "password": PASSWORD,
        "project_name": project,
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        **kind,
    }
