"""The settings as values; the names are nova.conf's where Nova has one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from sundog.core.choosing.taste import Taste
from sundog.core.hosts.whitelist import HostPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.core.devices.device_spec import DeviceSpec
    from sundog.core.requests.alias import Alias


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedPages:
    """One ``reserved_huge_pages``: ``count`` pages on a cell are the host's own."""

    cell: int
    size_kb: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """What is said of every host.

    The CPU sets are None when not said: a simulated host's file then says them, and
    without both every CPU is shared.
    """

    policy: HostPolicy = field(
        default_factory=lambda: HostPolicy(cpu_ratio=4.0, ram_ratio=1.0, disk_ratio=1.0)
    )
    reserved_memory_mb: int = 512
    reserved_disk_mb: int = 0
    reserved_huge_pages: tuple[ReservedPages, ...] = ()
    cpu_shared_set: frozenset[int] | None = None
    cpu_dedicated_set: frozenset[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Where the REST API listens; port 0 takes any free one."""

    listen: str = "127.0.0.1"
    port: int = 8774


@dataclass(frozen=True, slots=True, kw_only=True)
class PciSettings:
    """The whitelist, in order, and the aliases by name."""

    device_specs: tuple[DeviceSpec, ...] = ()
    aliases: Mapping[str, Alias] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementSettings:
    """Where Placement is; an empty ``endpoint`` means in this process.

    ``token`` is sent as it is (keystoneauth's ``admin_token``); empty with ``none``.
    """

    endpoint: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySettings:
    """Who may sign in: ``users_file`` None lets everybody in as the admin.

    ``region`` is the catalog's; ``token_seconds`` is how long a token is good.
    """

    users_file: Path | None = None
    region: str = "RegionOne"
    token_seconds: int = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class LibvirtSettings:
    """The real host that this process drives; without ``connection_uri`` none.

    ``cpu_mode`` empty is Nova's default: ``host-model`` with KVM, else ``none``.
    ``root`` is where sysfs and procfs are, and the files that guests need.
    """

    connection_uri: str = ""
    virt_type: str = "kvm"
    cpu_mode: str = ""
    root: Path = Path("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedHost:
    """A host to simulate: ``file`` is a path, or the name of a file that is shipped.

    ``name`` is empty when the file is to say it.
    """

    file: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a Sundog process.

    ``database`` is an SQLAlchemy URL. ``max_attempts`` is how many hosts are tried
    for a server. ``resize_in_place`` lets a server that is resized stay on its host.
    ``host_name`` is the real host's, empty for the machine's own name; its guests'
    files are in ``instances``.
    ``detach_seconds`` is how long guests are waited for to let go of a device.
    """

    state_path: Path
    images: Path
    instances: Path
    database: str = field(repr=False)
    host: HostSettings = field(default_factory=HostSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    pci: PciSettings = field(default_factory=PciSettings)
    placement: PlacementSettings = field(default_factory=PlacementSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    taste: Taste = field(default_factory=Taste)
    max_attempts: int = 3
    resize_in_place: bool = True
    host_name: str = ""
    libvirt: LibvirtSettings = field(default_factory=LibvirtSettings)
    detach_seconds: int = 20
    simulated_hosts: tuple[SimulatedHost, ...] = ()
