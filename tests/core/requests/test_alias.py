"""Aliases are read completely, and flavors ask for them part by part."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sundog.core.devices.device import DeviceKind
from sundog.core.errors import BadConfigurationError, BadRequestError, SundogError
from sundog.core.requests.alias import Alias, parse_alias_property, parse_aliases
from sundog.core.requests.guest_request import DeviceWant, NumaPolicy

ALIASES = {
    name: Alias(name=name, wants=(DeviceWant(vendor_id="10de"),), policy=policy)
    for name, policy in [("a", NumaPolicy.LEGACY), ("big gpu", NumaPolicy.REQUIRED)]
}
SMALL = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
KEYS = st.sampled_from(
    [
        "name",
        "vendor_id",
        "product_id",
        "device_type",
        "mdev_type",
        "vgpu_type",
        "numa_policy",
        "resource_class",
        "traits",
        "live_migratable",
        "capability_type",
        "colour",
    ]
)


def problems_of(*lines: str) -> tuple[str, ...]:
    """Return the problems that the lines have."""
    with pytest.raises(BadConfigurationError) as caught:
        parse_aliases(lines)
    return caught.value.problems


def test_an_alias_holds_everything_that_it_says() -> None:
    """Every key has its place; ids and names are normalised."""
    line = {
        "name": " gpu ",
        "vendor_id": "10DE",
        "product_id": "1eb8",
        "device_type": "type-VF",
        "numa_policy": "socket",
        "resource_class": "big-gpu",
        "traits": "blue,HW_GPU_API_VULKAN",
        "live_migratable": "yes",
        "capability_type": "pci",
    }
    found = parse_aliases([json.dumps(line)])
    assert found["gpu"] == Alias(
        name="gpu",
        policy=NumaPolicy.SOCKET,
        wants=(
            DeviceWant(
                vendor_id="10de",
                product_id="1eb8",
                kind=DeviceKind.VF,
                resource_class="CUSTOM_BIG_GPU",
                traits=frozenset({"CUSTOM_BLUE", "HW_GPU_API_VULKAN"}),
                live_migratable=True,
            ),
        ),
    )


def test_the_policy_is_legacy_if_nothing_is_said() -> None:
    """As in Nova."""
    found = parse_aliases(['{"name": "a", "vendor_id": "10de"}'])
    assert found["a"].policy is NumaPolicy.LEGACY


def test_a_repeated_name_is_an_or_in_the_order_written() -> None:
    """An A100 slice, else an A40 slice; a list of types is an OR too."""
    found = parse_aliases(
        [
            '{"name": "s", "mdev_type": ["x", "y"], "numa_policy": "required"}',
            '[{"name": "s", "vgpu_type": 558}, {"name": "s", "mdev_type": "*"}]',
        ]
    )
    alias = found["s"]
    assert alias.policy is NumaPolicy.REQUIRED
    assert [(want.kind, want.type_id) for want in alias.wants] == [
        (DeviceKind.MDEV, "x"),
        (DeviceKind.MDEV, "y"),
        (DeviceKind.VGPU, "558"),
        (DeviceKind.MDEV, None),
    ]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ('{"vendor_id": "10de"}', "is missing"),
        ('{"name": "", "vendor_id": "10de"}', "is no text"),
        ('{"name": 5, "vendor_id": "10de"}', "is no text"),
        ('{"name": "a,b", "vendor_id": "10de"}', "holds ','"),
        ('{"name": "a:b", "vendor_id": "10de"}', "holds ','"),
        ('{"name": "a\\n", "vendor_id": "10de\\u0000"}', "is no PCI id"),
        ('{"name": "a\\u0007b", "vendor_id": "10de"}', "control character"),
        ('{"name": "a"}', "says nothing of the device"),
        ('{"name": "a", "vendor_id": "*"}', "is no PCI id"),
        ('{"name": "a", "device_type": "type-X"}', "write one of type-MDEV, type-PCI"),
        ('{"name": "a", "device_type": "type-VF", "mdev_type": "x"}', "type-MDEV"),
        ('{"name": "a", "device_type": "type-VF", "vgpu_type": "x"}', "type-VGPU"),
        ('{"name": "a", "mdev_type": "x", "vgpu_type": "y"}', "a rule for each"),
        ('{"name": "a", "vendor_id": "10de", "numa_policy": "near"}', "legacy, pref"),
        ('{"name": "a", "vendor_id": "10de", "colour": 1}', "is not known"),
        ('{"name": "a", "vendor_id": "10de", "capability_type": "usb"}', "one of pci"),
        ('{"name": "a", "resource_class": "PCPU"}', "cells provide"),
        ('{"name": "a", "traits": ["", "b"]}', "is no text"),
        ('{"name": "a", "vendor_id": "10de", "live_migratable": "?"}', "neither yes"),
        ("[[]]", "is not an object"),
        ("nonsense", "is not JSON"),
    ],
)
def test_a_bad_alias_is_told_on_one_line(rule: str, reason: str) -> None:
    """The line names the rule, what is wrong, and the way out."""
    (told,) = problems_of(rule)
    assert told.startswith("[pci] alias rule 1")
    assert reason in told
    assert "\n" not in told


def test_a_name_has_256_characters_at_most() -> None:
    """As in Nova."""
    line = {"name": "x" * 256, "vendor_id": "10de"}
    assert parse_aliases([json.dumps(line)])
    (told,) = problems_of(json.dumps(line | {"name": "x" * 257}))
    assert "shorten it" in told


def test_repeats_must_agree_on_the_policy() -> None:
    """A guest cannot hold to two policies; a silent repeat agrees with any."""
    (told,) = problems_of(
        '{"name": "a", "vendor_id": "10de", "numa_policy": "required"}',
        '{"name": "a", "vendor_id": "8086"}',
        '{"name": "a", "vendor_id": "15b3", "numa_policy": "legacy"}',
    )
    assert "rule 3" in told
    assert "says required before" in told


def test_all_bad_aliases_are_told_at_once() -> None:
    """One start shows everything that is to be mended."""
    assert len(problems_of("{", "5", '{"name": "a", "x": 1, "vendor_id": ""}')) == 4


@given(st.lists(st.dictionaries(KEYS, SMALL).map(json.dumps) | st.text(), max_size=3))
def test_any_text_is_aliases_or_refused(lines: list[str]) -> None:
    """Nothing is raised but Sundog's own errors."""
    try:
        found = parse_aliases(lines)
    except SundogError as error:
        assert isinstance(error, BadConfigurationError)  # noqa: PT017  # either is right
        return
    for name in found:
        assert parse_alias_property(f"{name}:1", found)


