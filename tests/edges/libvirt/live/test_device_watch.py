"""Devices are read once, and then again only when their reading may have changed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.libvirt.connection import open_connection
from sundog.edges.libvirt.live.device_watch import DeviceWatch, place_of
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

GPU = PciAddress.parse("0000:17:00.0")
ONE = UUID(int=1)


class _Device:
    """A node device of a real connection; its document is counted and may be lost."""

    def __init__(self, device: Any, watched: Watched) -> None:
        self._device = device
        self._watched = watched

    def name(self) -> str:
        name: str = self._device.name()
        return name

    def XMLDesc(self) -> str:  # noqa: N802  libvirt's name
        self._watched.read[self.name()] += 1
        for heard in self._watched.changing.pop(self.name(), []):
            heard(self._watched, self, 0, None)
        if self.name() in self._watched.lost:
            return str(self._watched.connection.nodeDeviceLookupByName("x").XMLDesc())
        text: str = self._device.XMLDesc()
        return text

    def destroy(self) -> None:
        # The test driver destroys vHBAs only.
        self._watched.destroyed.append(self.name())


class Watched:
    """A connection on which devices may not be listed yet, or be lost meanwhile.

    ``heard`` are the callbacks for events, which libvirt's test driver never sends
    for the devices that it was given. ``changing`` are those heard of while a device's
    document is on its way.
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.read: Counter[str] = Counter()
        self.lists = 0
        self.late: dict[str, int] = {}
        self.lost: set[str] = set()
        self.changing: dict[str, list[Callable[..., None]]] = {}
        self.destroyed: list[str] = []
        self.heard: list[Callable[..., None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def listAllDevices(self, flags: int) -> list[_Device]:  # noqa: N802  libvirt's name
        found = self.connection.listAllDevices(flags)
        self.lists += 1
        return [
            _Device(each, self)
            for each in found
            if self.lists > self.late.get(each.name(), 0)
        ]

    def nodeDeviceEventRegisterAny(  # noqa: N802  libvirt's name
        self, _device: None, _event: int, heard: Callable[..., None], _opaque: None
    ) -> None:
        self.heard.append(heard)


@pytest.fixture
def kernel() -> SimulatedKernel:
    """Boot a small host with one mdev."""
    kernel = SimulatedKernel(read_host_file(shipped_host("small")))
    kernel.create_mdev(GPU, "nvidia-230", ONE)
    return kernel


@pytest.fixture
def connection(kernel: SimulatedKernel, tmp_path: Path) -> Watched:
    """Open libvirt's test driver with that host's devices."""
    return Watched(open_connection(write_test_host(kernel, tmp_path)))


@pytest.fixture
def watch(connection: Watched) -> DeviceWatch:
    """Watch that host, and wait for half a second at most."""
    watch = DeviceWatch(0.5)
    watch.follow(connection)
    connection.lists = 0
    return watch


def stamps(kernel: SimulatedKernel) -> dict[PciAddress, object]:
    return {each.address: "as it was" for each in kernel.functions()}


def names(texts: Sequence[str]) -> set[str]:
    return {text.partition("<name>")[2].partition("</name>")[0] for text in texts}


def test_one_call_lists_the_host_and_a_second_scan_asks_no_device(
    watch: DeviceWatch, connection: Watched, kernel: SimulatedKernel
) -> None:
    """Each document is asked for once as long as nothing changed."""
    first = watch.documents(connection, stamps(kernel), frozenset({ONE}))
    assert len(first) == len(connection.read) == len(kernel.functions()) + 1
    assert watch.documents(connection, stamps(kernel), frozenset({ONE})) == first
    assert connection.lists == 2
    assert set(connection.read.values()) == {1}


def test_what_changed_is_asked_for_again(
    watch: DeviceWatch, connection: Watched, kernel: SimulatedKernel
) -> None:
    """By the kernel's stamp, by an event, and after a new connection."""
    watch.documents(connection, stamps(kernel), frozenset({ONE}))
    changed = stamps(kernel) | {GPU: "fewer mdevs"}
    watch.documents(connection, changed, frozenset({ONE}))
    assert connection.read[GPU.node_device] == 2
    for heard in connection.heard:
        heard(connection, connection.nodeDeviceLookupByName(GPU.node_device), 0, None)
    watch.documents(connection, changed, frozenset({ONE}))
    assert connection.read[GPU.node_device] == 3
    assert sum(connection.read.values()) == len(connection.read) + 2
    watch.follow(connection)
    watch.documents(connection, changed, frozenset({ONE}))
    assert sum(connection.read.values()) == 2 * len(connection.read) + 2


def test_what_changes_while_it_is_read_is_asked_for_again(
    watch: DeviceWatch, connection: Watched, kernel: SimulatedKernel
) -> None:
    """The document that is on its way then may be of before."""
    connection.changing = {GPU.node_device: connection.heard}
    watch.documents(connection, stamps(kernel), frozenset({ONE}))
    assert connection.read[GPU.node_device] == 1
    watch.documents(connection, stamps(kernel), frozenset({ONE}))
    assert connection.read[GPU.node_device] == 2
    watch.documents(connection, stamps(kernel), frozenset({ONE}))
    assert connection.read[GPU.node_device] == 2


def test_libvirt_is_waited_for_when_it_lags(
    watch: DeviceWatch, connection: Watched, kernel: SimulatedKernel
) -> None:
    """A device that the kernel has and libvirt does not list yet comes a bit later."""
    connection.late = {GPU.node_device: 2}
    found = watch.documents(connection, stamps(kernel), frozenset({ONE}))
    assert GPU.node_device in names(found)
    connection.late = {GPU.node_device: 5}
    assert watch.find(connection, GPU.node_device)


def test_what_libvirt_never_tells_of_is_waited_for_once(
    watch: DeviceWatch, connection: Watched, kernel: SimulatedKernel
) -> None:
    """The scan goes on without it; the next does not wait, until something new."""
    strange = PciAddress.parse("0000:99:00.0")
    wanted = stamps(kernel) | {strange: ""}
    first = watch.documents(connection, wanted, frozenset({ONE}))
    assert strange.node_device not in names(first)
    waited = connection.lists
    assert waited > 2
    watch.documents(connection, wanted, frozenset({ONE}))
    assert connection.lists == waited + 1
    watch.documents(connection, wanted, frozenset({ONE, UUID(int=2)}))
    assert connection.lists > waited + 3


def test_what_the_kernel_has_no_more_is_left_out(
    watch: DeviceWatch, connection: Watched, kernel: SimulatedKernel
) -> None:
    """Libvirt still lists it; and one that goes while it is read is not told."""
    kept = stamps(kernel)
    del kept[GPU]
    assert GPU.node_device not in names(watch.documents(connection, kept, frozenset()))
    connection.lost = {GPU.node_device}
    found = watch.documents(connection, stamps(kernel), frozenset({ONE}))
    assert GPU.node_device not in names(found)
    assert len(found) == len(kernel.functions())


def test_a_removal_through_libvirt_of_what_is_not_there_is_enoent(
    watch: DeviceWatch, connection: Watched
) -> None:
    """As the kernel's own file would say it."""
    with pytest.raises(FileNotFoundError):
        watch.destroy_mdev(connection, UUID(int=7))
    watch.destroy_mdev(connection, ONE)
    assert [place_of(name) for name in connection.destroyed] == [ONE]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("pci_0000_17_00_0", GPU),
        (f"mdev_{ONE}".replace("-", "_"), ONE),
        (f"mdev_{ONE}_0000_17_00_0".replace("-", "_"), ONE),
        ("pci_x", None),
        ("mdev_x", None),
        ("net_eth0_52_54_00_00_00_01", None),
        ("computer", None),
    ],
)
def test_a_name_says_what_a_device_is(name: str, place: object) -> None:
    assert place_of(name) == place
