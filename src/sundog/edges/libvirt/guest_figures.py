"""What libvirt counts of a running guest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libvirt
from lxml import etree

from sundog.core.lives.figures import DiskFigures, GuestFigures
from sundog.edges.libvirt.guest_states import refusing

if TYPE_CHECKING:
    from collections.abc import Iterator

# Libvirt's binding ships no types; a domain by name.
Domain = Any


def figures_of(domain: Domain) -> GuestFigures:
    """Read a running guest's figures; raises HostRefusedError."""
    with refusing("could not tell a guest's figures"):
        _, _, memory_kb, _, _ = domain.info()
        vcpus, _ = domain.vcpus()
        root = etree.fromstring(domain.XMLDesc().encode())
        return GuestFigures(
            hypervisor=root.get("type", ""),
            cpu_ns=tuple(time for _, _, time, _ in vcpus),
            memory_kb=memory_kb,
            used_kb=_used_kb(domain),
            disks=tuple(_disks(domain, root)),
        )


def _used_kb(domain: Domain) -> int | None:
    """Ask the guest's balloon; a guest without a driver for it tells nothing."""
    try:
        told = domain.memoryStats()
    except libvirt.libvirtError:
        return None
    available, unused = told.get("available"), told.get("unused")
    return None if available is None or unused is None else available - unused


def _disks(domain: Domain, root: Any) -> Iterator[DiskFigures]:  # noqa: ANN401  lxml ships no types
    for target in root.iterfind("devices/disk/target"):
        name = target.get("dev")
        reads, read_bytes, writes, written, errors = domain.blockStats(name)
        yield DiskFigures(
            name=name,
            read_requests=reads,
            read_bytes=read_bytes,
            write_requests=writes,
            write_bytes=written,
            errors=errors,
        )
