"""A simulated host: the real libvirt edge over a kernel that is a model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import NAMESPACE_DNS, uuid5

from sundog.core.errors import BadConfigurationError, NotFoundError
from sundog.edges.libvirt.capabilities_xml import CpuSets
from sundog.edges.libvirt.connection import libvirt_error, open_connection
from sundog.edges.libvirt.device_bench import LibvirtDeviceBench
from sundog.edges.libvirt.guest_xml import TEST_DRIVER
from sundog.edges.libvirt.guests import LibvirtGuests
from sundog.edges.libvirt.host_reader import HostIdentity, LibvirtHostReader
from sundog.edges.libvirt.kinds.kind import Site
from sundog.edges.libvirt.live.carriers import TestDriverCarrier
from sundog.edges.simulation.consoles import SimulatedConsoles
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.plugging.hot_plug import HotPlug
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host
from sundog.workflows.host_agent import HostTools

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sundog.edges.simulation.host_model import HostModel
    from sundog.settings.tree import SimulatedHost as NamedHost


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedHost:
    """A simulated host's kernel, to ask faults of, and its edges."""

    kernel: SimulatedKernel
    tools: HostTools
    guests: LibvirtGuests
    carrier: TestDriverCarrier


def simulated_host(model: HostModel, folder: Path) -> SimulatedHost:
    """Start a simulated host; libvirt's test driver reads its file from ``folder``."""
    kernel = SimulatedKernel(model)
    connection = open_connection(write_test_host(kernel, folder))
    carrier = TestDriverCarrier()
    plugged = HotPlug(connection, kernel, libvirt_error)
    guests = LibvirtGuests(plugged, TEST_DRIVER, carrier=carrier)
    identity = HostIdentity(
        name=model.name,
        uuid=uuid5(NAMESPACE_DNS, model.name),
        disk_gb=model.disk_gb,
        libvirt_version=model.libvirt_version,
        qemu_version=model.qemu_version,
        cpu_sets=CpuSets(
            shared=model.cpu_shared_set,
            dedicated=model.cpu_dedicated_set,
            reserved_mb=model.reserved_mb,
        ),
    )
    return SimulatedHost(
        kernel=kernel,
        guests=guests,
        carrier=carrier,
        tools=HostTools(
            reader=LibvirtHostReader(identity, kernel),
            bench=LibvirtDeviceBench(Site(kernel=kernel, holders=guests.holders)),
            guests=guests,
            consoles=SimulatedConsoles(guests.definition),
        ),
    )


def host_models(
    named: Sequence[NamedHost], real_name: str | None = None
) -> tuple[HostModel, ...]:
    """Read every host file that is named; raises BadConfigurationError with all."""
    problems: list[str] = []
    models: dict[str, HostModel] = {}
    for wanted in named:
        try:
            model = read_host_file(_path_of(wanted.file))
        except BadConfigurationError as error:
            problems += error.problems
            continue
        model = replace(model, name=wanted.name or model.name)
        if model.name in models:
            problems.append(
                f"[simulation] host_file: two hosts are named {model.name}; "
                f"write another-name={wanted.file}"
            )
        models[model.name] = model
    if real_name in models:
        problems.append(
            f"[DEFAULT] host: {real_name} is simulated, too; "
            "give one of the two another name"
        )
    if problems:
        raise BadConfigurationError(*problems)
    return tuple(models.values())


def _path_of(file: str) -> Path:
    try:
        return shipped_host(file)
    except NotFoundError:
        return Path(file)


def join(hosts: Mapping[str, SimulatedHost]) -> None:
    """Let running guests go from each simulated host to every other."""
    for name, host in hosts.items():
        host.carrier.peers.update(
            {other: one.guests for other, one in hosts.items() if other != name}
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
