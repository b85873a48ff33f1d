"""The ground of stories in the lab: what a guest, libvirt and the kernel tell."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lab.topology import IDS, LAB, VFS, Model
from tests.lab.guest_report import Report, read_report
from tests.stories.devices.device_stories import cells_of

if TYPE_CHECKING:
    from uuid import UUID

    from tests.lab.lab_host import LabApi, LabHost

_SLICE: Final = "1234:5d06"
# What the guests here may be given; nothing else in them is of these products.
_HANDED: Final = (
    _SLICE,
    ":".join(IDS[Model.NIC]),
    f"{IDS[Model.NIC][0]}:{VFS[Model.NIC][1]}",
    ":".join(IDS[Model.PLAIN]),
)
_REPORT_SECONDS: Final = 600.0


@dataclass
class LabGround:
    """A lab host with Sundog in it."""

    host: LabHost

    @property
    def api(self) -> LabApi:
        """The service in the lab host."""
        return self.host.api

    def report(self, server: UUID | str, held: Counter[str]) -> Report:
        """Return what a guest tells, when it sees what it is to have, by product."""
        end = time.monotonic() + _REPORT_SECONDS
        while time.monotonic() < end:
            # As its user asks for it: what libvirt's log daemon wrote as root.
            said = self.api.act(server, "os-getConsoleOutput", {}, 200)["output"]
            report = read_report(said)
            seen = Counter(each.id for each in report.functions)
            if report.done and all(seen[each] == held[each] for each in _HANDED):
                return report
            time.sleep(3)
        raise AssertionError(f"the guest of {server} told no more than: {said}")

    def check_guest(self, server: UUID | str) -> None:
        """Hold what the guest and /proc tell against what its server holds."""
        devices = self.devices(server)
        held = Counter(
            _guest_id(device)
            for device in devices
            for each in device["holders"]
            if each["server_id"] == str(server)
        )
        report = self.report(server, held)
        topology = self.api.call("GET", f"/v2.1/servers/{server}/topology")
        assert report.cpus == sum(len(one["vcpu_set"]) for one in topology["nodes"])
        assert len(report.cells) == len(topology["nodes"])
        for device in devices:
            self._check_device(device, report, cells_of(self, server))
        self._check_threads(server, topology["nodes"])
        self._check_memory(server, topology["nodes"])

    def devices(self, server: UUID | str) -> list[dict[str, Any]]:
        """Return the rows of ``/v1/devices`` that a server holds."""
        rows = self.api.call("GET", "/v1/devices")["devices"]
        return [
            row["device"]
            for row in rows
            if str(server) in {each["server_id"] for each in row["device"]["holders"]}
        ]

    def _check_device(
        self, device: dict[str, Any], report: Report, cells: list[int]
    ) -> None:
        is_mdev = device["kind"] == "type-MDEV"
        seen = report.with_id(_guest_id(device))
        if is_mdev:
            address = device["address"]
            seen = [one for one in seen if one.facts["host-address"] == address]
            made = self.host.agent.read("ls /sys/bus/mdev/devices").split()
            assert {one.facts["uuid"] for one in seen} <= set(made)
            assert {one.facts["type"] for one in seen} == {device["type"]}
            nodes = {int(one.facts["host-node"]) for one in seen}
            assert nodes == set(device["numa_nodes"])
            assert {one.facts["memory"] for one in seen} == {"ok"}
        assert seen, report
        near = [at for at, cell in enumerate(cells) if cell in device["numa_nodes"]]
        # A device far from all of a guest's cells is on none of them.
        assert {one.cell for one in seen} <= set(near or [-1])
        # All ones are what a bus answers where nothing is.
        assert "ffffffff" not in {one.facts.get("status") for one in seen}

    def _check_threads(self, server: UUID | str, nodes: list[dict[str, Any]]) -> None:
        told = self.host.agent.read(
            f"for task in /proc/{self._process(server)}/task/*; do"
            " echo $(cat $task/comm): $(grep Cpus_allowed_list $task/status); done"
        )
        found = re.findall(r"CPU (\d+)/\w+: Cpus_allowed_list: (\S+)", told)
        pins = {vcpu: str(cpu) for node in nodes for vcpu, cpu in _pins(node).items()}
        assert {vcpu: cpus for vcpu, cpus in found if vcpu in pins} == pins

    def _check_memory(self, server: UUID | str, nodes: list[dict[str, Any]]) -> None:
        """Check that huge pages are used, bound to the cells and lying on them."""
        path = f"/proc/{self._process(server)}/numa_maps"
        maps = self.host.agent.read(f"grep qemu_back_mem {path}")
        bound = {int(cell) for cell in re.findall(r" bind:(\d+) ", maps)}
        lying = {int(cell) for cell in re.findall(r" N(\d+)=", maps)}
        assert bound == lying == {node["host_node"] for node in nodes}, maps
        assert maps.count("kernelpagesize_kB=2048") == len(maps.splitlines())
        pages = sum(int(count) for count in re.findall(r" N\d+=(\d+)", maps))
        assert pages * 2 == sum(node["memory_mb"] for node in nodes)

    def _process(self, server: UUID | str) -> int:
        name = f"sundog-{server}"
        return int(self.host.agent.read(f"cat /run/libvirt/qemu/{name}.pid"))

    def check_agreement(self) -> None:
        """Ask Sundog's audit, and the kernel for what is left of each type."""
        told = self.api.call("GET", "/v1/audit")
        assert told["disagreements"] == [], told
        ours = {
            (row["device"]["address"], row["device"]["type"]): row["device"]["free"]
            for row in self.api.call("GET", "/v1/devices")["devices"]
            if row["device"]["kind"] == "type-MDEV"
        }
        assert ours
        assert self.available() == ours

    def available(self) -> dict[tuple[str, str], int]:
        """Return the kernel's ``available_instances`` by function and type."""
        told = self.host.agent.read(
            "cd /sys/class/mdev_bus && grep . */mdev_supported_types/*/available_*"
        )
        found = re.findall(r"^([^/]+)/[^/]+/([^/]+)/\w+:(\d+)", told, re.MULTILINE)
        return {(address, type_id): int(left) for address, type_id, left in found}

    def check_nothing_left(self) -> None:
        """Look for mdevs, functions of vfio-pci, guests, files and used pages."""
        told = self.host.agent.read(
            "ls /sys/bus/mdev/devices /kept/sundog/instances -1 -q;"
            " ls /sys/bus/pci/drivers/vfio-pci | grep 0000:;"
            " virsh -q list --all --name;"
            " cat /sys/devices/system/node/node*/hugepages/hugepages-2048kB/free_*"
        )
        words = [word for word in told.split() if not word.endswith(":")]
        assert words == [str(cell.huge_pages) for cell in LAB], told

    def lose_power(self) -> None:
        """End the lab host at once, and start it from what its disk kept."""
        self.host.cut_power()
        self.host.boot()
        self.host.start_sundog()


def _guest_id(device: dict[str, Any]) -> str:
    """Return the product as which a guest sees a device."""
    is_mdev = device["kind"] == "type-MDEV"
    return _SLICE if is_mdev else f"{device['vendor_id']}:{device['product_id']}"


def _pins(node: dict[str, Any]) -> dict[str, int]:
    pins: dict[str, int] = node["cpu_pinning"] or {}
    return pins
