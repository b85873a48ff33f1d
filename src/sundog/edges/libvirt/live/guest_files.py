"""A guest's folder: its disk and kernel, copied from images, and its console's log.

The names are Nova's: ``<instances>/<uuid>/disk``, ``kernel``, ``ramdisk`` and
``console.log``. A file is copied because the guest writes to its disk, and because
libvirt makes the files of a guest that runs belong to QEMU's user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sundog.core.errors import HostRefusedError, NotFoundError
from sundog.edges.libvirt.live.lasting_files import (
    make_lasting_folder,
    put_in_place,
    write_lasting,
)
from sundog.edges.libvirt.live.qcow2 import virtual_size

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from uuid import UUID

    from sundog.core.guest_config import BootSource, GuestConfig

    # An image's file and its disk format, by the image's id.
    FindImage = Callable[[str], tuple[Path, str]]

_GIB: Final = 1 << 30
# As much as Nova gives back of a console.
_MOST_SAID: Final = 102400
CONSOLE: Final = "console.log"
# Libvirt's log daemon calls a log of 2 MiB so and begins a new one. Source:
# virtlogd.conf, max_size.
_EARLIER: Final = f"{CONSOLE}.0"
KERNEL: Final = "aki"
CD: Final = "iso"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestFiles:
    """Where a guest's files are; None is not there.

    ``spare`` is the guest's own disk while it boots from another.
    """

    console: Path
    disk: Path | None = None
    disk_format: str = "raw"
    kernel: Path | None = None
    ramdisk: Path | None = None
    command_line: str = ""
    spare: Path | None = None
    spare_format: str = "raw"


class GuestFolders:
    """The folders of a host's guests."""

    def __init__(self, root: Path, find_image: FindImage) -> None:
        """Keep guests' files below ``root``; an unknown image is a NotFoundError."""
        self._root = root
        self._find_image = find_image

    def there(self, consumer: UUID) -> bool:
        """Whether a guest has a folder."""
        return (self._root / str(consumer)).exists()

    def console(self, consumer: UUID) -> str | None:
        """Return the end of what a guest said; raises HostRefusedError."""
        folder = self._root / str(consumer)
        try:
            ends = [_end_of(folder / name) for name in (_EARLIER, CONSOLE)]
        except OSError as error:
            raise HostRefusedError(
                f"the guest's console cannot be read: {_reason(error)}"
            ) from error
        said = [end for end in ends if end is not None]
        return b"".join(said)[-_MOST_SAID:].decode(errors="replace") if said else None

    def forget_console(self, consumer: UUID) -> None:
        """Drop what a guest said before it is started anew; not there is fine."""
        folder = self._root / str(consumer)
        try:
            for name in (_EARLIER, CONSOLE):
                (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise HostRefusedError(
                f"the guest's console cannot be removed: {_reason(error)}"
            ) from error

    def prepare(self, config: GuestConfig) -> GuestFiles:
        """Make what a guest lacks; raises HostRefusedError and leaves nothing new.

        What is there stays as it is: a disk holds what the guest wrote.
        """
        folder = self._root / str(config.uuid)
        is_new = not folder.exists()
        try:
            make_lasting_folder(folder)
            return self._fill(folder, config.boot)
        except (OSError, NotFoundError, ValueError) as error:
            if is_new:
                with suppress(HostRefusedError):
                    self.remove(config.uuid)
            raise HostRefusedError(f"the guest's files: {_reason(error)}") from error

    def remove(self, consumer: UUID) -> None:
        """Remove a guest's folder; not there is fine.

        It is renamed first: of a removal that is cut off nothing is taken for the
        guest's, and the next one removes the rest.
        """
        folder, leaving = self._root / str(consumer), self._root / f"{consumer}.gone"
        try:
            _remove(leaving)
            with suppress(FileNotFoundError):
                folder.rename(leaving)
            _remove(leaving)
        except OSError as error:
            raise HostRefusedError(
                f"the guest's files cannot be removed: {_reason(error)}"
            ) from error

    def _fill(self, folder: Path, boot: BootSource) -> GuestFiles:
        own = self._system(folder, boot)
        # What a guest is rescued with is made anew each time, and gone afterwards.
        apart = folder / "rescue"
        shutil.rmtree(apart, ignore_errors=True)
        if boot.rescue is None:
            return own
        apart.mkdir()
        rescue = self._system(apart, boot.rescue)
        return replace(
            rescue,
            console=own.console,
            spare=own.disk,
            spare_format=own.disk_format,
        )

    def _system(self, folder: Path, boot: BootSource) -> GuestFiles:
        disk_format = self._boot_files(folder, boot)
        kernel = self._named(folder / "kernel", boot.kernel_id)
        disk = None if disk_format == KERNEL else folder / "disk"
        root = "root=/dev/vda " if disk is not None else ""
        return GuestFiles(
            console=folder / CONSOLE,
            disk=disk,
            disk_format=disk_format,
            kernel=kernel,
            ramdisk=self._named(folder / "ramdisk", boot.ramdisk_id),
            command_line=boot.command_line or f"{root}console=tty0 console=ttyS0",
        )

    def _boot_files(self, folder: Path, boot: BootSource) -> str:
        """Make the disk, or the kernel that stands for it; return the format.

        It is noted beside the disk: a guest could write another format's mark on its
        own raw disk, and the image may be gone when the guest is started again.
        """
        note = folder / "disk.format"
        if note.exists():
            disk_format = note.read_text()
            if disk_format != KERNEL:
                # A server that was resized keeps what it wrote; its disk only grows.
                _grown(folder / "disk", disk_format, boot.disk_gb * _GIB)
            return disk_format
        image, disk_format = self._find_image(boot.image_id)
        if disk_format == KERNEL:
            _copied(image, folder / "kernel")
        else:
            _disk(image, folder / "disk", disk_format, boot.disk_gb)
        write_lasting(note, disk_format)
        return disk_format

    def _named(self, target: Path, image_id: str) -> Path | None:
        """Return a file that is there, or is copied from the image that is named."""
        if image_id and not target.exists():
            _copied(self._find_image(image_id)[0], target)
        return target if target.exists() else None


def _end_of(log: Path) -> bytes | None:
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _MOST_SAID))
            return file.read(_MOST_SAID)
    except FileNotFoundError:
        return None


