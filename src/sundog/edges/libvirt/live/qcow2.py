"""The head of a qcow2 image.

Source: docs/interop/qcow2.rst of QEMU.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

# magic, version, backing file's offset and size, cluster bits, virtual size; in
# version 3 the incompatible features follow at byte 72.
_HEAD: Final = struct.Struct(">4sIQIIQ")
_FEATURES: Final = struct.Struct(">Q")
_FEATURES_AT: Final = 72
_EXTERNAL_DATA: Final = 1 << 2


def virtual_size(path: Path) -> int:
    """Return how large the disk is; raises OSError, or ValueError for no good image.

    One that names a further file is refused: a guest could read any file through it.
    """
    with path.open("rb") as file:
        head = file.read(_FEATURES_AT + _FEATURES.size)
    try:
        magic, version, backing, _, _, size = _HEAD.unpack_from(head)
        features = 0
        if version > 2:  # noqa: PLR2004  see the source
            (features,) = _FEATURES.unpack_from(head, _FEATURES_AT)
    except struct.error:
        raise ValueError(f"{path.name} is cut short") from None
    if magic != b"QFI\xfb":
        raise ValueError(f"{path.name} is no qcow2 image")
    if backing or features & _EXTERNAL_DATA:
        raise ValueError(f"{path.name} needs a further file; flatten it with qemu-img")
    return int(size)
