"""A folder of image files, served as images."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, replace
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

from sundog.core.errors import NotFoundError
from sundog.core.hosts.host_snapshot import Problem
from sundog.edges.images.image_file import (
    FORMATS,
    Stamp,
    checksum_of,
    properties_path,
    read_image,
    stamp_of,
)
from sundog.edges.images.properties import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sundog.workflows.ports import Image

_READ_AT_ONCE: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a file said when its stamps were these: an image, or why it is none."""

    stamps: tuple[Stamp, Stamp | None]
    image: Image | None = None
    reason: str = ""


class ImageFolder:
    """Fulfils ``ImageSource`` over the files of a folder, for any number of threads.

    Files named ``*.img``, ``*.qcow2``, ``*.raw`` and ``*.iso`` are images, ``*.aki``
    and ``*.ari`` kernels and ramdisks; one may have its ``<file>.properties.toml``. A
    file is read again when it changes. The checksum of a file above 16 MiB is empty
    until a thread has read all of it. A file that cannot be offered is told in
    ``problems`` and left out.
    """

    def __init__(self, path: Path) -> None:
        """Serve the files in ``path``, which may come to be later."""
        self._path = path
        self._lock = Lock()
        self._readings: dict[str, _Reading] = {}
        self._checksums: dict[str, tuple[Stamp, str]] = {}
        self._waiting: deque[tuple[Path, Stamp]] = deque()
        self._reader: Thread | None = None

    def get(self, image_id: str) -> Image:
        """Return one by id; raises NotFoundError."""
        for image in self.list():
            if image.id == image_id:
                return image
        raise NotFoundError(f"No image found with ID {image_id}")

    def list(self) -> Sequence[Image]:
        """Return all that can be offered, ordered by name."""
        found, _ = self._look()
        images = [image for _, image in found.values()]
        return sorted(images, key=lambda image: (image.name, image.id))

    def file_of(self, image_id: str) -> tuple[Path, str]:
        """Return an image's file and its disk format; raises NotFoundError."""
        found, _ = self._look()
        if image_id not in found:
            raise NotFoundError(f"No image found with ID {image_id}")
        path, image = found[image_id]
        return path, image.disk_format

    @property
    def problems(self) -> Sequence[Problem]:
        """What is in the folder now and cannot be offered, and why."""
        _, problems = self._look()
        return problems

    def _look(self) -> tuple[Mapping[str, tuple[Path, Image]], Sequence[Problem]]:
        """Return files and images by id, and what cannot be offered."""
        images: dict[str, tuple[Path, Image]] = {}
        problems: list[Problem] = []
        with self._lock:
            try:
                names = sorted(path.name for path in self._path.iterdir())
            except OSError as error:
                return {}, [Problem(where=str(self._path), reason=_reason(error))]
            for path, reading in self._read_all(names):
                image, reason = reading.image, reading.reason
                if image is not None and image.id in images:
                    reason = f"has the id {image.id} of another image; give it its own"
                if image is None or reason:
                    problems.append(Problem(where=str(path), reason=reason))
                else:
                    checksum = self._checksum(path, reading.stamps[0])
                    images[image.id] = path, replace(image, checksum=checksum)
        problems += self._lost_properties(names)
        return images, problems

    def _read_all(self, names: Sequence[str]) -> Iterator[tuple[Path, _Reading]]:
        for name in names:
            path = self._path / name
            if path.suffix in FORMATS:
                yield path, self._read(path)
        for gone in self._readings.keys() - set(names):
            del self._readings[gone]
            self._checksums.pop(gone, None)

    def _read(self, path: Path) -> _Reading:
        try:
            stamp = stamp_of(path)
            beside = properties_path(path)
            said = stamp_of(beside) if os.path.lexists(beside) else None
            known = self._readings.get(path.name)
            if known is not None and known.stamps == (stamp, said):
                return known
            image = read_image(path, stamp, has_properties=said is not None)
            reading = _Reading((stamp, said), image)
            self._readings[path.name] = reading
        except (ValueError, OSError) as error:
            # Not remembered: rights may change without a trace in the stamp.
            return _Reading((Stamp(0, 0, 0), None), reason=_reason(error))
        return reading

    def _lost_properties(self, names: Sequence[str]) -> Iterator[Problem]:
        for name in names:
            if name.endswith(SUFFIX) and name.removesuffix(SUFFIX) not in names:
                reason = f"there is no image {name.removesuffix(SUFFIX)} beside it"
                yield Problem(where=str(self._path / name), reason=reason)

    def _checksum(self, path: Path, stamp: Stamp) -> str:
        known, checksum = self._checksums.get(path.name, (None, ""))
        if known == stamp:
            return checksum
        if stamp.size > _READ_AT_ONCE:
            self._read_later(path, stamp)
            return ""
        checksum = _checksum_if_same(path, stamp)
        self._checksums[path.name] = (stamp, checksum)
        return checksum

    def _read_later(self, path: Path, stamp: Stamp) -> None:
        if (path, stamp) not in self._waiting:
            self._waiting.append((path, stamp))
        if self._reader is None:
            # A daemon: a half-read image must not hold up the end of the process.
            self._reader = Thread(
                target=self._read_waiting, name="image checksums", daemon=True
            )
            self._reader.start()

    def _read_waiting(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._reader = None
                    return
                path, stamp = self._waiting[0]
            checksum = _checksum_if_same(path, stamp)
            with self._lock:
                self._waiting.popleft()
                self._checksums[path.name] = (stamp, checksum)


def _checksum_if_same(path: Path, stamp: Stamp) -> str:
    try:
        checksum = checksum_of(path)
        return checksum if stamp_of(path) == stamp else ""
    except (ValueError, OSError):
        return ""


def _reason(error: ValueError | OSError) -> str:
    told = error.strerror if isinstance(error, OSError) and error.strerror else error
    return " ".join(str(told).split())
