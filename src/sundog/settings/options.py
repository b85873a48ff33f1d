"""The options that files may set, by section.

An option's type turns text into its value (``value_types``); a default is written as
in a file. An option without a default is None, and the tree says what that means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from oslo_config import cfg
from oslo_config.types import String

from sundog.settings import value_types as types

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST: Final = 2**31 - 1


class _FromText(String):
    """An oslo.config type; an override is read as if a file said it."""

    def __init__(self, read: Callable[[str], object]) -> None:
        super().__init__()
        self._read = read

    def __call__(self, value: Any) -> Any:  # noqa: ANN401  String's signature
        """Read the value; raises ValueError."""
        return self._read(str(value))


def _opt(name: str, read: Callable[[str], object], default: str | None = None) -> Any:  # noqa: ANN401  oslo.config ships no types
    return cfg.Opt(name, type=_FromText(read), default=default)


def _lines(name: str, read: Callable[[str], object] = str) -> Any:  # noqa: ANN401  same
    return cfg.MultiOpt(name, item_type=_FromText(read))


OPTIONS: Final[Mapping[str, tuple[Any, ...]]] = {
    "DEFAULT": (
        _opt("state_path", types.path, "/var/lib/sundog"),
        _opt("instances_path", types.path),
        _opt("host", types.host_name),
        _opt("cpu_allocation_ratio", types.ratio, "4.0"),
        _opt("ram_allocation_ratio", types.ratio, "1.0"),
        _opt("disk_allocation_ratio", types.ratio, "1.0"),
        _opt("allow_resize_to_same_host", types.flag, "true"),
        _opt("reserved_host_memory_mb", types.whole(0, _MOST), "512"),
        _opt("reserved_host_disk_mb", types.whole(0, _MOST), "0"),
        _lines("reserved_huge_pages", types.reserved_pages),
        _opt("osapi_compute_listen", types.ip, "127.0.0.1"),
        _opt("osapi_compute_listen_port", types.whole(0, 65535), "8774"),
    ),
    "chooser": (
        _opt("hosts", types.order, "spread"),
        _opt("cells", types.order, "spread"),
        _opt("cards", types.order, "pack"),
        _opt("keep_device_hosts_free", types.flag, "true"),
    ),
    "compute": (
        _opt("cpu_shared_set", types.cpu_set),
        _opt("cpu_dedicated_set", types.cpu_set),
    ),
    "database": (_opt("connection", str),),
    "identity": (
        _opt("users_file", types.path),
        _opt("region_name", types.host_name, "RegionOne"),
        _opt("token_expiration", types.whole(1, 31536000), "3600"),
    ),
    "images": (_opt("folder", types.path),),
    "libvirt": (
        _opt("connection_uri", types.connection_uri, ""),
        _opt("virt_type", types.virt_type, "kvm"),
        _opt("cpu_mode", types.cpu_mode),
        _opt("device_detach_timeout", types.whole(0, 3600), "20"),
    ),
    "pci": (_lines("device_spec"), _lines("alias")),
    "placement": (
        _opt("endpoint_override", types.endpoint, ""),
        _opt("auth_type", types.auth_type, "none"),
        _opt("token", str, ""),
    ),
    "scheduler": (_opt("max_attempts", types.whole(1, 1000), "3"),),
    "simulation": (_lines("host_file", types.simulated_host),),
}
