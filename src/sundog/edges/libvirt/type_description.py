"""The free text in which a vendor describes an mdev type."""

from __future__ import annotations

import re
from typing import Final

# NVIDIA: "num_heads=4, frl_config=45, framebuffer=512M, max_resolution=2560x1600,
# max_instance=16". Other vendors name neither amount, which is then unknown.
_FRAMEBUFFER: Final = re.compile(r"framebuffer\s*=\s*([0-9]{1,9})\s*([MG])", re.ASCII)
_INSTANCES: Final = re.compile(r"max_instance\s*=\s*([0-9]{1,6})", re.ASCII)
_MIB: Final = {"M": 1, "G": 1024}


def size_mb(description: str) -> int | None:
    """Return the framebuffer of one instance, in MiB."""
    found = _FRAMEBUFFER.search(description)
    return int(found[1]) * _MIB[found[2]] if found else None


def total(description: str) -> int | None:
    """Return how many instances an empty card makes."""
    found = _INSTANCES.search(description)
    return int(found[1]) if found else None
