"""A folder of image files, served as images."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from sundog.core.errors import NotFoundError
from sundog.edges.images.image_folder import ImageFolder

if TYPE_CHECKING:
    from pathlib import Path

QCOW2 = b"QFI\xfb\x00\x00\x00\x03"
LARGE = (16 << 20) + 1


def problems_of(folder: ImageFolder) -> dict[str, str]:
    """Return the reasons by file name."""
    return {told.where.rpartition("/")[2]: told.reason for told in folder.problems}


def test_an_image_is_told_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "tiny.img").write_bytes(b"boot me")
    os.utime(tmp_path / "tiny.img", (1_750_000_000, 1_750_000_000))
    (image,) = ImageFolder(tmp_path).list()
    assert (image.name, image.size, image.disk_format) == ("tiny", 7, "raw")
    assert image.checksum == hashlib.md5(b"boot me", usedforsecurity=False).hexdigest()
    assert image.created.isoformat() == "2025-06-15T15:06:40+00:00"
    assert image.updated == image.created
    assert (image.min_disk_gb, image.min_ram_mb, image.properties) == (0, 0, {})


def test_the_id_follows_from_the_file_name(tmp_path: Path) -> None:
    ids = set()
    for content in (b"one", b"another"):
        (tmp_path / "tiny.img").write_bytes(content)
        ids |= {image.id for image in ImageFolder(tmp_path).list()}
    assert len(ids) == 1
    (tmp_path / "tiny.iso").write_bytes(b"one")
    assert len({image.id for image in ImageFolder(tmp_path).list()} | ids) == 2


def test_properties_stand_beside_the_image(tmp_path: Path) -> None:
    (tmp_path / "tiny.img").write_bytes(b"")
    (tmp_path / "tiny.img.properties.toml").write_text(
        """
        id = "12345678123456781234567812345678"
        name = "Tiny Linux"
        min_ram = 64
        min_disk = 2
        [properties]
        hw_numa_nodes = 2
        hw_pci_numa_affinity_policy = "required"
        img_hide = true
        """
    )
    folder = ImageFolder(tmp_path)
    image = folder.get(str(UUID("12345678123456781234567812345678")))
    assert image.name == "Tiny Linux"
    assert (image.min_ram_mb, image.min_disk_gb) == (64, 2)
    assert image.properties == {
        "hw_numa_nodes": "2",
        "hw_pci_numa_affinity_policy": "required",
        "img_hide": "true",
    }


def test_images_are_listed_by_name_and_other_files_are_not(tmp_path: Path) -> None:
    for name in ("c.iso", "a.raw", "notes.txt", "README"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "b.qcow2").write_bytes(QCOW2)
    folder = ImageFolder(tmp_path)
    told = [(image.name, image.disk_format) for image in folder.list()]
    assert told == [("a", "raw"), ("b", "qcow2"), ("c", "iso")]
    assert folder.problems == []


def test_a_qcow2_is_known_by_how_it_begins(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(QCOW2)
    assert [image.disk_format for image in ImageFolder(tmp_path).list()] == ["qcow2"]


def test_an_unknown_image_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "tiny.img").write_bytes(b"x")
    with pytest.raises(NotFoundError, match="No image found with ID none"):
        ImageFolder(tmp_path).get("none")


def test_changes_of_the_folder_are_seen(tmp_path: Path) -> None:
    folder = ImageFolder(tmp_path / "later")
    assert folder.list() == []
    assert [told.reason for told in folder.problems] == ["No such file or directory"]
    (tmp_path / "later").mkdir()
    path = tmp_path / "later" / "a.img"
    path.write_bytes(b"one")
    first = folder.list()
    assert folder.list() == first
    path.write_bytes(b"other")
    assert [image.size for image in folder.list()] == [5]
    (tmp_path / "later" / "a.img.properties.toml").write_text("min_ram = 1")
    assert [image.min_ram_mb for image in folder.list()] == [1]
    path.unlink()
    assert folder.list() == []
    assert problems_of(folder) == {
        "a.img.properties.toml": "there is no image a.img beside it"
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("min_ram = -1", "min_ram = -1 is not a whole number from 0 on"),
        ("min_ram = true", "min_ram = True is not a whole number from 0 on"),
        ("name = 1", "name = 1 is not text"),
        ("id = 'one'", "id = 'one' is not a UUID; remove it to get one"),
        ("min_rams = 1", "unknown key 'min_rams'; did you mean min_ram?"),
        ("x = 1", "unknown key 'x'; known: ('id', 'name', 'min_disk', 'min_ram',"),
        ("properties = 1", "properties = 1 is not a table; write [properties]"),
        ("properties.a = [1]", "properties.a = [1] is not text or a number"),
        ("min_ram =", "Invalid value (at end of document)"),
        ("a = " + "[" * 100_000, "is nested too deeply"),
        ("\udcff", "'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_an_image_whose_properties_are_bad_is_told_not_offered(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "good.img").write_bytes(b"x")
    (tmp_path / "a.img").write_bytes(b"x")
    properties = tmp_path / "a.img.properties.toml"
    properties.write_bytes(text.encode(errors="surrogateescape"))
    folder = ImageFolder(tmp_path)
    assert [image.name for image in folder.list()] == ["good"]
    (told,) = problems_of(folder).values()
    assert told.startswith(f"a.img.properties.toml: {reason}")
    assert "\n" not in told


def test_files_that_are_no_images_are_told_not_opened(tmp_path: Path) -> None:
    (tmp_path / "folder.img").mkdir()
    (tmp_path / "lost.img").symlink_to(tmp_path / "nowhere")
    (tmp_path / "false.qcow2").write_bytes(b"raw")
    (tmp_path / "hidden.raw").write_bytes(QCOW2)
    (tmp_path / "loop.img").symlink_to(tmp_path / "loop.img")
    os.mkfifo(tmp_path / "pipe.img")
    folder = ImageFolder(tmp_path)
    assert folder.list() == []
    assert problems_of(folder) == {
        "folder.img": "is not a regular file",
        "lost.img": "No such file or directory",
        "false.qcow2": "is named .qcow2, but does not begin like one",
        "hidden.raw": "is a qcow2 image inside; name it .qcow2",
        "loop.img": "Too many levels of symbolic links",
        "pipe.img": "is not a regular file",
    }


def test_an_id_is_given_to_one_image_only(tmp_path: Path) -> None:
    for name in ("a.img", "b.img"):
        (tmp_path / name).write_bytes(b"x")
        (tmp_path / f"{name}.properties.toml").write_text(f"id = '{UUID(int=1)}'")
    folder = ImageFolder(tmp_path)
    assert [image.name for image in folder.list()] == ["a"]
    assert problems_of(folder) == {
        "b.img": f"has the id {UUID(int=1)} of another image; give it its own"
    }


def test_a_large_image_is_listed_before_its_checksum_is_known(tmp_path: Path) -> None:
    for name in ("a.img", "b.img"):
        (tmp_path / name).touch()
        os.truncate(tmp_path / name, LARGE)
    folder = ImageFolder(tmp_path)
    assert [image.checksum for image in folder.list()] == ["", ""]
    expected = hashlib.md5(bytes(LARGE), usedforsecurity=False).hexdigest()
    deadline = time.monotonic() + 20
    while {image.checksum for image in folder.list()} != {expected}:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_large_image_that_vanishes_leaves_no_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.img"
    path.touch()
    os.truncate(path, LARGE)
    folder = ImageFolder(tmp_path)
    assert [image.checksum for image in folder.list()] == [""]
    path.unlink()
    assert folder.list() == []
