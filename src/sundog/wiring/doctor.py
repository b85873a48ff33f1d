"""``sundog doctor``: look at the host that this process runs on, and judge it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sundog.core.errors import UnavailableError
from sundog.core.hosts.checkup import Check, HostNeeds, Mark, check_up
from sundog.core.hosts.whitelist import offer
from sundog.edges.libvirt.live.lasting_connection import LastingConnection
from sundog.edges.sysfs.host_files import read_findings
from sundog.settings.read import read_settings
from sundog.wiring.real import host_reader, real_host_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sundog.core.hosts.checkup import Findings
    from sundog.settings.tree import Settings

DEFAULT_URI: Final = "qemu:///system"


def examine(config: Sequence[Path]) -> Sequence[Check]:
    """Check this host against what the configuration wants of it.

    Raises BadConfigurationError.
    """
    return examine_host(with_libvirt(read_settings(config, {})))


def with_libvirt(settings: Settings) -> Settings:
    """Return settings that name a libvirt, the system's unless they do already."""
    uri = settings.libvirt.connection_uri or DEFAULT_URI
    return replace(settings, libvirt=replace(settings.libvirt, connection_uri=uri))


def examine_host(settings: Settings) -> Sequence[Check]:
    """Check this host against settings that name its libvirt."""
    connection = LastingConnection(settings.libvirt.connection_uri)
    try:
        found = _with_versions(read_findings(settings.libvirt.root), connection)
        checks = list(check_up(found, _needs(settings)))
        if not found.libvirt_error:
            checks += _devices(settings, connection)
    finally:
        connection.close()
    return checks


def _with_versions(found: Findings, connection: LastingConnection) -> Findings:
    try:
        return replace(
            found,
            libvirt_version=connection.version(),
            qemu_version=connection.hypervisor_version(),
        )
    except UnavailableError as error:
        return replace(found, libvirt_error=str(error).removeprefix("libvirt "))


def _needs(settings: Settings) -> HostNeeds:
    specs = settings.pci.device_specs
    return HostNeeds(
        functions=any(not spec.offers_types for spec in specs),
        types=any(spec.offers_types for spec in specs),
        mdevs=any(spec.mdev_types for spec in specs),
        vfs=any(spec.sriov_numvfs for spec in specs),
        kvm=settings.libvirt.virt_type == "kvm",
    )


def _devices(settings: Settings, connection: LastingConnection) -> Iterator[Check]:
    """Scan the host as the service does, and tell what cannot be used of it."""
    reader = host_reader(settings, real_host_name(settings) or "", connection)
    try:
        facts = reader.scan()
    except UnavailableError as error:
        yield _broken(str(error))
        return
    snapshot = offer(facts, settings.pci.device_specs, settings.host.policy)
    offered = sum(len(card.devices) for card in snapshot.cards)
    yield Check(
        mark=Mark.OK,
        about="devices",
        found=f"{len(facts.functions)} functions are read, "
        f"{offered} devices of {len(snapshot.cards)} cards are offered",
    )
    for problem in dict.fromkeys(snapshot.problems):
        yield _broken(f"{problem.where}: {problem.reason}")


def _broken(found: str) -> Check:
    return Check(
        mark=Mark.BAD,
        about="devices",
        found=found,
        mend="see what libvirt and the card's driver log, or change the device_spec",
    )
