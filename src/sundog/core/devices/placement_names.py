"""Placement's names for what devices are and can do, spelt as Nova spells them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# The resource classes that Placement knows without being told (os-resource-classes).
STANDARD_CLASSES: Final = frozenset(
    {
        "DISK_GB",
        "FPGA",
        "IPV4_ADDRESS",
        "MEMORY_MB",
        "MEM_ENCRYPTION_CONTEXT",
        "NET_BW_EGR_KILOBIT_PER_SEC",
        "NET_BW_IGR_KILOBIT_PER_SEC",
        "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC",
        "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC",
        "NET_PACKET_RATE_KILOPACKET_PER_SEC",
        "NUMA_CORE",
        "NUMA_MEMORY_MB",
        "NUMA_SOCKET",
        "NUMA_THREAD",
        "PCI_DEVICE",
        "PCPU",
        "PGPU",
        "SRIOV_NET_VF",
        "VCPU",
        "VGPU",
        "VGPU_DISPLAY_HEAD",
    }
)
# What a host's cells provide; a device may not go by these names.
HOST_CLASSES: Final = frozenset({"VCPU", "PCPU", "MEMORY_MB", "DISK_GB"})

# Standard traits are hundreds and grow with every release, but each starts with one of
# these (os-traits). A name with such a prefix is taken to be standard.
_STANDARD_TRAITS: Final = ("HW_", "COMPUTE_", "STORAGE_", "MISC_", "OWNER_")
_CUSTOM: Final = "CUSTOM_"
_LONGEST: Final = 255
_NAME: Final = re.compile(r"[A-Z0-9_]{1,255}", re.ASCII)
_CUSTOM_NAME: Final = re.compile(r"CUSTOM_[A-Z0-9_]{1,248}", re.ASCII)

VGPU: Final = "VGPU"


def resource_class(name: str) -> str:
    """Spell a rule's or an alias's resource class as Placement does.

    Raises ValueError for a name that cannot be one.
    """
    spelt = _spell(name)
    if spelt in HOST_CLASSES:
        raise ValueError(f"{spelt} is what cells provide; name another class")
    if spelt in STANDARD_CLASSES:
        return spelt
    return _custom(spelt)


def trait(name: str) -> str:
    """Spell a trait as Placement does; raises ValueError if it cannot be one."""
    spelt = _spell(name)
    return spelt if spelt.startswith(_STANDARD_TRAITS) else _custom(spelt)


def is_class(name: str) -> bool:
    """Whether Placement could know a resource class by exactly this name."""
    return name in STANDARD_CLASSES or _CUSTOM_NAME.fullmatch(name) is not None


def is_trait(name: str) -> bool:
    """Whether Placement could know a trait by exactly this name."""
    if name.startswith(_STANDARD_TRAITS):
        return _NAME.fullmatch(name) is not None
    return _CUSTOM_NAME.fullmatch(name) is not None


# A card of many VFs asks for the same few names at every scan.
@lru_cache(maxsize=4096)
def custom_name(text: str) -> str:
    """Name a class or trait after ``text``: ``nvidia-35`` makes CUSTOM_NVIDIA_35."""
    return _custom(_spell(text))


def _spell(name: str) -> str:
    spelt = re.sub(r"[^A-Z0-9_]", "_", name.strip().upper())
    if not spelt or len(spelt) > _LONGEST - len(_CUSTOM):
        raise ValueError(f"a name has 1 to {_LONGEST - len(_CUSTOM)} characters")
    return spelt


def _custom(spelt: str) -> str:
    return spelt if spelt.startswith(_CUSTOM) else _CUSTOM + spelt
