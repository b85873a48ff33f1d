"""``sundog doctor`` judges a real host as the service finds it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lab.topology import IDS, LAB, VFS
from tests.lab.lab_host import RULES

if TYPE_CHECKING:
    from tests.lab.lab_ground import LabGround

_ASK: Final = "sundog doctor --config /own/sundog.conf"
_LINE: Final = re.compile(r"^(ok|note|not ok) +([^:\n]+): (.+)$", re.MULTILINE)


def test_the_lab_host_is_fit(ground: LabGround) -> None:
    """It has all that its rules need, and offers what the service offers."""
    checks = _LINE.findall(ground.host.agent.read(_ASK))
    # Its guests are emulated, so that it does not need the KVM that it has not.
    assert {(mark, about) for mark, about, _ in checks} == {("note", "KVM")} | {
        ("ok", about)
        for about in (
            *("libvirt", "QEMU", "IOMMU", "VFIO", "mediated devices"),
            *("huge pages", "VFs", "permissions", "devices"),
        )
    }
    found = [f"{about}: {found}" for _, about, found in checks]
    pages = ", ".join(f"cell {cell.id}: {cell.huge_pages}" for cell in LAB)
    assert f"huge pages: of 2048 KiB on {pages}" in found
    assert [one for one in found if one.startswith("VFs")] == _vfs()
    offered = len(ground.api.call("GET", "/v1/devices")["devices"])
    cards = sum(len(cell.functions) for cell in LAB)
    assert found[-1].endswith(f" {offered} devices of {cards} cards are offered")


def test_a_host_without_its_libvirt_is_not_fit(ground: LabGround) -> None:
    """The command says so and fails; what the kernel tells is told all the same."""
    uri = "qemu+unix:///system?socket=/nonexistent"
    done = ground.host.agent.run(
        f"printf '[libvirt]\\nconnection_uri = {uri}\\n' >/run/away.conf;"
        f" {_ASK} --config /run/away.conf"
    )
    assert done.status == 1, done
    marks = {about: mark for mark, about, _ in _LINE.findall(done.output)}
    assert {about for about in marks if marks[about] == "not ok"} == {"libvirt"}
    assert marks["IOMMU"] == marks["VFs"] == "ok"


def _vfs() -> list[str]:
    """Return what is told of each PF: the rules enable some of its VFs."""
    enabled = {
        (rule["vendor_id"], rule["product_id"]): rule["sriov_numvfs"]
        for rule in RULES
        if "sriov_numvfs" in rule
    }
    return [
        f"VFs: {enabled[IDS[model]]} of {VFS[model][0]} are enabled on "
        f"0000:{cell.bus + place:02x}:00.0"
        for cell in LAB
        for place, model in enumerate(cell.functions, start=1)
        if model in VFS
    ]