def _disk(image: Path, disk: Path, disk_format: str, least_gb: int) -> None:
    """Copy an image to a guest's disk, which is then as large as the flavor says."""
    least = least_gb * _GIB
    size = virtual_size(image) if disk_format == "qcow2" else image.stat().st_size
    if 0 < least < size:
        raise ValueError(f"the flavor's disk of {least_gb} GiB is less than the image")
    made = disk.with_name("disk.new")
    _copied(image, made)
    _grown(made, disk_format, least)
    put_in_place(made, disk)


def _grown(disk: Path, disk_format: str, least: int) -> None:
    size = virtual_size(disk) if disk_format == "qcow2" else disk.stat().st_size
    if least > size and disk_format == "qcow2":
        _run("qemu-img", "resize", "-q", "-f", "qcow2", str(disk), str(least))
    elif least > size and disk_format != CD:
        os.truncate(disk, least)


def _copied(source: Path, target: Path) -> None:
    """Copy a file whole or not at all: what a crash cut off is not taken for it.

    Nor is what a loss of power did.
    """
    part = target.with_name(f"{target.name}.part")
    _run("cp", "--reflink=auto", "--sparse=always", "--", str(source), str(part))
    put_in_place(part, target)


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  a fixed command, no shell
    except FileNotFoundError:
        raise ValueError(f"{command[0]} is not installed") from None
    except subprocess.CalledProcessError as error:
        raise ValueError(f"{command[0]}: {error.stderr.strip()}") from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())
