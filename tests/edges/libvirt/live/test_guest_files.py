"""A guest's files are copied from images, kept while it lives, and removed with it."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import libvirt
import pytest
from lxml import etree

from sundog.core.errors import HostRefusedError, NotFoundError
from sundog.core.guest_config import BootSource, GuestConfig
from sundog.edges.libvirt.connection import Connection, open_connection
from sundog.edges.libvirt.guest_xml import QEMU, TEST_DRIVER, guest_xml
from sundog.edges.libvirt.guests import LibvirtGuests
from sundog.edges.libvirt.live.guest_files import GuestFolders
from sundog.edges.libvirt.live.qcow2 import virtual_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE = UUID(int=1)
GIB = 1 << 30


def qcow2(size: int, version: int = 3, backing: int = 0, features: int = 0) -> bytes:
    """Write the head of a qcow2 image, which is all that is read of it here."""
    head = struct.pack(">4sIQIIQ", b"QFI\xfb", version, backing, 0, 16, size)
    return head.ljust(72, b"\0") + struct.pack(">Q", features) + bytes(24)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Lay out a folder with an image of each format, named after it."""
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "raw").write_bytes(b"a raw disk" * 100)
    (folder / "qcow2").write_bytes(qcow2(2 * GIB))
    for name in ("iso", "aki", "ari"):
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture
def folders(images: Path, tmp_path: Path) -> GuestFolders:
    """Keep guests' files beside the images."""

    def find(image_id: str) -> tuple[Path, str]:
        if not (images / image_id).exists() or not image_id:
            raise NotFoundError(f"No image found with ID {image_id}")
        return images / image_id, image_id

    return GuestFolders(tmp_path / "instances", find)


def config(**boot: str | int) -> GuestConfig:
    return GuestConfig(
        uuid=ONE,
        name=f"sundog-{ONE}",
        server_name="s",
        flavor_name="f",
        memory_mb=64,
        vcpus=1,
        boot=BootSource(**boot),  # type: ignore[arg-type]  # a test says what fits
    )


def names(tmp_path: Path) -> set[str]:
    folder = tmp_path / "instances" / str(ONE)
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_a_raw_disk_is_as_large_as_the_flavor_says(
    folders: GuestFolders, images: Path
) -> None:
    """The image is at its beginning; a second start finds what the guest wrote."""
    files = folders.prepare(config(image_id="raw", disk_gb=1))
    assert files.disk is not None
    assert files.disk.stat().st_size == GIB
    assert files.disk.stat().st_blocks < 100  # it takes no more room than it must
    text = (images / "raw").read_bytes()
    with files.disk.open("r+b") as disk:
        assert disk.read(len(text)) == text
        disk.seek(0)
        disk.write(b"written by the guest")
    again = folders.prepare(config(image_id="raw", disk_gb=1))
    assert again == files
    assert files.disk.read_bytes()[:20] == b"written by the guest"
    assert (images / "raw").read_bytes() == text


def test_a_disk_grows_with_its_flavor_and_never_shrinks(folders: GuestFolders) -> None:
    """A resized server keeps what it wrote."""
    sizes = []
    for gib in (1, 2, 1):
        disk = folders.prepare(config(image_id="raw", disk_gb=gib)).disk
        assert disk is not None
        sizes.append(disk.stat().st_size // GIB)
        with disk.open("r+b") as file:
            assert not sizes[1:] or file.read(3) == b"new"
            file.seek(0)
            file.write(b"new")
    assert sizes == [1, 2, 2]


def test_without_a_size_the_disk_is_the_images(folders: GuestFolders) -> None:
    """A flavor with no disk takes the image as it is, a CD never grows."""
    files = folders.prepare(config(image_id="qcow2"))
    assert files.disk is not None
    assert (files.disk_format, files.disk.stat().st_size) == ("qcow2", 104)
    folders.remove(ONE)
    files = folders.prepare(config(image_id="iso", disk_gb=1))
    assert files.disk is not None
    assert files.disk.stat().st_size == 3


def test_a_kernel_is_booted_without_a_boot_loader(folders: GuestFolders) -> None:
    """Either the image is a kernel, or it names one (Nova's ``kernel_id``)."""
    alone = folders.prepare(config(image_id="aki", command_line="quiet"))
    assert (alone.disk, alone.ramdisk, alone.command_line) == (None, None, "quiet")
    assert alone.kernel is not None
    assert alone.kernel.read_text() == "aki"
    folders.remove(ONE)
    both = folders.prepare(config(image_id="raw", kernel_id="aki", ramdisk_id="ari"))
    assert both.kernel is not None
    assert both.ramdisk is not None
    assert both.ramdisk.read_text() == "ari"
    assert both.command_line.startswith("root=/dev/vda ")


@pytest.mark.parametrize(
    ("boot", "reason"),
    [
        ({"image_id": "gone"}, "No image found with ID gone"),
        ({"image_id": "raw", "kernel_id": "gone"}, "No image found with ID gone"),
        ({"image_id": "qcow2", "disk_gb": 1}, "disk of 1 GiB is less than the image"),
    ],
)
def test_what_cannot_be_prepared_leaves_nothing(
    folders: GuestFolders, tmp_path: Path, boot: dict[str, str | int], reason: str
) -> None:
    with pytest.raises(HostRefusedError, match=f"^the guest's files: .*{reason}"):
        folders.prepare(config(**boot))
    assert names(tmp_path) == set()


@pytest.mark.parametrize("image", ["raw", "qcow2", "aki"])
def test_a_guest_starts_again_when_its_image_is_gone(
    folders: GuestFolders, images: Path, tmp_path: Path, image: str
) -> None:
    """All that it needs is its own; the format is not guessed from what it wrote."""
    first = folders.prepare(config(image_id=image, ramdisk_id="ari"))
    (images / image).unlink()
    (images / "ari").unlink()
    if image == "raw" and first.disk is not None:
        first.disk.write_bytes(qcow2(GIB, backing=1))
    assert folders.prepare(config(image_id=image, ramdisk_id="ari")) == first
    folders.remove(ONE)
    folders.remove(ONE)
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (qcow2(GIB, backing=512), "needs a further file"),
        (qcow2(GIB, features=4), "needs a further file"),
        (b"QFI\xfb", "is cut short"),
        (qcow2(GIB)[:73], "is cut short"),
        (b"x" * 104, "is no qcow2 image"),
    ],
)
def test_an_image_that_names_another_file_is_refused(
    tmp_path: Path, head: bytes, reason: str
) -> None:
    """A guest could read any file of the host through it."""
    (tmp_path / "disk.qcow2").write_bytes(head)
    with pytest.raises(ValueError, match=reason):
        virtual_size(tmp_path / "disk.qcow2")


