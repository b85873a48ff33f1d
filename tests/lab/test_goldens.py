"""What libvirt and the kernel print in the lab is what the fast tests read.

With LAB_RECORD=1 in the environment the goldens are written anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.stories.devices.device_stories import KINDS, boot

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


def _hold(name: str, text: str) -> None:
    path = GOLDENS / name
    if _RECORDS:
        path.write_text(text, encoding="utf-8")
    golden = path.read_text(encoding="utf-8")
    assert _VOLATILE.sub("", text) == _VOLATILE.sub("", golden), name


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
    for alias, server in zip(KINDS, servers, strict=True):
        # Numbers of processes and terminals are in it: kept for readers only.
        definition = ground.host.agent.read(f"virsh dumpxml {server}")
        if _RECORDS:
            (GOLDENS / f"domain-{alias}.xml").write_text(definition, encoding="utf-8")
    ground.api.delete(servers)
    _hold("capabilities.xml", ground.host.agent.read("virsh capabilities"))
    _hold("node-devices.xml", told)
    _hold("versions.txt", ground.host.agent.read("virsh version; uname -r"))
