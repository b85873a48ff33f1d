"""A flavor: the amounts and the extra specs that servers are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """A flavor as Nova's API shows it.

    ``id`` is the public flavor id, any short text. Memory and swap are in MiB, disks
    in GiB. ``extra_specs`` maps keys like ``hw:numa_nodes`` to their text values.
    """

    id: str
    name: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    ephemeral_gb: int = 0
    swap_mb: int = 0
    rxtx_factor: float = 1.0
    is_public: bool = True
    description: str | None = None
    extra_specs: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), hash=False
    )
