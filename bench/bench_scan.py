"""A scan of a real host: what it costs us, beside asking each device anew.

The host is libvirt's own test driver in this process, with a folder for sysfs, so that
the figures hold our own time and hardly any of a daemon's. Beside the seconds stands
how often libvirt is called for devices, which on a real host is a round trip each.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import UUID

from bench.table import Row, progress, show, shown, times

from sundog.edges.libvirt import node_devices
from sundog.edges.libvirt.host_reader import HostIdentity, LibvirtHostReader
from sundog.edges.libvirt.live.device_watch import DeviceWatch
from sundog.edges.libvirt.live.kernel import LibvirtKernel
from sundog.edges.libvirt.live.lasting_connection import LastingConnection
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host
from sundog.edges.sysfs.device_files import DeviceFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bench.table import Say

VFS_OF_EACH_NIC: Final = 120
WORK: Final = "scan a real host"


class Counting(LastingConnection):
    """A connection that counts the calls for devices."""

    calls: ClassVar[Counter[str]] = Counter()

    def listAllDevices(self, flags: int) -> list[Any]:  # noqa: N802  libvirt's name
        """List devices, each of which counts when it is asked for its document."""
        self.calls["list"] += 1
        return [_Counted(each) for each in self._alive().listAllDevices(flags)]


@dataclass(frozen=True)
class _Counted:
    device: Any

    def name(self) -> str:
        name: str = self.device.name()
        return name

    def XMLDesc(self) -> str:  # noqa: N802  libvirt's name
        Counting.calls["document"] += 1
        text: str = self.device.XMLDesc()
        return text


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A host to scan, and what changes on it."""

    reader: LibvirtHostReader
    connection: Counting
    functions: int
    touch: Callable[[], object]

    def plainly(self) -> object:
        """Scan as if nothing were known: list the devices, and ask each of them."""
        devices = self.connection.listAllDevices(0)
        return node_devices.read_node_devices([each.XMLDesc() for each in devices])


def main() -> None:
    show(rows(progress()), "Scanning a host")


def rows(
    say: Say, vfs_of_each_nic: int = VFS_OF_EACH_NIC, rounds: int = 30
) -> Iterator[Row]:
    """Measure a scan where nothing changed, where one card did, and the plain way."""
    say("scans of a real host")
    with tempfile.TemporaryDirectory() as folder:
        scene = _scene(Path(folder), vfs_of_each_nic)
        scene.reader.scan()
        plain, asked = _measure(scene.plainly, rounds, _forget)
        size = f"{scene.functions} functions"
        for name, before in (
            ("nothing changed", lambda: None),
            ("one card changed", scene.touch),
        ):
            ours, calls = _measure(scene.reader.scan, rounds, before)
            yield Row(
                work=WORK,
                size=f"{size}, {name}",
                ours=f"{shown(ours)}, {calls} calls",
                ratio=times(plain, ours),
            )
        yield Row(
            work=WORK,
            size=f"{size}, each asked anew",
            ours=f"{shown(plain)}, {asked} calls",
        )


def _measure(
    scan: Callable[[], object], rounds: int, before: Callable[[], object]
) -> tuple[float, int]:
    """Return the median of a scan's seconds, and how many calls the last made."""
    seconds = []
    for _ in range(rounds):
        before()
        Counting.calls.clear()
        start = time.perf_counter()
        scan()
        seconds.append(time.perf_counter() - start)
    return median(seconds), Counting.calls.total()


def _forget() -> None:
    """Make the next reading of each document the first."""
    node_devices.read_node_device.cache_clear()


def _scene(folder: Path, vfs_of_each_nic: int) -> Scene:
    model = read_host_file(shipped_host("two-socket-8-cards"))
    cards = tuple(
        replace(
            card,
            vfs=replace(card.vfs, count=vfs_of_each_nic, at_boot=vfs_of_each_nic),
        )
        if card.vfs
        else card
        for card in model.cards
    )
    kernel = SimulatedKernel(replace(model, cards=cards))
    counts = list(_files(kernel, folder / "root"))
    connection = Counting(write_test_host(kernel, folder))
    connection.version()
    files = DeviceFiles(folder / "root")
    real = _WithCells(connection, files, DeviceWatch(0.0))
    real.told = kernel.capabilities()
    numbers = iter(range(1, 10**9))
    return Scene(
        reader=LibvirtHostReader(HostIdentity(name="a", uuid=UUID(int=1)), real),
        connection=connection,
        functions=len(kernel.functions()),
        touch=lambda: counts[0].write_text(str(next(numbers))),
    )


class _WithCells(LibvirtKernel):
    """The test driver tells no cells when it is given devices."""

    told = ""

    def capabilities(self) -> str:
        return self.told


def _files(kernel: SimulatedKernel, root: Path) -> Iterable[Path]:
    """Lay out what a scan reads of sysfs; yield the counts of types."""
    for path, text in (
        ("proc/sys/kernel/random/boot_id", kernel.boot_id()),
        ("proc/stat", "btime 1\n"),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for function in kernel.functions():
        folder = root / "sys/bus/pci/devices" / str(function.address)
        folder.mkdir(parents=True)
        if function.driver:
            (folder / "driver").symlink_to(f"../../drivers/{function.driver}")
        for type_id, available in function.available:
            file = folder / "mdev_supported_types" / type_id / "available_instances"
            file.parent.mkdir(parents=True)
            file.write_text(str(available))
            described = kernel.type_description(function.address, type_id)
            (file.parent / "description").write_text(described)
            yield file


if __name__ == "__main__":
    main()
