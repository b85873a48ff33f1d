"""Extra specs and image properties make one guest request, or say what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.requests.asking import ALIASES, FLAVOR, ask, refused

from sundog.core.errors import BadRequestError, ForbiddenError, SundogError
from sundog.core.requests.extra_specs import check_extra_specs
from sundog.core.requests.guest_request import (
    DeviceWant,
    GuestRequest,
    NumaPolicy,
)


def test_a_plain_flavor_floats() -> None:
    """No cells, no policy, no devices; unknown keys are other people's."""
    request = ask({"quota:vif": "x", "hw:future": "1", "resources": "x", "trait": ""})
    assert request == GuestRequest(vcpus=4, memory_mb=4096, disk_gb=10)


def test_all_disks_are_counted() -> None:
    """Swap is in MiB and rounded up, as Nova charges it."""
    flavor = replace(FLAVOR, ephemeral_gb=5, swap_mb=1025)
    assert ask({}, flavor=flavor).disk_gb == 17
    assert ask({"resources:DISK_GB": "3"}, flavor=flavor).disk_gb == 3


def test_devices_are_the_aliases_and_then_the_classes() -> None:
    """In a stable order with unique ids."""
    request = ask(
        {
            "resources:VGPU": "2",
            "resources1:CUSTOM_B": "1",
            "resources1:CUSTOM_A": "2",
            "trait1:CUSTOM_X": "required",
            "trait1:CUSTOM_Y": "forbidden",
            "trait:CUSTOM_HOST": "required",
            "trait:CUSTOM_NOT": "forbidden",
            "resources:FPGA": "0",
            "group_policy": "isolate",
            "pci_passthrough:alias": "gpu:1",
        }
    )
    assert [(d.id, d.count, d.same_card, d.group) for d in request.devices] == [
        ("gpu", 1, False, ""),
        ("resources:VGPU", 2, False, ""),
        ("resources1:CUSTOM_A", 2, True, "resources1"),
        ("resources1:CUSTOM_B", 1, True, "resources1"),
    ]
    assert [d.policy for d in request.devices] == [
        NumaPolicy.PREFERRED,
        *[NumaPolicy.LEGACY] * 3,
    ]
    assert request.devices[1].wants == (DeviceWant(resource_class="VGPU"),)
    assert request.devices[2].wants == (
        DeviceWant(
            resource_class="CUSTOM_A",
            traits=frozenset({"CUSTOM_X"}),
            forbidden_traits=frozenset({"CUSTOM_Y"}),
        ),
    )
    assert request.required_traits == {"CUSTOM_HOST"}
    assert request.forbidden_traits == {"CUSTOM_NOT"}
    assert request.isolate_groups


def test_groups_are_not_isolated_unless_asked() -> None:
    """``none`` is Nova's default too."""
    assert not ask({"group_policy": "none"}).isolate_groups


def test_an_image_may_require_traits_of_the_host() -> None:
    """As in Nova; other properties of it pass."""
    request = ask({}, {"trait:HW_CPU_X86_VMX": "required", "resources:VGPU": "1"})
    assert request.required_traits == {"HW_CPU_X86_VMX"}
    assert request.devices == ()
    told = refused({"trait:CUSTOM_A": "forbidden"}, {"trait:CUSTOM_A": "required"})
    assert "contradicts trait:CUSTOM_A='forbidden'" in told


@pytest.mark.parametrize("source", ["flavor", "image", "both"])
def test_the_affinity_policy_overrides_each_device(source: str) -> None:
    """Of aliases and of classes, from flavor or image."""
    specs = {"pci_passthrough:alias": "gpu:1", "resources:VGPU": "1"}
    image = {}
    if source != "image":
        specs["hw:pci_numa_affinity_policy"] = "socket"
    if source != "flavor":
        image["hw_pci_numa_affinity_policy"] = "socket"
    assert {d.policy for d in ask(specs, image).devices} == {NumaPolicy.SOCKET}


def test_flavor_and_image_must_agree_on_the_affinity_policy() -> None:
    """403, as in Nova; the message names both."""
    with pytest.raises(ForbiddenError, match=r"hw_pci.*'legacy'.*hw:pci.*'required'"):
        ask(
            {"hw:pci_numa_affinity_policy": "required"},
            {"hw_pci_numa_affinity_policy": "legacy"},
        )


