"""Extra specs and image properties make one guest request, or say what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sundog.core.errors import BadRequestError, ForbiddenError, SundogError
from sundog.core.requests.alias import Alias
from sundog.core.requests.extra_specs import check_extra_specs, guest_request
from sundog.core.requests.flavor import Flavor
from sundog.core.requests.guest_request import (
    CpuPolicy,
    DeviceWant,
    GuestRequest,
    NumaPolicy,
    PageChoice,
    ThreadPolicy,
)

FLAVOR = Flavor(id="1", name="m1", vcpus=4, memory_mb=4096, disk_gb=10)
ALIASES = {
    "gpu": Alias(
        name="gpu", wants=(DeviceWant(vendor_id="10de"),), policy=NumaPolicy.PREFERRED
    )
}


def ask(
    specs: dict[str, str], image: dict[str, str] | None = None, flavor: Flavor = FLAVOR
) -> GuestRequest:
    """Make a request of a flavor with these extra specs."""
    return guest_request(replace(flavor, extra_specs=specs), image or {}, ALIASES)


def refused(specs: dict[str, str], image: dict[str, str] | None = None) -> str:
    """Return why a flavor with these extra specs is refused."""
    with pytest.raises(BadRequestError) as caught:
        ask(specs, image)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def cells(request: GuestRequest) -> list[tuple[set[int], set[int], int]]:
    """Return vCPUs, pinned vCPUs and MiB of each cell."""
    return [(set(c.cpus), set(c.dedicated), c.memory_mb) for c in request.cells]


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


def test_cells_share_evenly() -> None:
    """Consecutive vCPUs, and the same memory for each."""
    request = ask({"hw:numa_nodes": "2"})
    assert cells(request) == [({0, 1}, set(), 2048), ({2, 3}, set(), 2048)]
    assert ask({}, {"hw_numa_nodes": "2"}).cells == request.cells


def test_cells_may_be_told_one_by_one() -> None:
    """From the flavor or from the image."""
    flavor = {
        "hw:numa_nodes": "2",
        "hw:numa_cpus.0": "0-3,^2",
        "hw:numa_cpus.1": "2",
        "hw:numa_mem.0": "1024",
        "hw:numa_mem.1": "3072",
    }
    none: set[int] = set()
    told = [({0, 1, 3}, none, 1024), ({2}, none, 3072)]
    assert cells(ask(flavor)) == told
    image = {key.replace("hw:", "hw_"): value for key, value in flavor.items()}
    assert cells(ask({}, image)) == told


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"hw:numa_nodes": "3"}, "is set for the cells [0, 1]"),
        ({"hw:numa_nodes": "1"}, "is set for the cells [0, 1]"),
        ({"hw:numa_mem.2": "1"}, "is set for the cells [0, 1, 2]"),
        ({"hw:numa_cpus.1": "2-4"}, "has vCPU 4, but the flavor has the vCPUs 0 to 3"),
        ({"hw:numa_cpus.1": "1-3"}, "has vCPU 1, which another cell has too"),
        ({"hw:numa_cpus.1": "3"}, "leaves out vCPU 2"),
        ({"hw:numa_cpus.1": "3,^3"}, "is empty"),
        ({"hw:numa_mem.1": "2049"}, "adds up to 4097 MiB"),
    ],
)
def test_cells_must_cover_the_flavor_exactly(
    changed: dict[str, str], reason: str
) -> None:
    """Each vCPU in one cell, all memory, every cell told."""
    specs = {
        "hw:numa_nodes": "2",
        "hw:numa_cpus.0": "0-1",
        "hw:numa_cpus.1": "2-3",
        "hw:numa_mem.0": "2048",
        "hw:numa_mem.1": "2048",
    }
    assert ask(specs).cells
    assert reason in refused(specs | changed)


def test_cells_that_do_not_divide_evenly_are_refused() -> None:
    """The way out is to tell each cell."""
    assert "does not divide 4 vCPUs" in refused({"hw:numa_nodes": "3"})
    odd = replace(FLAVOR, memory_mb=4095)
    with pytest.raises(BadRequestError, match="4095 MiB evenly"):
        ask({"hw:numa_nodes": "2"}, flavor=odd)


def test_cells_told_need_their_number() -> None:
    """Unless something else makes a cell."""
    one = {"hw:numa_cpus.0": "0-3", "hw:numa_mem.0": "4096"}
    assert "need hw:numa_nodes" in refused(one)
    assert len(ask(one | {"hw:cpu_policy": "dedicated"}).cells) == 1


@pytest.mark.parametrize("name", ["numa_nodes", "numa_cpus.0", "numa_mem.0"])
def test_flavor_and_image_cannot_both_set_cells(name: str) -> None:
    """403, as in Nova, even if they agree."""
    with pytest.raises(ForbiddenError, match=f"hw_{name}"):
        ask({f"hw:{name}": "1"}, {f"hw_{name}": "1"})


def test_huge_guests_take_no_time_or_memory() -> None:
    """They are refused before anything is allocated."""
    huge = replace(FLAVOR, vcpus=2**31 - 1, memory_mb=2**31 - 1)
    for specs in (
        {"hw:numa_nodes": "1"},
        {"hw:cpu_policy": "dedicated"},
        {"hw:cpu_policy": "mixed", "hw:cpu_dedicated_mask": "^0"},
    ):
        with pytest.raises(BadRequestError, match="use at most 4096 vCPUs"):
            ask(specs, flavor=huge)
    assert ask({}, flavor=huge).vcpus == 2**31 - 1


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


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("small", PageChoice.SMALL),
        ("large", PageChoice.LARGE),
        ("any", PageChoice.ANY),
        ("2048", 2048),
        ("2MB", 2048),
        ("2 MiB", 2048),
        ("1GB", 1048576),
        ("4KB", 4),
        (" 4 ", 4),
    ],
)
def test_a_page_size_is_a_word_or_a_size(text: str, size: PageChoice | int) -> None:
    """A number is in KiB; units count by 1024. It makes one cell, as in Nova."""
    request = ask({"hw:mem_page_size": text})
    assert request.page_size == size
    assert len(request.cells) == 1


def test_an_image_may_narrow_pages_down_but_not_choose_them() -> None:
    """It needs a flavor that leaves the size open."""
    image = {"hw_mem_page_size": "2MB"}
    assert ask({"hw:mem_page_size": "any"}, image).page_size == 2048
    assert ask({"hw:mem_page_size": "large"}, image).page_size == 2048
    assert ask({"hw:mem_page_size": "2048"}, image).page_size == 2048
    assert "leaves it open" in refused({}, image)
    assert "leaves it open" in refused({"hw:mem_page_size": "1GB"}, image)
    assert "is no page size" in refused({}, {"hw_mem_page_size": "x"})


def test_a_cells_memory_is_whole_pages() -> None:
    """A guest of 4 GiB in 8 cells cannot be made of pages of 1 GiB."""
    specs = {"hw:mem_page_size": "1GB", "hw:numa_nodes": "4"}
    assert ask(specs).page_size == 1048576
    odd = replace(FLAVOR, memory_mb=4100)
    with pytest.raises(BadRequestError, match="guest cell 0 has 1025 MiB, which is no"):
        ask(specs, flavor=odd)
    with pytest.raises(BadRequestError, match="hw_mem_page_size='1GB'"):
        ask(
            specs | {"hw:mem_page_size": "any"},
            {"hw_mem_page_size": "1GB"},
            flavor=odd,
        )


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
