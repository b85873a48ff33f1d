"""The operator's taste among fits: the ``[chooser]`` settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Order(Enum):
    """Whether to fill what is in use first, or what is emptiest."""

    PACK = "pack"
    SPREAD = "spread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """What decides among fits that cross equally few cells.

    Hosts and cells spread by default, as Nova's weighers and its
    ``packing_host_numa_cells_allocation_strategy`` do; cards pack, so that whole
    cards stay free. ``keep_device_hosts_free`` steers guests away from hosts and
    cells whose free devices they did not ask for.
    """

    hosts: Order = Order.SPREAD
    cells: Order = Order.SPREAD
    cards: Order = Order.PACK
    keep_device_hosts_free: bool = True


DEFAULT_TASTE: Final = Taste()
