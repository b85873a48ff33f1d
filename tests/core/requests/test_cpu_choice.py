"""Which vCPUs are pinned follows from flavor and image, as in Nova."""

from __future__ import annotations

import pytest
from tests.core.requests.asking import ask, cells, refused

from sundog.core.errors import ForbiddenError
from sundog.core.requests.guest_request import (
    CpuPolicy,
    ThreadPolicy,
)


def test_pinned_vcpus_make_one_cell() -> None:
    """As in Nova, from flavor or image."""
    request = ask({"hw:cpu_policy": "dedicated", "hw:cpu_thread_policy": "require"})
    assert cells(request) == [({0, 1, 2, 3}, {0, 1, 2, 3}, 4096)]
    assert request.cpu_policy is CpuPolicy.DEDICATED
    assert request.thread_policy is ThreadPolicy.REQUIRE
    image = {"hw_cpu_policy": "dedicated", "hw_cpu_thread_policy": "require"}
    assert ask({}, image) == request


@pytest.mark.parametrize(
    ("mask", "pinned"), [("0-1", {0, 1}), ("^0", {1, 2, 3}), ("0-2,^1", {0, 2})]
)
def test_a_mask_pins_some_vcpus(mask: str, pinned: set[int]) -> None:
    """Only exclusions mean all but those."""
    request = ask({"hw:cpu_policy": "mixed", "hw:cpu_dedicated_mask": mask})
    assert cells(request) == [({0, 1, 2, 3}, pinned, 4096)]


def test_each_cell_pins_its_part_of_the_mask() -> None:
    """A mask speaks of the guest's vCPUs."""
    specs = {"hw:cpu_policy": "mixed", "hw:cpu_dedicated_mask": "0-2"}
    request = ask(specs | {"hw:numa_nodes": "2"})
    assert [set(cell.dedicated) for cell in request.cells] == [{0, 1}, {2}]


@pytest.mark.parametrize("mask", ["0-3", "4", "0,^0", "^0-3"])
def test_a_mask_names_some_but_not_all_vcpus(mask: str) -> None:
    """All or none is what the other policies are for."""
    told = refused({"hw:cpu_policy": "mixed", "hw:cpu_dedicated_mask": mask})
    assert "some but not all of the vCPUs 0 to 3" in told


@pytest.mark.parametrize(
    ("specs", "reason"),
    [
        ({"hw:cpu_policy": "mixed"}, "needs hw:cpu_dedicated_mask"),
        ({"hw:cpu_dedicated_mask": "0"}, "needs hw:cpu_policy=mixed"),
        ({"hw:cpu_thread_policy": "isolate"}, "needs pinned vCPUs"),
        ({"resources:PCPU": "3"}, "must equal the flavor's 4"),
        ({"resources:VCPU": "3"}, "must equal the flavor's 4"),
        ({"resources:MEMORY_MB": "1"}, "must equal the flavor's 4096"),
        ({"resources:PCPU": "4", "hw:cpu_policy": "shared"}, "only one of them"),
        ({"resources:PCPU": "4", "resources:VCPU": "4"}, "they are pinned"),
        ({"trait1:CUSTOM_X": "required"}, "a group without resources"),
        ({"trait1:CUSTOM_X": "forbidden"}, "a group without resources"),
    ],
)
def test_what_does_not_go_together_is_refused(
    specs: dict[str, str], reason: str
) -> None:
    """The message says what to change."""
    assert reason in refused(specs)


def test_amounts_that_agree_with_the_flavor_pass() -> None:
    """And ``resources:PCPU`` pins, as in Nova."""
    request = ask({"resources:PCPU": "4", "resources:MEMORY_MB": "4096"})
    assert request.cpu_policy is CpuPolicy.DEDICATED
    assert len(request.cells[0].dedicated) == 4
    assert ask({"resources:VCPU": "4"}).cpu_policy is CpuPolicy.SHARED


@pytest.mark.parametrize(
    ("flavor", "image", "policy"),
    [
        ("dedicated", "shared", CpuPolicy.DEDICATED),
        ("dedicated", "dedicated", CpuPolicy.DEDICATED),
        ("shared", "shared", CpuPolicy.SHARED),
        ("shared", "dedicated", None),
        ("shared", "mixed", None),
        ("mixed", "dedicated", None),
        ("mixed", "mixed", CpuPolicy.MIXED),
        ("mixed", "shared", CpuPolicy.MIXED),
    ],
)
def test_an_image_cannot_pin_more_than_its_flavor(
    flavor: str, image: str, policy: CpuPolicy | None
) -> None:
    """403 where it asks for more."""
    specs = {"hw:cpu_policy": flavor}
    if flavor == "mixed":
        specs["hw:cpu_dedicated_mask"] = "0"
    properties = {"hw_cpu_policy": image}
    if policy is None:
        with pytest.raises(ForbiddenError, match="hw_cpu_policy"):
            ask(specs, properties)
    else:
        assert ask(specs, properties).cpu_policy is policy


def test_an_image_may_decide_what_the_flavor_only_prefers() -> None:
    """But not contradict it."""
    pinned = {"hw:cpu_policy": "dedicated"}
    prefer = pinned | {"hw:cpu_thread_policy": "prefer"}
    isolate = {"hw_cpu_thread_policy": "isolate"}
    assert ask(prefer, isolate).thread_policy is ThreadPolicy.ISOLATE
    assert ask(pinned).thread_policy is ThreadPolicy.PREFER
    same = pinned | {"hw:cpu_thread_policy": "isolate"}
    assert ask(same, isolate).thread_policy is ThreadPolicy.ISOLATE
    with pytest.raises(ForbiddenError, match="hw_cpu_thread_policy"):
        ask(pinned | {"hw:cpu_thread_policy": "require"}, isolate)
