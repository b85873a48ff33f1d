"""Read the settings, or say everything that is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sundog.core.choosing.taste import Taste
from sundog.core.devices.device_spec import parse_device_specs
from sundog.core.errors import BadConfigurationError
from sundog.core.hosts.whitelist import HostPolicy
from sundog.core.requests.alias import parse_aliases
from sundog.settings.sources import Sources
from sundog.settings.tree import (
    ApiSettings,
    HostSettings,
    IdentitySettings,
    LibvirtSettings,
    PciSettings,
    PlacementSettings,
    Settings,
    SimulatedHost,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_T = TypeVar("_T")


def read_settings(
    argv_config_files: Sequence[Path], overrides: Mapping[str, object]
) -> Settings:
    """Read oslo.config files, a later one winning, then ``overrides``.

    An override's key is ``section.option``, or the option's name in [DEFAULT]; its
    value is what a file would say, or a list of that where an option may be repeated.

    Raises BadConfigurationError with every problem, one line each: the file, the
    section, the option, what is wrong and the way out.
    """
    sources = Sources(argv_config_files, overrides)
    state_path: Path | None = sources.value("DEFAULT", "state_path")
    images: Path | None = sources.value("images", "folder")
    instances: Path | None = sources.value("DEFAULT", "instances_path")
    parts = {
        "host": _host(sources),
        "api": ApiSettings(
            listen=sources.value("DEFAULT", "osapi_compute_listen"),
            port=sources.value("DEFAULT", "osapi_compute_listen_port"),
        ),
        "pci": PciSettings(
            device_specs=_rules(sources, "device_spec", parse_device_specs) or (),
            aliases=_rules(sources, "alias", parse_aliases) or {},
        ),
        "placement": _placement(sources),
        "identity": IdentitySettings(
            users_file=sources.value("identity", "users_file"),
            region=sources.value("identity", "region_name"),
            token_seconds=sources.value("identity", "token_expiration"),
        ),
        "taste": Taste(
            hosts=sources.value("chooser", "hosts"),
            cells=sources.value("chooser", "cells"),
            cards=sources.value("chooser", "cards"),
            keep_device_hosts_free=sources.value("chooser", "keep_device_hosts_free"),
        ),
        "max_attempts": sources.value("scheduler", "max_attempts"),
        "resize_in_place": sources.value("DEFAULT", "allow_resize_to_same_host"),
        "host_name": sources.value("DEFAULT", "host") or "",
        "libvirt": LibvirtSettings(
            connection_uri=sources.value("libvirt", "connection_uri"),
            virt_type=sources.value("libvirt", "virt_type"),
            cpu_mode=sources.value("libvirt", "cpu_mode") or "",
        ),
        "detach_seconds": sources.value("libvirt", "device_detach_timeout"),
        "simulated_hosts": _simulated_hosts(sources),
        "database": sources.value("database", "connection"),
    }
    if sources.told or state_path is None:
        raise BadConfigurationError(*sources.told)
    parts["database"] = parts["database"] or f"sqlite:///{state_path}/sundog.db"
    return Settings(
        state_path=state_path,
        images=images or state_path / "images",
        instances=instances or state_path / "instances",
        **parts,
    )


def _host(sources: Sources) -> HostSettings:
    shared = sources.value("compute", "cpu_shared_set")
    dedicated = sources.value("compute", "cpu_dedicated_set")
    both = sorted((shared or frozenset()) & (dedicated or frozenset()))
    if both:
        reason = f"CPU {both[0]} is in cpu_shared_set too; leave it in one of them"
        sources.tell("compute", "cpu_dedicated_set", reason)
    return HostSettings(
        policy=HostPolicy(
            cpu_ratio=sources.value("DEFAULT", "cpu_allocation_ratio"),
            ram_ratio=sources.value("DEFAULT", "ram_allocation_ratio"),
            disk_ratio=sources.value("DEFAULT", "disk_allocation_ratio"),
        ),
        reserved_memory_mb=sources.value("DEFAULT", "reserved_host_memory_mb"),
        reserved_disk_mb=sources.value("DEFAULT", "reserved_host_disk_mb"),
        reserved_huge_pages=sources.lines("DEFAULT", "reserved_huge_pages"),
        cpu_shared_set=shared,
        cpu_dedicated_set=dedicated,
    )


def _placement(sources: Sources) -> PlacementSettings:
    endpoint = sources.value("placement", "endpoint_override")
    with_token = sources.value("placement", "auth_type") == "admin_token"
    token = sources.value("placement", "token")
    if with_token and not token:
        sources.tell("placement", "auth_type", "admin_token needs token = ...")
    if token and not with_token:
        reason = "needs auth_type = admin_token, or it would not be sent"
        sources.tell("placement", "token", reason)
    return PlacementSettings(endpoint=endpoint, token=token)


def _simulated_hosts(sources: Sources) -> tuple[SimulatedHost, ...]:
    hosts: tuple[SimulatedHost, ...] = sources.lines("simulation", "host_file")
    names = [host.name for host in hosts if host.name]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reason = f"host {name!r} stands twice; give each its own name"
        sources.tell("simulation", "host_file", reason)
    return hosts


def _rules(
    sources: Sources, key: str, parse: Callable[[Sequence[str]], _T]
) -> _T | None:
    try:
        return parse(sources.lines("pci", key))
    except BadConfigurationError as error:
        # Each line names [pci], the option and the rule already.
        where = sources.where("pci", key)
        sources.told += [f"{where}: {problem}" for problem in error.problems]
        return None
