"""A guest's files in its definition: what it boots, its disk, its console.

Source: https://libvirt.org/formatdomain.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml.builder import E

from sundog.edges.libvirt.live.guest_files import CD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sundog.edges.libvirt.live.guest_files import GuestFiles

# lxml ships no types; an element by name.
Element = Any


def boot_elements(files: GuestFiles) -> Iterator[Element]:
    """Write what stands in ``<os>`` behind the type."""
    if files.kernel is None:
        return
    yield E.kernel(str(files.kernel))
    if files.ramdisk is not None:
        yield E.initrd(str(files.ramdisk))
    yield E.cmdline(files.command_line)


def device_elements(files: GuestFiles) -> Iterator[Element]:
    """Write the disk and the console, and leave out what a guest has by default."""
    if files.disk is not None:
        yield _disk(files.disk, files.disk_format, 0)
    if files.spare is not None:
        yield _disk(files.spare, files.spare_format, 1)
    # Without a screen nobody needs a tablet; libvirt would add the controller.
    yield E.controller(type="usb", index="0", model="none")
    yield E.serial(
        # ``virsh console`` speaks to the pty; all that was said is in the log, also
        # what a guest said before its memory was saved.
        E.log(file=str(files.console), append="on"),
        E.target(port="0"),
        type="pty",
    )
    # A balloon would take pages back that a device may write to.
    yield E.memballoon(model="none")


def _disk(path: Path, disk_format: str, number: int) -> Element:
    letter = "ab"[number]
    if disk_format == CD:
        return E.disk(
            E.driver(name="qemu", type="raw"),
            E.source(file=str(path)),
            E.target(dev=f"sd{letter}", bus="sata"),
            E.readonly(),
            type="file",
            device="cdrom",
        )
    return E.disk(
        E.driver(name="qemu", type=disk_format, discard="unmap"),
        E.source(file=str(path)),
        E.target(dev=f"vd{letter}", bus="virtio"),
        type="file",
        device="disk",
    )