def test_an_older_qcow2_has_no_features(tmp_path: Path) -> None:
    (tmp_path / "disk.qcow2").write_bytes(qcow2(GIB, version=2)[:72])
    assert virtual_size(tmp_path / "disk.qcow2") == GIB


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Open libvirt's test driver."""
    connection = open_connection("test:///default")
    yield connection
    connection.close()


@pytest.mark.parametrize("image", ["raw", "qcow2", "iso", "aki"])
def test_a_guests_files_are_libvirts_language(
    folders: GuestFolders, connection: Connection, image: str
) -> None:
    """Disk, kernel and the console's log come back as they were written."""
    wanted = config(image_id=image, ramdisk_id="ari")
    files = folders.prepare(wanted)
    domain = connection.defineXMLFlags(
        guest_xml(wanted, TEST_DRIVER, files), libvirt.VIR_DOMAIN_DEFINE_VALIDATE
    )
    root = etree.fromstring(domain.XMLDesc())
    domain.undefine()
    log = root.find("devices/serial/log")
    assert (log.get("file"), log.get("append")) == (str(files.console), "on")
    source = root.find("devices/disk/source")
    assert (source is None) == (image == "aki")
    if source is not None:
        assert source.get("file") == str(files.disk)
        kind = "raw" if image == "iso" else image
        assert root.find("devices/disk/driver").get("type") == kind
    kernel = root.findtext("os/kernel")
    assert kernel == (str(files.kernel) if files.kernel else None)


def test_a_guest_has_neither_screen_nor_balloon(folders: GuestFolders) -> None:
    """A balloon would take back pages that a device writes to."""
    wanted = config(image_id="raw")
    root = etree.fromstring(guest_xml(wanted, QEMU, folders.prepare(wanted)))
    assert root.find("devices/graphics") is None
    assert root.find("devices/memballoon").get("model") == "none"
    assert root.find("devices/controller[@type='usb']").get("model") == "none"


def test_files_live_as_long_as_their_guest(
    folders: GuestFolders, connection: Connection, tmp_path: Path
) -> None:
    """They are there from the first start until the guest is removed for good."""
    guests = LibvirtGuests(connection, TEST_DRIVER, folders=folders)
    guests.start(config(image_id="raw"))
    assert names(tmp_path) == {"disk", "disk.format"}
    guests.power_off(ONE)
    assert names(tmp_path) == {"disk", "disk.format"}
    guests.start(config(image_id="raw"))
    guests.stop(ONE)
    assert names(tmp_path) == set()


def test_a_guest_that_cannot_start_leaves_no_new_files(
    folders: GuestFolders, connection: Connection, tmp_path: Path
) -> None:
    """But a disk that was there before stays, with what its user wrote."""
    guests = LibvirtGuests(connection, TEST_DRIVER, folders=folders)
    unlawful = GuestConfig(
        uuid=ONE,
        name="",
        server_name="s",
        flavor_name="f",
        memory_mb=64,
        vcpus=1,
        boot=BootSource(image_id="raw"),
    )
    with pytest.raises(HostRefusedError, match="refused the guest's definition"):
        guests.start(unlawful)
    assert names(tmp_path) == set()
    folders.prepare(unlawful)
    with pytest.raises(HostRefusedError, match="refused the guest's definition"):
        guests.start(unlawful)
    assert names(tmp_path) == {"disk", "disk.format"}


