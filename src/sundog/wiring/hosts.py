"""The agents of all hosts: the simulated ones, and the real one."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sundog.edges.libvirt.live.host_lock import hold_host
from sundog.wiring.real import real_host, real_host_name
from sundog.wiring.rules import host_rules
from sundog.wiring.simulated import join, simulated_host
from sundog.workflows.devices.cards import CardBook
from sundog.workflows.devices.health import HealthBook
from sundog.workflows.host_agent import LocalHost

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import ExitStack

    from sundog.edges.images.image_folder import ImageFolder
    from sundog.edges.simulation.host_model import HostModel
    from sundog.edges.storage.store import Store
    from sundog.settings.tree import Settings
    from sundog.wiring.real import RealHost
    from sundog.wiring.simulated import SimulatedHost


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Agents by host; ``simulated`` and ``real`` are what some of them stand on.

    ``health`` is what is known of their devices, which the operator may change.
    """

    agents: Mapping[str, LocalHost]
    simulated: Mapping[str, SimulatedHost]
    real: RealHost | None
    health: HealthBook


def open_hosts(
    settings: Settings,
    models: Sequence[HostModel],
    store: Store,
    images: ImageFolder,
    opening: ExitStack,
) -> Hosts:
    """Open the hosts of the settings; nothing is scanned yet, ``opening`` closes them.

    Raises BadConfigurationError when another service has the real host, or its URI is
    none that could ever be connected to.
    """
    simulated = {
        model.name: simulated_host(model, settings.state_path) for model in models
    }
    join(simulated)
    tools = {name: host.tools for name, host in simulated.items()}
    real = _real(settings, images, opening)
    if real is not None:
        tools[real.name] = real.tools
    health, cards = HealthBook(store.health), CardBook(store.cards)
    # Counted on from the time, so that it is above those of any earlier life.
    rules, first_serial = host_rules(settings), time.time_ns()
    agents = {
        name: LocalHost(
            name,
            replace(each, health=health, cards=cards),
            store.claims,
            rules,
            first_serial,
        )
        for name, each in tools.items()
    }
    return Hosts(agents=agents, simulated=simulated, real=real, health=health)


def _real(
    settings: Settings, images: ImageFolder, opening: ExitStack
) -> RealHost | None:
    name = real_host_name(settings)
    if name is None:
        return None
    opening.callback(hold_host(settings.libvirt.root))
    host = real_host(settings, name, images.file_of)
    opening.callback(host.connection.close)
    return host
