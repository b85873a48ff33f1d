"""The whitelist is read completely, and its first matching rule decides."""

import json
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sundog.core.devices.device import DeviceKind, DeviceTags, MdevType, PciFunction
from sundog.core.devices.device_spec import (
    DeviceSpec,
    first_match,
    parse_device_specs,
)
from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import BadConfigurationError, SundogError

PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JSON = PLAIN | st.lists(PLAIN, max_size=2) | st.dictionaries(st.text(max_size=5), PLAIN)
KEYS = st.sampled_from(
    [
        "vendor_id",
        "product_id",
        "address",
        "devname",
        "mdev_type",
        "vgpu_type",
        "sriov_numvfs",
        "resource_class",
        "traits",
        "managed",
        "live_migratable",
        "physical_network",
        "trusted",
        "one_time_use",
        "cleaning_command",
        "max_instances",
        "one_type",
        "colour",
    ]
)
PF = PciFunction(
    address=PciAddress(0, 0x81, 0, 0),
    vendor_id="8086",
    product_id="1572",
    kind=DeviceKind.PF,
    netdevs=("ens1",),
)
VF = PciFunction(
    address=PciAddress(0, 0x81, 2, 1),
    vendor_id="8086",
    product_id="154c",
    kind=DeviceKind.VF,
    parent=PF.address,
)


def problems_of(*lines: str) -> tuple[str, ...]:
    """Return the problems that the lines have."""
    with pytest.raises(BadConfigurationError) as caught:
        parse_device_specs(lines)
    return caught.value.problems


def test_a_cleaning_command_is_read_as_a_shell_reads_it() -> None:
    """Or as a list of its words."""
    for said in (
        "/bin/scrub --card 'the big one'",
        ["/bin/scrub", "--card", "the big one"],
    ):
        rule = {"one_time_use": True, "cleaning_command": said}
        (spec,) = parse_device_specs([json.dumps(rule)])
        assert spec.tags.cleaning_command == ("/bin/scrub", "--card", "the big one")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"one_time_use": True, "mdev_type": "x"}, "not for vGPUs"),
        ({"cleaning_command": "/bin/true"}, "add one_time_use"),
        ({"one_time_use": True, "cleaning_command": "true"}, "full path"),
        ({"one_time_use": True, "cleaning_command": ""}, "full path"),
        ({"one_time_use": True, "cleaning_command": [1]}, "a list of text"),
        ({"one_time_use": True, "cleaning_command": 7}, "a list of text"),
    ],
)
def test_what_cannot_be_used_once_or_cleaned_is_told(
    rule: dict[str, object], told: str
) -> None:
    [problem] = problems_of(json.dumps(rule))
    assert told in problem


def makes(spec: DeviceSpec, kind: DeviceKind, type_id: str, name: str = "") -> bool:
    return spec.makes(kind, MdevType(id=type_id, name=name))


def test_a_rule_holds_everything_that_it_says() -> None:
    """Every key has its place; unknown ones are opaque tags."""
    (spec,) = parse_device_specs(
        [
            json.dumps(
                {
                    "vendor_id": "0x10DE",
                    "product_id": "1eb8",
                    "address": "0000:84:00.0",
                    "mdev_type": ["nvidia-35", "nvidia-36"],
                    "sriov_numvfs": "4",
                    "resource_class": "big-gpu",
                    "traits": "blue, HW_GPU_API_VULKAN",
                    "managed": "no",
                    "live_migratable": "yes",
                    "physical_network": "net1",
                    "trusted": 1,
                    "one_time_use": False,
                    "max_instances": 3,
                    "one_type": "no",
                    "colour": "red",
                    "deep": {"b": [1], "a": None},
                }
            )
        ]
    )
    assert (spec.vendor_id, spec.product_id) == ("10de", "1eb8")
    assert spec.address.exact == PciAddress(0, 0x84, 0, 0)
    assert spec.sriov_numvfs == 4
    assert spec.offers_types
    made = [makes(spec, DeviceKind.MDEV, f"nvidia-{n}") for n in (35, 36, 37)]
    assert made == [True, True, False]
    assert spec.tags == DeviceTags(
        resource_class="CUSTOM_BIG_GPU",
        traits=frozenset({"CUSTOM_BLUE", "HW_GPU_API_VULKAN"}),
        managed=False,
        live_migratable=True,
        physical_network="net1",
        trusted=True,
        max_instances=3,
        one_type=False,
        other=(("colour", "red"), ("deep", '{"a": null, "b": [1]}')),
    )


