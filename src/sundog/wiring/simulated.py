"""A simulated host: the real libvirt edge over a kernel that is a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import NAMESPACE_DNS, uuid5

from sundog.edges.libvirt.capabilities_xml import CpuSets
from sundog.edges.libvirt.connection import open_connection
from sundog.edges.libvirt.device_bench import LibvirtDeviceBench
from sundog.edges.libvirt.guest_xml import TEST_DRIVER
from sundog.edges.libvirt.guests import LibvirtGuests
from sundog.edges.libvirt.host_reader import HostIdentity, LibvirtHostReader
from sundog.edges.libvirt.kinds.kind import Site
from sundog.edges.simulation.consoles import SimulatedConsoles
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.test_driver import write_test_host
from sundog.workflows.host_agent import HostTools

if TYPE_CHECKING:
    from pathlib import Path

    from sundog.edges.simulation.host_model import HostModel


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedHost:
    """A simulated host's kernel, to ask faults of, and its edges."""

    kernel: SimulatedKernel
    tools: HostTools


def simulated_host(model: HostModel, folder: Path) -> SimulatedHost:
    """Start a simulated host; libvirt's test driver reads its file from ``folder``."""
    kernel = SimulatedKernel(model)
    connection = open_connection(write_test_host(kernel, folder))
    guests = LibvirtGuests(connection, TEST_DRIVER)
    identity = HostIdentity(
        name=model.name,
        uuid=uuid5(NAMESPACE_DNS, model.name),
        disk_gb=model.disk_gb,
        libvirt_version=model.libvirt_version,
        cpu_sets=CpuSets(
            shared=model.cpu_shared_set,
            dedicated=model.cpu_dedicated_set,
            reserved_mb=model.reserved_mb,
        ),
    )
    return SimulatedHost(
        kernel=kernel,
        tools=HostTools(
            reader=LibvirtHostReader(identity, kernel),
            bench=LibvirtDeviceBench(Site(kernel=kernel, holders=guests.holders)),
            guests=guests,
            consoles=SimulatedConsoles(guests.definition),
        ),
    )


def check_host_file(path: Path) -> str:
    """Sum up a host file in a line; raises BadConfigurationError with all problems."""
    model = read_host_file(path)
    cpus = sum(len(cell.cpus) for cell in model.cells)
    sockets = len({cell.socket for cell in model.cells})
    return (
        f"host {model.name}: {_count(sockets, 'socket')}, "
        f"{_count(len(model.cells), 'cell')}, {_count(cpus, 'CPU')}, "
        f"{_count(len(model.cards), 'card')}"
    )


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
