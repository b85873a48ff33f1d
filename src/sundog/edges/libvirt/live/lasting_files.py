"""Files that outlive a loss of power: whole where they are named, or not there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def put_in_place(part: Path, target: Path) -> None:
    """Give a finished file its name, when all of it is on the disk.

    Without that a file system may keep the name and lose what was written: ext4
    gives new files their blocks half a minute later. Raises OSError.
    """
    _sync(part)
    part.rename(target)
    _sync(target.parent)


def write_lasting(target: Path, text: str) -> None:
    """Write a small file whole or not at all; raises OSError."""
    part = target.with_name(f"{target.name}.part")
    part.write_text(text, encoding="utf-8")
    put_in_place(part, target)


def make_lasting_folder(folder: Path) -> None:
    """Make a folder, and those above it; one that is there will do."""
    if not folder.exists():
        make_lasting_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
