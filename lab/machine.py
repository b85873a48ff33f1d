"""The lab host as QEMU's arguments."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from lab.places import ROOT
from lab.topology import LAB, VFS, Cell, Model, distance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lab.places import Built, Place

# One emulating thread: with one for each CPU, boots hang when an igb is there.
_ACCELERATOR: Final = "tcg,thread=single,tb-size=1024"
_KERNEL_LINE: Final = (
    "console=ttyS0 loglevel=4 intel_iommu=on iommu=nopt"
    " mitigations=off audit=0 apparmor=0 random.trust_cpu=on"
)
DISK_BYTES: Final = 512 * 1024 * 1024


def in_place(built: Built, program: str, *words: str) -> list[str]:
    """Return a command of the tree's, run where it lies with its own loader."""
    libraries = built.tree / "usr/lib/x86_64-linux-gnu"
    loader = (str(libraries / "ld-linux-x86-64.so.2"), "--library-path", str(libraries))
    return [*loader, str(built.tree / program), *words]


def qemu(built: Built) -> list[str]:
    """Return QEMU with where it finds its firmware."""
    shared = built.tree / "usr/share"
    folders = ("-L", str(shared / "qemu"), "-L", str(shared / "seabios"))
    return in_place(built, "usr/bin/qemu-system-x86_64", *folders)


def arguments(built: Built, own: Place, port: int) -> list[str]:
    """Return all that follows QEMU's program; ``port`` leads to its port 8774."""
    pages = ",".join(f"{cell.id}:{cell.huge_pages}" for cell in LAB)
    return [
        *("-name", "sundog-lab", "-nodefaults", "-display", "none", "-no-reboot"),
        *(
            "-machine",
            "q35",
            "-accel",
            _ACCELERATOR,
            "-cpu",
            "max,la57=off,l3-cache=off",
        ),
        *_cells(LAB),
        *("-kernel", str(built.kernel), "-initrd", str(built.initrd)),
        *("-append", f"{_KERNEL_LINE} hugepagesz=2M hugepages={pages}"),
        *("-device", "intel-iommu,intremap=on,caching-mode=on,aw-bits=48"),
        *_disk("debian", built.debian, "readonly=on"),
        *_disk("layer", built.layer, "readonly=on"),
        *_disk("kept", own.disk, "cache=unsafe"),
        *_folder("lab", built.share),
        *_folder("own", own.folder / "share"),
        *_folder("sundog", ROOT, "readonly=on"),
        *("-netdev", f"user,id=front,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:8774"),
        *("-device", "virtio-net-pci,netdev=front,bus=pcie.0,romfile="),
        *("-serial", f"file:{own.console}"),
        *("-monitor", f"unix:{own.monitor},server=on,wait=off"),
        *("-device", "virtio-serial-pci,bus=pcie.0"),
        *("-chardev", f"socket,id=agent,path={own.agent},server=on,wait=off"),
        *("-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"),
        *("-chardev", f"socket,id=shell,path={own.shell},server=on,wait=off"),
        *("-device", "virtconsole,chardev=shell"),
        *_functions(LAB),
    ]


def _cells(cells: Sequence[Cell]) -> Iterator[str]:
    sockets = len({cell.socket for cell in cells})
    cpus = sum(len(cell.cpus) for cell in cells)
    yield from (
        "-smp",
        f"{cpus},sockets={sockets},dies={len(cells) // sockets},cores=1,threads=2",
    )
    yield from ("-m", str(sum(cell.memory_mb for cell in cells)))
    for cell in cells:
        size = f"size={cell.memory_mb}M"
        yield from ("-object", f"memory-backend-ram,id=memory{cell.id},{size}")
        cpus_of = ",".join(f"cpus={cpu}" for cpu in cell.cpus)
        numa = f"node,nodeid={cell.id},memdev=memory{cell.id},{cpus_of}"
        yield from ("-numa", numa)
    for one in cells:
        for other in cells:
            path = f"src={one.id},dst={other.id},val={distance(one, other)}"
            yield from ("-numa", f"dist,{path}")


def _disk(name: str, path: Path, option: str) -> Iterator[str]:
    # Without a bus QEMU would put it behind an expander bus.
    yield from ("-drive", f"file={path},if=none,id={name},format=raw,{option}")
    yield from ("-device", f"virtio-blk-pci,drive={name},serial={name},bus=pcie.0")


def _folder(tag: str, path: Path, *options: str) -> Iterator[str]:
    parts = (f"local,id={tag},path={path}", "security_model=none", *options)
    yield from ("-fsdev", ",".join((*parts, "multidevs=remap")))
    yield from ("-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag},bus=pcie.0")


def _functions(cells: Sequence[Cell]) -> Iterator[str]:
    numbers = count(1)
    for cell in cells:
        expander = f"pxb-pcie,id=cell{cell.id},bus=pcie.0,bus_nr={cell.bus}"
        yield from ("-device", f"{expander},numa_node={cell.id}")
        for place, model in enumerate(cell.functions):
            port = f"port{cell.id}{place}"
            slot = f"chassis={next(numbers)},slot={place},addr={place:x}.0"
            yield from (
                "-device",
                f"pcie-root-port,id={port},bus=cell{cell.id},{slot}",
            )
            yield from _function(model, port)


def _function(model: Model, port: str) -> Iterator[str]:
    if model is Model.NIC:
        yield from ("-netdev", f"user,id={port}net,restrict=on")
        yield from ("-device", f"igb,bus={port},netdev={port}net,romfile=")
    elif model is Model.SRIOV_CARD:
        vfs, _ = VFS[model]
        # Each VF needs a pair of queues and an interrupt, beside the PF's own.
        yield from ("-device", f"nvme-subsys,id={port}sub,nqn={port}")
        queues = f"sriov_vq_flexible={2 * vfs},sriov_vi_flexible={vfs}"
        sizes = f"max_ioqpairs={3 * vfs},msix_qsize={2 * vfs}"
        card = f"nvme,serial={port},bus={port},subsys={port}sub"
        yield from ("-device", f"{card},sriov_max_vfs={vfs},{queues},{sizes}")
    else:
        yield from ("-device", f"{model.value},bus={port}")
