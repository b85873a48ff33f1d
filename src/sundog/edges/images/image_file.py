"""One image file: what it is, told from the file without reading all of it."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from sundog.edges.images.properties import SUFFIX, ImageProperties, read_properties
from sundog.workflows.ports import Image

if TYPE_CHECKING:
    from pathlib import Path

FORMATS: Final = {
    ".img": "raw",
    ".raw": "raw",
    ".iso": "iso",
    ".qcow2": "qcow2",
    ".aki": "aki",  # a kernel
    ".ari": "ari",  # its first ramdisk
}

# An image's id follows from its file's name: it is the same after a restart.
_NAMES: Final = UUID("3e1c3b4e-6f0e-5d0b-9b53-6d0f7b7f6a10")
_QCOW2: Final = b"QFI\xfb"
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when a file's content does."""

    inode: int
    size: int
    modified_ns: int


def stamp_of(path: Path) -> Stamp:
    """Return the stamp of a file.

    Raises ValueError when it is no regular file (opening a pipe would wait for ever),
    OSError when it cannot be looked at.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("is not a regular file")
    return Stamp(found.st_ino, found.st_size, found.st_mtime_ns)


def properties_path(path: Path) -> Path:
    """Return where the properties of an image file are said."""
    return path.with_name(path.name + SUFFIX)


def read_image(path: Path, stamp: Stamp, *, has_properties: bool) -> Image:
    """Describe an image file; its checksum is left empty.

    Raises ValueError with the reason, or OSError, when it cannot be offered.
    """
    said = ImageProperties()
    if has_properties:
        try:
            said = read_properties(properties_path(path))
        except ValueError as error:
            raise ValueError(f"{properties_path(path).name}: {error}") from error
    modified = datetime.fromtimestamp(stamp.modified_ns // 1_000_000_000, UTC)
    return Image(
        id=said.id or str(uuid5(_NAMES, path.name)),
        name=said.name or path.stem,
        size=stamp.size,
        disk_format=_format_of(path),
        checksum="",
        created=modified,
        updated=modified,
        min_disk_gb=said.min_disk_gb,
        min_ram_mb=said.min_ram_mb,
        properties=said.properties,
    )


def checksum_of(path: Path) -> str:
    """Return a file's MD5 in hex, reading it piece by piece; raises OSError."""
    digest = hashlib.md5(usedforsecurity=False)  # Glance's ``checksum`` is MD5
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _format_of(path: Path) -> str:
    with path.open("rb") as file:
        is_qcow2 = file.read(len(_QCOW2)) == _QCOW2
    named = FORMATS[path.suffix]
    # A raw disk that begins like a qcow2 could make a host open other files.
    if is_qcow2 and path.suffix not in {".qcow2", ".img"}:
        raise ValueError("is a qcow2 image inside; name it .qcow2")
    if named == "qcow2" and not is_qcow2:
        raise ValueError("is named .qcow2, but does not begin like one")
    return "qcow2" if is_qcow2 else named