def test_an_empty_rule_is_any_function_with_novas_defaults() -> None:
    """Managed by default; whole functions, nothing else said."""
    (spec,) = parse_device_specs(["{}"])
    assert spec.tags == DeviceTags()
    assert spec.matches(PF)
    assert not spec.offers_types


def test_rules_are_numbered_by_line_and_place() -> None:
    """A list on the second line makes 2.1 and 2.2."""
    specs = parse_device_specs(
        ['{"vendor_id": "*"}', '[{}, {"physical_network": null}]']
    )
    assert [spec.where for spec in specs] == [
        "[pci] device_spec rule 1",
        "[pci] device_spec rule 2.1",
        "[pci] device_spec rule 2.2",
    ]
    assert specs[2].tags.physical_network is None


def test_types_may_be_one_many_any_or_a_number() -> None:
    """``*`` is any type, wherever it stands."""
    lines = ['{"mdev_type": "a"}', '{"mdev_type": ["a", "*"]}', '{"vgpu_type": 558}']
    one, any_, number = parse_device_specs(lines)
    assert one.mdev_types == {"a"}
    assert makes(any_, DeviceKind.MDEV, "whatever")
    assert number.vgpu_types == {"558"}
    assert number.offers_types


def test_a_vgpu_type_may_be_written_by_name_or_number() -> None:
    """Each kind of rule makes its own kind of type only."""
    lines = ['{"vgpu_type": [558, "NVIDIA L40S-8Q"]}', '{"vgpu_type": "*"}']
    some, any_ = parse_device_specs(lines)
    assert makes(some, DeviceKind.VGPU, "558", "NVIDIA L40S-1Q")
    assert makes(some, DeviceKind.VGPU, "1", "NVIDIA L40S-8Q")
    assert not makes(some, DeviceKind.VGPU, "1", "NVIDIA L40S-8")
    assert not makes(some, DeviceKind.MDEV, "558", "NVIDIA L40S-8Q")
    assert makes(any_, DeviceKind.VGPU, "1")
    assert not makes(any_, DeviceKind.MDEV, "1")


def test_all_bad_rules_are_told_at_once() -> None:
    """Each on one line with its number, key, value and the way out."""
    told = problems_of('{"vendor_id": "zz", "managed": "maybe"}', "[{}, 5]", "{")
    assert len(told) == 4
    assert all("\n" not in line for line in told)
    assert (
        "[pci] device_spec rule 1: key 'vendor_id', value 'zz': is no PCI id; "
        "write up to 4 hexadecimal digits in quotes"
    ) in told


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ('{"vendor_id": "12345"}', "key 'vendor_id', value '12345'"),
        ('{"product_id": 5}', "key 'product_id', value 5"),
        ('{"address": "1:2:3:4.5"}', "key 'address'"),
        ('{"address": {"bus": "(a*)*"}}', "a group is repeated"),
        ('{"devname": ""}', "is no text"),
        ('{"devname": "a", "address": "*"}', "write only one of them"),
        ('{"mdev_type": []}', "is no list of names"),
        ('{"mdev_type": [true]}', "is no text"),
        ('{"mdev_type": {}}', "is no text"),
        ('{"mdev_type": "a", "vgpu_type": "b"}', "write a rule for each"),
        ('{"sriov_numvfs": 0}', "whole number from 1 to 65535"),
        ('{"sriov_numvfs": 1.5}', "whole number from 1 to 65535"),
        ('{"max_instances": "-1", "mdev_type": "a"}', "whole number from 1"),
        ('{"max_instances": 1}', "add mdev_type"),
        ('{"one_type": true}', "is about vGPUs; add mdev_type or vgpu_type"),
        ('{"one_type": 7, "mdev_type": "a"}', "neither yes nor no"),
        ('{"resource_class": "VCPU"}', "cells provide"),
        ('{"traits": ["a", ""]}', "is no text"),
        ('{"traits": 5}', "is no list"),
        ('{"trusted": null}', "neither yes nor no"),
        ('{"live_migratable": 2}', "neither yes nor no"),
        ('{"physical_network": 5}', "is no text"),
        ('{"vendor_id": "*", "vendor_id": "*"}', "stands twice"),
        ('{"a": NaN}', "NaN is not a number"),
        ('"text"', "is not an object"),
        ("", "is not JSON"),
    ],
)
def test_a_bad_rule_is_told_on_one_line(rule: str, reason: str) -> None:
    """The line names the rule, what is wrong, and the way out."""
    (told,) = problems_of(rule)
    assert told.startswith("[pci] device_spec rule 1")
    assert reason in told
    assert "\n" not in told
    assert len(told) < 400