def test_each_part_is_a_request_of_its_own() -> None:
    """Spaces are allowed round each part; ids are unique and stable."""
    requests = parse_alias_property(" a : 1,a:2 , big gpu:64,a:01", ALIASES)
    assert [(r.id, r.alias, r.count) for r in requests] == [
        ("a", "a", 1),
        ("a#2", "a", 2),
        ("big gpu", "big gpu", 64),
        ("a#3", "a", 1),
    ]
    assert requests[2].policy is NumaPolicy.REQUIRED
    assert requests[0].wants == ALIASES["a"].wants


def test_ids_stay_unique_whatever_aliases_are_called() -> None:
    """An alias may be called what a repeat would be."""
    twins = {name: Alias(name=name, wants=()) for name in ("a", "a#2")}
    requests = parse_alias_property("a#2:1,a:1,a:1", twins)
    assert [request.id for request in requests] == ["a#2", "a", "a#3"]


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("", "''"),
        ("a", "'a'"),
        ("a:", "'a:'"),
        (":1", "':1'"),
        ("a:x", "'a:x'"),
        ("a:0", "'a:0'"),
        ("a:-1", "'a:-1'"),
        ("a:+1", "'a:+1'"),
        ("a:1.0", "'a:1.0'"),
        ("a:65", "'a:65'"),
        ("a:٣", "'a:٣'"),
        ("a:1:1", "'a:1:1'"),
        ("a:1,", "''"),
        ("a:1,,a:1", "''"),
        ("a:1;a:1", "'a:1;a:1'"),
        ("nope:1", "PCI alias 'nope' is not defined"),
        ("A:1", "PCI alias 'A' is not defined"),
        ("one,two:1", "'one'"),
    ],
)
def test_a_bad_part_is_named(value: str, part: str) -> None:
    """On flavor set and on boot alike; nothing is guessed."""
    with pytest.raises(BadRequestError) as caught:
        parse_alias_property(value, ALIASES)
    told = str(caught.value)
    assert told.startswith("pci_passthrough:alias=")
    assert part in told
    assert "\n" not in told


def test_an_unknown_alias_is_told_with_those_there_are() -> None:
    """The way out is to use one of them, or to define it."""
    with pytest.raises(BadRequestError, match="use one of these: 'a', 'big gpu'"):
        parse_alias_property("nope:1", ALIASES)
    with pytest.raises(BadRequestError, match="none yet"):
        parse_alias_property("nope:1", {})


def test_a_count_of_any_length_is_refused_at_once() -> None:
    """It is not converted, and the message does not repeat it in full."""
    with pytest.raises(BadRequestError) as caught:
        parse_alias_property("a:" + "9" * 100_000, ALIASES)
    assert len(str(caught.value)) < 400


def test_too_many_parts_are_refused_before_they_are_read() -> None:
    """A value of a megabyte must not take long."""
    with pytest.raises(BadRequestError, match="write at most 64"):
        parse_alias_property("a:1," * 250_000, ALIASES)


@given(st.text() | st.text("a:1, -"))
def test_any_text_is_requests_or_refused(value: str) -> None:
    """Nothing is raised but BadRequestError, and counts stay in bounds."""
    try:
        requests = parse_alias_property(value, ALIASES)
    except BadRequestError:
        return
    assert all(1 <= request.count <= 64 for request in requests)
    assert len({request.id for request in requests}) == len(requests)
