"""``sundog hostfile capture``: this host as a host file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sundog.core.devices.device_spec import first_match
from sundog.core.hosts.guest_part import guest_part
from sundog.edges.libvirt.live.lasting_connection import LastingConnection
from sundog.edges.simulation.capture import VfRule, model_of
from sundog.edges.simulation.host_toml import host_toml
from sundog.edges.sysfs.host_files import vf_rules
from sundog.settings.read import read_settings
from sundog.wiring.doctor import with_libvirt
from sundog.wiring.real import host_reader, real_host_name
from sundog.wiring.rules import host_share

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sundog.core.hosts.host_snapshot import HostFacts
    from sundog.settings.tree import Settings


def capture(config: Sequence[Path]) -> str:
    """Return this host as a host file: the cards that rules mean, without rules all.

    Raises BadConfigurationError, or UnavailableError when libvirt is away.
    """
    return capture_host(with_libvirt(read_settings(config, {})))


def capture_host(settings: Settings) -> str:
    """Return the host of settings that name its libvirt."""
    connection = LastingConnection(settings.libvirt.connection_uri)
    try:
        name = real_host_name(settings) or ""
        facts = host_reader(settings, name, connection).scan()
    finally:
        connection.close()
    share = replace(host_share(settings.host), reserved_memory_mb=0, reserved_pages=())
    rules = {
        address: VfRule(offset=offset, stride=stride, product=product)
        for address, (offset, stride, product) in vf_rules(
            settings.libvirt.root
        ).items()
    }
    return host_toml(model_of(_meant(guest_part(facts, share), settings), rules))


def _meant(facts: HostFacts, settings: Settings) -> HostFacts:
    """Leave out the cards of which no rule means anything."""
    specs = settings.pci.device_specs
    if not specs:
        return facts
    by_address = {function.address: function for function in facts.functions}
    meant = {
        function.parent or function.address
        for function in facts.functions
        if first_match(
            specs,
            function,
            by_address.get(function.parent) if function.parent else None,
        )
    }
    return replace(
        facts,
        functions=tuple(
            function
            for function in facts.functions
            if (function.parent or function.address) in meant
        ),
    )
