"""Rules may not turn a held PF into VFs, nor a held VF's card into a PF."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.core.hosts.test_whitelist import GPU, PF, VFS, facts, holding, share

from sundog.core.devices.device_spec import parse_device_specs
from sundog.core.guards.switches import switches

if TYPE_CHECKING:
    from sundog.core.devices.device import PciFunction

WHOLE_PF = '{"product_id": "1572"}'
ITS_VFS = '{"product_id": "154c"}'
MAKES_VFS = '{"product_id": "1572", "sriov_numvfs": 2}'
GPUS = '{"product_id": "1eb8"}'
BOTH = '{"vendor_id": "8086"}'
NAMES = {PF.address: "PF", VFS[0].address: "VF", GPU.address: "GPU"}


def told(held: PciFunction, *rules: str) -> str:
    """Return what is told of rules while a function is held."""
    specs = parse_device_specs(rules)
    found = switches(facts(GPU, PF, *VFS), specs, [holding(share(held))])
    return "; ".join(found)


@pytest.mark.parametrize("rules", [(WHOLE_PF,), (BOTH,), (), (GPUS,)])
@pytest.mark.parametrize("held", [PF, GPU], ids=lambda one: NAMES[one.address])
def test_what_stays_or_leaves_the_whitelist_is_no_switch(
    held: PciFunction, rules: tuple[str, ...]
) -> None:
    assert told(held, *rules) == ""


def test_a_held_pf_is_not_turned_into_vfs() -> None:
    """Neither by making them nor by offering those that are there."""
    line = told(PF, ITS_VFS)
    assert f"holds {PF.address} as a type-PF, but its VFs would be offered" in line
    assert line.endswith("delete the server first, or leave the rule as it was")
    assert "sriov_numvfs would make 2 VFs of it" in told(PF, MAKES_VFS)


def test_a_held_vf_is_not_turned_into_its_pf() -> None:
    line = told(VFS[0], WHOLE_PF)
    assert f"as a type-VF, but its PF {PF.address} would be offered instead" in line
    assert told(VFS[0], ITS_VFS, WHOLE_PF) == ""
    assert told(VFS[0]) == ""


def test_what_is_gone_or_made_is_not_asked() -> None:
    """A card that fell off the bus, and mdevs, which leave one by one."""
    specs = parse_device_specs([ITS_VFS])
    assert switches(facts(GPU), specs, [holding(share(PF))]) == ()
    made = holding(share(GPU, "nvidia-35"))
    assert switches(facts(GPU, PF), specs, [made]) == ()
