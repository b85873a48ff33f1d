"""A hostile document makes its device unavailable, or is passed over; nothing else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sundog.core.devices.device import PciFunction
from sundog.edges.libvirt.capabilities_xml import CpuSets, read_cells
from sundog.edges.libvirt.node_devices import read_node_devices

GOLDENS = Path(__file__).parent / "goldens"
GPU = (GOLDENS / "gpu_t4.xml").read_text()
GOOD = (GOLDENS / "vf_x710.xml").read_text()
LEVELS = "".join(
    f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 12)
)
BOMB = f'<!DOCTYPE device [<!ENTITY l0 "laugh">{LEVELS}]>'
OUTSIDE = '<!DOCTYPE device [<!ENTITY l11 SYSTEM "file:///etc/passwd">]>'


def hostile(prologue: str, before: str, after: str) -> str:
    assert before in GPU
    return prologue + GPU.replace(before, after, 1)


@pytest.mark.parametrize(
    "text",
    [
        hostile(BOMB, "<bus>132</bus>", "<bus>&l11;</bus>"),
        hostile(OUTSIDE, "<bus>132</bus>", "<bus>&l11;</bus>"),
        hostile("", "<bus>132</bus>", "<bus>&undefined;</bus>"),
        hostile("", "<bus>132</bus>", "<bus>" + "9" * 100_000 + "</bus>"),
        hostile(
            "", "<slot>0</slot>", "<x>" * 5_000 + "<slot>0</slot>" + "</x>" * 5_000
        ),
        hostile("", "<bus>132</bus>", "<bus>0x84</bus>"),
        hostile("", "id='0x10de'", f"id='{'1' * 100_000}'"),
        hostile("", "<vendor id='0x10de'>NVIDIA Corporation</vendor>", ""),
        GPU[: len(GPU) // 2],
        GPU[: GPU.index("</name>") + len("</name>")],
    ],
    ids=range(10),
)
def test_a_hostile_function_is_unavailable_and_the_rest_goes_on(text: str) -> None:
    """Neither time nor a file of the host is spent on it."""
    start = time.monotonic()
    found = read_node_devices([text, GOOD])
    assert time.monotonic() - start < 5
    vf, gpu = found.functions
    assert not vf.unavailable
    assert "cannot be used" in gpu.unavailable
    assert len(gpu.unavailable) < 1000
    assert "root:" not in gpu.unavailable


@pytest.mark.parametrize("prologue", [BOMB, OUTSIDE])
def test_an_entity_in_a_name_for_people_is_not_resolved(prologue: str) -> None:
    """What is left of the name is told; a bomb does not go off in it."""
    text = hostile(prologue, "TU104GL", "&l11;")
    (gpu,) = read_node_devices([text]).functions
    assert isinstance(gpu, PciFunction)
    assert "root:" not in gpu.product
    assert "laugh" not in gpu.product


@pytest.mark.parametrize(
    "text",
    [
        "<device><name>x</name><capability type='quantum'><s/></capability></device>",
        "<device><name>x</name><capability/></device>",
        "<other/>",
    ],
)
def test_an_unknown_kind_of_device_offers_nothing(text: str) -> None:
    found = read_node_devices([text, GOOD])
    assert len(found.functions) == 1


def test_capabilities_do_not_go_off() -> None:
    """A bomb in a cell's memory is no cell; it is a ValueError at once."""
    text = (GOLDENS / "capabilities.xml").read_text()
    start = time.monotonic()
    with pytest.raises(ValueError, match=r"."):
        read_cells(BOMB + text.replace("16777216", "&l11;"), CpuSets())
    assert time.monotonic() - start < 5
