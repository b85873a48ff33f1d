"""What a running guest takes of its host, as libvirt counts it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFigures:
    """What a guest read and wrote of one disk."""

    name: str
    read_requests: int
    read_bytes: int
    write_requests: int
    write_bytes: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestFigures:
    """A running guest. CPU time is in nanoseconds, by vCPU; memory in KiB.

    ``hypervisor`` is libvirt's name of it; ``used_kb`` is None where nothing tells.
    """

    hypervisor: str
    cpu_ns: tuple[int, ...]
    memory_kb: int
    used_kb: int | None = None
    disks: tuple[DiskFigures, ...] = ()
