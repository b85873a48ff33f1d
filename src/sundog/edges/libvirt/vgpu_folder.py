"""A VF's ``nvidia`` folder: which vGPU it is, and which it could be.

Facts from NVIDIA's vGPU user guide, release 17 and newer: ``current_vgpu_type`` holds
a number, 0 for none; ``creatable_vgpu_types`` holds a line ``ID : vGPU Name`` and one
for each type that may be set now, ``1155 : NVIDIA L40S-8Q``, and none where nothing
fits any more.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from sundog.core.devices.device import DeviceKind, MdevType, VgpuPart

if TYPE_CHECKING:
    from sundog.core.devices.device import PciFunction
    from sundog.core.devices.pci_address import PciAddress
    from sundog.edges.libvirt.host_kernel import HostKernel

NONE_SET: Final = "0"
_VENDOR: Final = "10de"
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_LINE: Final = re.compile(r"\s*([0-9]{1,9})\s*:\s*(\S.{0,199}?)\s*", re.ASCII)
_HEAD: Final = re.compile(r"\s*ID\s*:.*", re.ASCII | re.IGNORECASE)
# A type's name ends in its framebuffer in GiB and its series: L40S-8Q, A100-1-5CME.
_SIZE: Final = re.compile(r"-([0-9]{1,4})[A-Z](?:[A-Z]{2,5})?", re.ASCII)


class VgpuFiles(NamedTuple):
    """The text of the folder's two files."""

    current_vgpu_type: str
    creatable_vgpu_types: str


def vgpu_files(kernel: HostKernel, function: PciAddress) -> VgpuFiles | None:
    """Read a VF's folder; None when it has none. Raises OSError."""
    found = kernel.vgpu_files(function)
    return None if found is None else VgpuFiles(*found)


def with_vgpu(kernel: HostKernel, function: PciFunction) -> PciFunction:
    """Add to a VF what its folder says; unavailable if that cannot be used."""
    if function.kind is not DeviceKind.VF or function.vendor_id != _VENDOR:
        return function
    try:
        files = vgpu_files(kernel, function.address)
        return replace(function, vgpu=read_folder(files)) if files else function
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        told = f"its vGPU types cannot be read: {reason}"
        return replace(function, unavailable=function.unavailable or told)


@lru_cache(maxsize=8192)
def read_folder(files: VgpuFiles) -> VgpuPart:
    """Read both files; raises ValueError for what is in neither form."""
    types = tuple(
        MdevType(id=id_, name=name, available=1, size_mb=size_mb(name))
        for id_, name in creatable(files).items()
    )
    set_now = current(files)
    if set_now and set_now not in {kind.id for kind in types}:
        types = (*types, MdevType(id=set_now))
    return VgpuPart(current=set_now, types=types)


def current(files: VgpuFiles) -> str:
    """Return the type that is set, empty for none; raises ValueError."""
    text = files.current_vgpu_type.strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"current_vgpu_type holds {text!r:.40}, which is no number")
    return "" if int(text) == 0 else str(int(text))


def creatable(files: VgpuFiles) -> dict[str, str]:
    """Return the types that may be set now, id to name; raises ValueError."""
    found = {}
    for line in files.creatable_vgpu_types.splitlines():
        match = _LINE.fullmatch(line)
        if match is not None:
            found[str(int(match[1]))] = match[2]
        elif line.strip() and not _HEAD.fullmatch(line):
            raise ValueError(
                f"creatable_vgpu_types holds {line!r:.60}, which is no 'ID : name'"
            )
    return found


def size_mb(name: str) -> int | None:
    """Return the framebuffer that a type's name tells, in MiB."""
    tail = _SIZE.search(name, max(name.rfind("-"), 0))
    return int(tail[1]) * 1024 or None if tail else None
