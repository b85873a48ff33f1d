"""What the settings say of hosts, and taking it up while servers run."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sundog.core.errors import BadConfigurationError, UnavailableError
from sundog.core.hosts.guest_part import HostShare
from sundog.workflows.host_agent import HostRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.settings.tree import HostSettings, Settings
    from sundog.workflows.host_agent import LocalHost


def follow_rules(agents: Mapping[str, LocalHost], settings: Settings) -> None:
    """Let every host follow other rules, or none.

    Raises BadConfigurationError where they would turn a held PF into VFs or the other
    way round. A host that is away follows when it is back.
    """
    rules = host_rules(settings)
    problems: list[str] = []
    for agent in agents.values():
        with suppress(UnavailableError):
            problems += agent.objections(rules)
    if problems:
        raise BadConfigurationError(*problems)
    for agent in agents.values():
        with suppress(UnavailableError):
            agent.follow(rules)


def host_rules(settings: Settings) -> HostRules:
    """Say what the settings say of every host."""
    return HostRules(
        specs=settings.pci.device_specs,
        policy=settings.host.policy,
        share=host_share(settings.host),
    )


def host_share(host: HostSettings) -> HostShare:
    """Say what of a host guests may use."""
    return HostShare(
        cpu_shared_set=host.cpu_shared_set,
        cpu_dedicated_set=host.cpu_dedicated_set,
        reserved_memory_mb=host.reserved_memory_mb,
        reserved_disk_gb=-(-host.reserved_disk_mb // 1024),
        reserved_pages=tuple(
            (pages.cell, pages.size_kb, pages.count)
            for pages in host.reserved_huge_pages
        ),
    )
