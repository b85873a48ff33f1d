"""A real host: the libvirt edge over libvirt's daemon and the kernel's own files."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import NAMESPACE_DNS, uuid5

from sundog.core.errors import BadConfigurationError
from sundog.edges.libvirt.device_bench import LibvirtDeviceBench
from sundog.edges.libvirt.guest_xml import Dialect
from sundog.edges.libvirt.guests import LibvirtGuests
from sundog.edges.libvirt.host_reader import HostIdentity, LibvirtHostReader
from sundog.edges.libvirt.kinds.kind import Site
from sundog.edges.libvirt.live.guest_files import GuestFolders
from sundog.edges.libvirt.live.guest_watch import GuestWatch
from sundog.edges.libvirt.live.kernel import LibvirtKernel
from sundog.edges.libvirt.live.lasting_connection import LastingConnection
from sundog.edges.libvirt.live.lasting_files import make_lasting_folder
from sundog.edges.sysfs.device_files import DeviceFiles
from sundog.workflows.host_agent import HostTools
from sundog.workflows.pulse.ended_guests import look_for_ended, note_ended

if TYPE_CHECKING:
    from pathlib import Path

    from sundog.edges.libvirt.live.guest_files import FindImage
    from sundog.settings.tree import LibvirtSettings, Settings
    from sundog.workflows.conductor import Conductor
    from sundog.workflows.jobs import Jobs

_BYTES_PER_GIB = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RealHost:
    """The host that this process runs on; close its connection when done."""

    name: str
    tools: HostTools
    connection: LastingConnection


def real_host_name(settings: Settings) -> str | None:
    """Return the name of the real host, None when the settings name no libvirt."""
    if not settings.libvirt.connection_uri:
        return None
    return settings.host_name or socket.gethostname()


def real_host(settings: Settings, name: str, find_image: FindImage) -> RealHost:
    """Open the real host; one that is away is taken up when it answers.

    Raises BadConfigurationError when its URI is none that could ever be connected to.
    """
    connection = LastingConnection(settings.libvirt.connection_uri)
    try:
        connection.probe()
    except ValueError as error:
        raise BadConfigurationError(
            f"[libvirt] connection_uri = {settings.libvirt.connection_uri}: {error}; "
            "write qemu:///system for this host's own libvirt"
        ) from error
    make_lasting_folder(settings.instances)
    kernel = LibvirtKernel(connection, DeviceFiles(settings.libvirt.root))
    folders = GuestFolders(settings.instances, find_image)
    guests = LibvirtGuests(connection, dialect(settings.libvirt), folders=folders)
    return RealHost(
        name=name,
        connection=connection,
        tools=HostTools(
            reader=LibvirtHostReader(
                _identity(settings, name), kernel, connection.versions
            ),
            bench=LibvirtDeviceBench(Site(kernel=kernel, holders=guests.holders)),
            guests=guests,
            consoles=folders,
        ),
    )


def follow_guests(host: RealHost, conductor: Conductor, jobs: Jobs) -> GuestWatch:
    """Let a job look at each server whose guest ended."""
    return GuestWatch(
        host.connection,
        ended=lambda guest: jobs.begin(partial(note_ended, conductor, guest)),
        missed=lambda: jobs.begin(partial(look_for_ended, conductor, host.name)),
    )


def host_reader(
    settings: Settings, name: str, connection: LastingConnection
) -> LibvirtHostReader:
    """Read the real host over a connection, and nothing more."""
    kernel = LibvirtKernel(connection, DeviceFiles(settings.libvirt.root))
    identity = _identity(settings, name)
    return LibvirtHostReader(identity, kernel, connection.versions)


def _identity(settings: Settings, name: str) -> HostIdentity:
    place = next(path for path in _upwards(settings.instances) if path.exists())
    return HostIdentity(
        name=name,
        uuid=uuid5(NAMESPACE_DNS, name),
        disk_gb=shutil.disk_usage(place).total // _BYTES_PER_GIB,
    )


def _upwards(path: Path) -> tuple[Path, ...]:
    return (path, *path.parents)


def dialect(said: LibvirtSettings) -> Dialect:
    """Say how guests are written; Nova's defaults for the CPU."""
    mode = said.cpu_mode or ("host-model" if said.virt_type == "kvm" else "none")
    return Dialect(domain_type=said.virt_type, cpu_mode="" if mode == "none" else mode)
