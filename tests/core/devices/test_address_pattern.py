"""A pattern means the addresses that a naive reading of it means."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sundog.core.devices.address_pattern import AddressPattern
from sundog.core.devices.pci_address import PciAddress

NAMES = ("domain", "bus", "slot", "function")
DIGITS = {"domain": 4, "bus": 2, "slot": 2, "function": 1}
# Few numbers, so that patterns and addresses meet.
NUMBERS = st.sampled_from([0, 1, 0x0A, 0x1F])
ADDRESSES = st.builds(PciAddress, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
PARTS = st.one_of(st.none(), NUMBERS)
REGEXES = st.sampled_from(
    [
        "",
        ".*",
        "0",
        "00",
        "0a",
        "0.",
        "[0-9]+",
        "0*1?a?",
        "0(1|a)",
        "a|1f",
        "1F",
        "f{1}",
    ]
)


def written(part: int | None) -> str:
    """Write a part of a glob."""
    return "*" if part is None else f"{part:x}"


@given(ADDRESSES, PARTS, PARTS, PARTS, PARTS)
def test_a_glob_means_what_each_part_says(
    address: PciAddress,
    domain: int | None,
    bus: int | None,
    slot: int | None,
    function: int | None,
) -> None:
    """A part is a number or ``*``."""
    d, b, s, f = map(written, (domain, bus, slot, function))
    pattern = AddressPattern.parse(f"{d}:{b}:{s}.{f}")
    wanted = (domain, bus, slot, function)
    found = (address.domain, address.bus, address.slot, address.function)
    naive = all(w in (None, n) for w, n in zip(wanted, found, strict=True))
    assert pattern.matches(address) is naive


@given(ADDRESSES, st.dictionaries(st.sampled_from(NAMES), REGEXES))
def test_a_regex_means_the_whole_padded_part(
    address: PciAddress, regexes: dict[str, str]
) -> None:
    """Parts are zero-padded; a blank or missing regex is any."""
    naive = all(
        not regexes.get(name)
        or re.fullmatch(
            regexes[name], f"{getattr(address, name):0{DIGITS[name]}x}", re.IGNORECASE
        )
        for name in NAMES
    )
    assert AddressPattern.parse(regexes).matches(address) is naive


def test_a_regex_matches_the_whole_part_and_no_prefix() -> None:
    """Nova lets the regex "0" match the bus 0a; here it must match all of it."""
    assert not AddressPattern.parse({"bus": "0"}).matches(PciAddress(0, 0x0A, 0, 0))
    assert AddressPattern.parse({"bus": "0."}).matches(PciAddress(0, 0x0A, 0, 0))


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("*", "abcd:0a:1f.7"),
        ("", "abcd:0a:1f.7"),
        ("0a:*", "abcd:0a:1f.7"),
        ("1f", "abcd:0a:1f.7"),
        (":0a:.7", "abcd:0a:1f.7"),
        ("*:*:*.7", "abcd:0a:1f.7"),
        ("10000:0a:*.*", "10000:0a:1f.7"),
        ("ABCD : 0A : 1F . 7", "abcd:0a:1f.7"),
    ],
)
def test_missing_parts_of_a_glob_are_any(text: str, means: str) -> None:
    """Also domains of more than 16 bits, which Nova skips."""
    assert AddressPattern.parse(text).matches(PciAddress.parse(means))


def test_only_one_full_address_is_exact() -> None:
    """As a glob or as literal regexes; anything looser is not."""
    address = PciAddress(0, 0x84, 0, 1)
    assert AddressPattern.parse("0000:84:00.1").exact == address
    literal = {"domain": "0000", "bus": "84", "slot": "00", "function": "1"}
    assert AddressPattern.parse(literal).exact == address
    assert AddressPattern.parse("84:00.1").exact is None
    assert AddressPattern.parse(literal | {"bus": "8."}).exact is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (5, "neither a glob"),
        (None, "neither a glob"),
        ("0:0:0:0.0", "too many ':'"),
        ("0?:00.0", "bus '0\\?'"),
        ("0:100:0.0", "up to ff"),
        ("00:20.0", "up to 1f"),
        ("100000000:00:00.0", "domain"),
        ({"bux": "0"}, "'bux'"),
        ({"bus": 5}, "write regexes as text"),
        ({"bus": "("}, "cannot be used"),
        ({"bus": "["}, "not understood"),
        ({"bus": "[z-a]"}, "not understood"),
        ({"bus": "[9-0]"}, "bad character range"),
        ({"bus": "*0"}, "nothing to repeat"),
        ({"slot": "ff"}, "up to 1f"),
        ({"bus": "(a*)*"}, "a group is repeated"),
        ({"bus": "(a|b)+"}, "a group is repeated"),
        ({"bus": "(a){2}"}, "a group is repeated"),
        ({"bus": r"(.)\1"}, "not understood"),
        ({"bus": "(?P<x>a)"}, "not understood"),
        ({"bus": ".?" * 9}, "more than 8 choices"),
        ({"bus": "(a|b|c|d|e)(a|b|c|d|e|f)"}, "more than 8 choices"),
        ({"bus": "0" * 65}, "longer than 64"),
    ],
)
def test_what_cannot_be_a_pattern_says_why(value: object, reason: str) -> None:
    """Runaway regexes are refused before they are compiled."""
    with pytest.raises(ValueError, match=reason):
        AddressPattern.parse(value)


def test_many_alternatives_of_a_whole_part_are_no_runaway() -> None:
    """Alternatives outside groups are tried one after the other."""
    pattern = AddressPattern.parse({"bus": "|".join(f"{n:02x}" for n in range(16))})
    assert pattern.matches(PciAddress(0, 15, 0, 0))
    assert not pattern.matches(PciAddress(0, 16, 0, 0))


@given(st.dictionaries(st.sampled_from(NAMES), st.text("0a.*+?()[]|{}2,^$\\d-!:=")))
def test_any_regex_is_used_or_refused(regexes: dict[str, str]) -> None:
    """Parsing raises nothing but ValueError, and no match takes long."""
    try:
        pattern = AddressPattern.parse(regexes)
    except ValueError:
        return
    pattern.matches(PciAddress(0xAAAAAAAA, 0xAA, 0x0A, 0xA))