def test_overlong_rules_are_refused_on_a_short_line() -> None:
    """Deep nesting and huge numbers do not stop the reader."""
    (deep,) = problems_of("[" * 100_000)
    assert "is nested too deeply" in deep
    (huge,) = problems_of('{"a": ' + "9" * 5000 + "}")
    assert "is not JSON that can be used" in huge
    assert len(deep + huge) < 600


def test_the_first_matching_rule_wins() -> None:
    """Later rules do not matter; no rule means not offered."""
    lines = [
        '{"vendor_id": "8086", "product_id": "154c"}',
        '{"vendor_id": "8086", "trusted": true}',
    ]
    specs = parse_device_specs(lines)
    assert first_match(specs, VF, PF) is specs[0]
    assert first_match(specs, PF) is specs[1]
    assert first_match(specs[:1], PF) is None


def test_a_full_address_of_a_pf_means_its_vfs_too() -> None:
    """A glob of it does not."""
    exact, glob = parse_device_specs(
        ['{"address": "0000:81:00.0"}', '{"address": "*:81:00.0"}']
    )
    assert exact.matches(PF)
    assert exact.matches(VF, PF)
    assert glob.matches(PF)
    assert not glob.matches(VF, PF)


def test_a_network_devices_name_means_its_function_and_its_vfs() -> None:
    """A name that is not there means nothing."""
    named, absent = parse_device_specs(['{"devname": "ens1"}', '{"devname": "ens9"}'])
    assert named.matches(PF)
    assert named.matches(VF, PF)
    assert not named.matches(VF)
    assert not absent.matches(PF)


def test_matching_agrees_with_a_naive_reading() -> None:
    """Vendor, product and address must all agree, for all combinations."""
    vendors, products, buses = ("8086", "10de", "*"), ("1572", "154c", "*"), ("81", "*")
    for vendor, kind, bus, function in product(vendors, products, buses, (PF, VF)):
        rule = {"vendor_id": vendor, "product_id": kind, "address": f"*:{bus}:*.*"}
        (spec,) = parse_device_specs([json.dumps(rule)])
        naive = (
            vendor in ("*", function.vendor_id)
            and kind in ("*", function.product_id)
            and bus in ("*", f"{function.address.bus:02x}")
        )
        assert spec.matches(function) is naive


@settings(max_examples=60)
@given(
    st.lists(
        st.dictionaries(KEYS, JSON, max_size=4).map(json.dumps) | st.text(), max_size=3
    )
)
def test_any_text_is_a_whitelist_or_refused(lines: list[str]) -> None:
    """Nothing is raised but Sundog's own errors."""
    try:
        specs = parse_device_specs(lines)
    except SundogError:
        return
    first_match(specs, VF, PF)
