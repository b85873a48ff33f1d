"""Quotas: what a project may have, and how many more servers that leaves room for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sundog.core.errors import ForbiddenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sundog.core.requests.guest_request import DeviceRequest, GuestRequest

UNLIMITED: Final = -1
# Beside these a quota may be of an alias or a resource class: alias:vGPU, class:VGPU.
ALIAS: Final = "alias:"
CLASS: Final = "class:"
DEFAULTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "instances": UNLIMITED,
        "cores": UNLIMITED,
        "ram": UNLIMITED,
        "metadata_items": 128,
        "key_pairs": 100,
        "server_groups": 10,
        "server_group_members": UNLIMITED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaSet:
    """Limits that were set, by name; -1 is none. What is not here is the default."""

    limits: dict[str, int] = field(default_factory=dict)


def needs(request: GuestRequest) -> Counter[str]:
    """Return what one server counts for, by a quota's name; memory in MiB."""
    counted = Counter(
        {"instances": 1, "cores": request.vcpus, "ram": request.memory_mb}
    )
    return counted + device_needs(request.devices)


def device_needs(devices: Iterable[DeviceRequest]) -> Counter[str]:
    """Return what devices count for, by a quota's name."""
    counted: Counter[str] = Counter()
    for device in devices:
        if device.alias:
            counted[ALIAS + device.alias] += device.count
        classes = {want.resource_class for want in device.wants} - {None}
        for name in classes:
            counted[f"{CLASS}{name}"] += device.count
    return counted


def room(
    limits: Mapping[str, int], used: Mapping[str, int], need: Mapping[str, int]
) -> int | None:
    """Return for how many more servers there is room; None: for any number."""
    rooms = [
        max(0, limits[name] - used.get(name, 0)) // count
        for name, count in need.items()
        if count > 0 and limits.get(name, UNLIMITED) >= 0
    ]
    return min(rooms, default=None)


def check_room(
    limits: Mapping[str, int], used: Mapping[str, int], need: Mapping[str, int]
) -> None:
    """Raise ForbiddenError naming every quota that is exceeded, in Nova's words."""
    over = [
        name
        for name, count in need.items()
        if limits.get(name, UNLIMITED) >= 0 and used.get(name, 0) + count > limits[name]
    ]
    if over:
        raise ForbiddenError(
            f"Quota exceeded for {', '.join(over)}: "
            f"Requested {', '.join(str(need[name]) for name in over)}, "
            f"but already used {', '.join(str(used.get(name, 0)) for name in over)} "
            f"of {', '.join(str(limits[name]) for name in over)} {', '.join(over)}"
        )