def test_the_end_of_a_console_is_read(folders: GuestFolders, tmp_path: Path) -> None:
    """No file is no console; of a long one the last 100 KiB are told.

    Also where libvirt has just begun another file.
    """
    assert folders.console(ONE) is None
    log = tmp_path / "instances" / str(ONE) / "console.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"x" * 200000 + b"\xff\nlogin: ")
    said = folders.console(ONE) or ""
    assert said.endswith("\ufffd\nlogin: ")
    assert len(said) == 102400
    log.rename(log.with_name("console.log.0"))
    assert folders.console(ONE) == said
    log.write_text("root\n")
    said = folders.console(ONE) or ""
    assert said.endswith("\ufffd\nlogin: root\n")
    assert len(said) == 102400
    log.unlink()
    log.mkdir()
    with pytest.raises(HostRefusedError, match="console cannot be read"):
        folders.console(ONE)


def test_a_console_begins_with_its_guest(
    folders: GuestFolders, connection: Connection, tmp_path: Path
) -> None:
    """A start begins it anew; saved memory goes on with what was said before."""
    guests = LibvirtGuests(connection, TEST_DRIVER, folders=folders)
    guests.start(config(image_id="raw"))
    log = tmp_path / "instances" / str(ONE) / "console.log"
    log.write_text("login: ")
    log.with_name("console.log.0").write_text("booting\n")
    guests.save(ONE)
    guests.restore(ONE)
    assert folders.console(ONE) == "booting\nlogin: "
    guests.power_off(ONE)
    assert folders.console(ONE) == "booting\nlogin: "
    guests.start(config(image_id="raw"))
    assert folders.console(ONE) is None
    guests.power_off(ONE)
    log.mkdir()
    with pytest.raises(HostRefusedError, match="console cannot be removed"):
        guests.start(config(image_id="raw"))
    guests.stop(ONE)


def test_a_guest_that_was_taken_away_starts_from_the_image_again(
    folders: GuestFolders, connection: Connection
) -> None:
    """As a rebuild wants it: what it wrote is gone with it."""
    guests = LibvirtGuests(connection, TEST_DRIVER, folders=folders)
    wanted = config(image_id="raw")
    guests.start(wanted)
    disk = folders.prepare(wanted).disk
    assert disk is not None
    disk.write_text("written by the guest")
    guests.stop(ONE)
    guests.start(config(image_id="aki"))
    kernel = folders.prepare(config(image_id="aki")).kernel
    assert not disk.exists()
    assert kernel is not None
    guests.stop(ONE)


def test_of_a_removal_that_was_cut_off_nothing_is_the_guests(
    folders: GuestFolders, tmp_path: Path
) -> None:
    """It starts from the image again, and the next removal takes the rest."""
    wanted = config(image_id="raw", disk_gb=1)
    folders.prepare(wanted)
    instances = tmp_path / "instances"
    cut_off = (instances / str(ONE)).rename(instances / f"{ONE}.gone")
    (cut_off / "disk").unlink()
    assert not folders.there(ONE)
    disk = folders.prepare(wanted).disk
    assert disk is not None
    assert disk.read_bytes().startswith(b"a raw disk")
    folders.remove(ONE)
    assert list(instances.iterdir()) == []


def test_what_cannot_be_removed_stays_whole(
    folders: GuestFolders, tmp_path: Path
) -> None:
    folders.prepare(config(image_id="raw"))
    (tmp_path / "instances" / f"{ONE}.gone").write_text("in the way")
    with pytest.raises(HostRefusedError, match="files cannot be removed"):
        folders.remove(ONE)
    assert names(tmp_path) == {"disk", "disk.format"}


def test_a_rescued_guest_has_its_own_disk_second(
    folders: GuestFolders, tmp_path: Path
) -> None:
    """What it is rescued with is made anew each time, and gone afterwards."""
    own = config(image_id="raw", disk_gb=1)
    folders.prepare(own)
    folder = tmp_path / "instances" / str(own.uuid)
    (folder / "disk").write_bytes(b"what the guest wrote")
    rescue = BootSource(image_id="qcow2", kernel_id="aki")
    rescued = replace(own, boot=replace(own.boot, disk_gb=0, rescue=rescue))
    for _ in range(2):
        files = folders.prepare(rescued)
        apart = folder / "rescue"
        assert (files.disk, files.spare) == (apart / "disk", folder / "disk")
        assert files.console == folder / "console.log"
        assert (files.disk_format, files.spare_format) == ("qcow2", "raw")
        assert files.kernel == apart / "kernel"
        assert (apart / "disk").read_bytes()[:4] == b"QFI\xfb"
        (apart / "disk").write_bytes(b"scratched")
    root = etree.fromstring(guest_xml(rescued, QEMU, files))
    targets = [
        (disk.find("target").get("dev"), disk.find("source").get("file"))
        for disk in root.iterfind("devices/disk")
    ]
    assert targets == [("vda", str(files.disk)), ("vdb", str(files.spare))]
    folders.prepare(replace(own, boot=replace(own.boot, disk_gb=0)))
    assert {path.name for path in folder.iterdir()} == {"disk", "disk.format"}
    assert (folder / "disk").read_bytes() == b"what the guest wrote"
