"""What libvirt and the kernel print in the lab is what the fast tests read.

With LAB_RECORD=1 in the environment the goldens are written anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from tests.stories.devices.device_stories import KINDS, PINNED, boot, boot_with

if TYPE_CHECKING:
    from tests.lab.lab_ground import LabGround

GOLDENS: Final = Path(__file__).parents[1] / "edges/libvirt/goldens/libvirt-11.3"
_RECORDS: Final = bool(os.environ.get("LAB_RECORD"))
# What differs from boot to boot: sizes that the kernel leaves, and random addresses.
_VOLATILE: Final = re.compile(
    r"memory_mb = \d+|disk_gb = \d+|<memory .*|<pages .*4'>.*"
    r"|([0-9a-f]{2}[:_]){5}[0-9a-f]{2}"
    r"|<uuid>.*|<(host_)?uuid.*|<link state.*|<link speed.*|<microcode.*|<counter .*"
    r"|[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}"
)
# The same of a guest: its number, its terminal, and the names of its server and mdevs.
_VOLATILE_OF_A_GUEST: Final = re.compile(
    r"(?<=<domain type='qemu') id='\d+'|/dev/pts/\d+"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
_GUESTS: Final = {
    "slice": ("slice:1", 1),
    "vf": ("vf:1", 1),
    "pf": ("pf:1", 1),
    "three-kinds": ("slice:1,vf:1,plain:1", 1),
    "two-cells": ("slice16:2", 2),
}
"""What a guest asks for, and on how many cells, by the name of its golden."""


def _hold(name: str, text: str, volatile: re.Pattern[str] = _VOLATILE) -> None:
    path = GOLDENS / name
    if _RECORDS:
        path.write_text(text, encoding="utf-8")
    golden = path.read_text(encoding="utf-8")
    assert volatile.sub("", text) == volatile.sub("", golden), name


def test_the_captured_host_file_is_the_golden_one(ground: LabGround) -> None:
    """The host that stories simulate is the lab host."""
    command = "sundog hostfile capture --config /own/sundog.conf"
    _hold("host.toml", ground.host.agent.read(command))


def test_capabilities_and_node_devices_are_the_golden_ones(ground: LabGround) -> None:
    """Each PCI function, network device and mdev, in libvirt's words."""
    servers = [boot(ground, alias)["id"] for alias in KINDS]
    told = ground.host.agent.read(
        "echo '<devices>'; for name in $(virsh -q nodedev-list | "
        "grep -E '^(pci|net|mdev)_' | grep -v net_lo | sort); do"
        " virsh nodedev-dumpxml $name; done; echo '</devices>'",
    )
    ground.api.delete(servers)
    _hold("capabilities.xml", ground.host.agent.read("virsh capabilities"))
    _hold("node-devices.xml", told)
    _hold("versions.txt", ground.host.agent.read("virsh version; uname -r"))


@pytest.mark.parametrize("name", _GUESTS)
def test_a_guests_definition_is_the_golden_one(ground: LabGround, name: str) -> None:
    """What Sundog wrote, as libvirt completed it for a guest that runs."""
    aliases, cells = _GUESTS[name]
    specs = PINNED | {"hw:numa_nodes": str(cells)}
    sizes = {"vcpus": cells, "ram": 32 * cells}
    server = boot_with(ground, f"golden-{name}", aliases, specs, **sizes)
    assert server["status"] == "ACTIVE", server.get("fault")
    definition = ground.host.agent.read(f"virsh dumpxml {server['id']}")
    ground.api.delete([server["id"]])
    _hold(f"domain-{name}.xml", definition, _VOLATILE_OF_A_GUEST)