@pytest.mark.parametrize(
    ("specs", "reason"),
    [
        ({"pci_passthrough:alias": "gpu:-1"}, "the part 'gpu:-1'"),
        ({"pci_passthrough:alias": "nope:1"}, "is not defined"),
        ({"hw:pci_numa_affinity_policy": "near"}, "legacy, preferred, required, soc"),
        ({"hw:cpu_policy": "Dedicated"}, "dedicated, mixed, shared"),
        ({"hw:cpu_thread_policy": "no"}, "isolate, prefer, require"),
        ({"hw:cpu_dedicated_mask": "0-"}, "the part '0-'"),
        ({"hw:cpu_dedicated_mask": "3-1"}, "the part '3-1'"),
        ({"hw:cpu_dedicated_mask": "0-99999"}, "up to 4095"),
        ({"hw:numa_nodes": "0"}, "hw:numa_nodes='0' is no whole number from 1 to 64"),
        ({"hw:numa_nodes": "-1"}, "hw:numa_nodes"),
        ({"hw:numa_nodes": "two"}, "hw:numa_nodes"),
        ({"hw:numa_nodes": "1000000000"}, "from 1 to 64"),
        ({"hw:numa_cpus.0": ""}, "hw:numa_cpus.0"),
        ({"hw:numa_cpus.0": "0-999999"}, "up to 4095"),
        ({"hw:numa_cpus.x": "0"}, "names no guest cell"),
        ({"hw:numa_cpus.64": "0"}, "names no guest cell"),
        ({"hw:numa_mem.-1": "1"}, "names no guest cell"),
        ({"hw:numa_mem.0": "0"}, "hw:numa_mem.0"),
        ({"hw:mem_page_size": "huge"}, "is no page size"),
        ({"hw:mem_page_size": "0"}, "is no page size"),
        ({"hw:mem_page_size": "3MB"}, "is no page size"),
        ({"hw:mem_page_size": "64GB"}, "is no page size"),
        ({"hw:mem_page_size": "999999999GB"}, "is no page size"),
        ({"hw:mem_page_size": ""}, "is no page size"),
        ({"resources:VGPU": "x"}, "from 0 to 64"),
        ({"resources:VGPU": "65"}, "from 0 to 64"),
        ({"resources:vgpu": "1"}, "names no resource class"),
        ({"resources:": "1"}, "names no resource class"),
        ({"resources1:VCPU": "1"}, "write resources:VCPU"),
        ({"resources:MEMORY_MB": "-1"}, "is no whole number"),
        ({"trait:custom_x": "required"}, "names no trait"),
        ({"trait:CUSTOM_X": "maybe"}, "forbidden, required"),
        ({"group_policy": "all"}, "isolate, none"),
    ],
)
def test_a_bad_value_is_refused_when_written_and_when_used(
    specs: dict[str, str], reason: str
) -> None:
    """The message names key, value and the way out."""
    with pytest.raises(BadRequestError) as caught:
        check_extra_specs(specs, ALIASES)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
    assert refused(specs) == str(caught.value)


def test_overlong_values_are_refused_at_once() -> None:
    """They are not converted, and the message does not repeat them in full."""
    for specs in (
        {"hw:cpu_dedicated_mask": "0," * 100_000},
        {"hw:numa_nodes": "9" * 100_000},
        {"hw:mem_page_size": "9" * 100_000},
        {"resources:VGPU": "9" * 100_000},
    ):
        with pytest.raises(BadRequestError) as caught:
            check_extra_specs(specs, ALIASES)
        assert len(str(caught.value)) < 300


def test_a_flavor_may_be_written_key_by_key() -> None:
    """What goes together is only judged when the flavor is used."""
    for specs in (
        {"hw:cpu_thread_policy": "isolate"},
        {"hw:cpu_policy": "mixed"},
        {"hw:cpu_dedicated_mask": "0"},
        {"hw:numa_cpus.0": "0"},
        {"trait1:CUSTOM_X": "required"},
    ):
        check_extra_specs(specs, ALIASES)
        assert refused(specs)
    check_extra_specs({"pci_passthrough:alias": "gpu:1", "x": "y"}, ALIASES)


NAMES = st.sampled_from(
    [
        "numa_nodes",
        "numa_cpus.0",
        "numa_cpus.1",
        "numa_mem.0",
        "numa_mem.1",
        "cpu_policy",
        "cpu_dedicated_mask",
        "cpu_thread_policy",
        "mem_page_size",
        "pci_numa_affinity_policy",
    ]
)
OTHERS = st.sampled_from(
    [
        "pci_passthrough:alias",
        "resources:VGPU",
        "resources:PCPU",
        "resources1:CUSTOM_A",
        "trait:CUSTOM_A",
        "trait1:HW_X",
        "group_policy",
    ]
)
VALUES = st.text(max_size=8) | st.sampled_from(
    [
        "1",
        "2",
        "0-1",
        "2-3",
        "^0",
        "2048",
        "dedicated",
        "mixed",
        "shared",
        "isolate",
        "prefer",
        "large",
        "any",
        "required",
        "gpu:1",
        "none",
    ]
)


@given(
    st.dictionaries(NAMES.map("hw:{}".format) | OTHERS | st.text(), VALUES),
    st.dictionaries(NAMES.map("hw_{}".format) | st.text(), VALUES),
)
def test_any_settings_are_a_whole_request_or_refused(
    specs: dict[str, str], image: dict[str, str]
) -> None:
    """Nothing is raised but Sundog's errors; cells then cover the guest exactly."""
    try:
        request = ask(specs, image)
    except SundogError as error:
        assert isinstance(error, BadRequestError | ForbiddenError)  # noqa: PT017  # either outcome is right
        return
    check_extra_specs(specs, ALIASES)
    if request.cells:
        assert sum(cell.memory_mb for cell in request.cells) == 4096
        assert sorted(cpu for cell in request.cells for cpu in cell.cpus) == [
            0,
            1,
            2,
            3,
        ]
        assert all(cell.dedicated <= cell.cpus for cell in request.cells)
    assert len({device.id for device in request.devices}) == len(request.devices)
