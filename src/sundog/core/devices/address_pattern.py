"""Which PCI addresses a whitelist rule means: a glob, or a regex for each part.

A regex is bounded before it is compiled: it is short, is built only of the few
constructs that a part of an address can need, and makes few choices, so that no
match can take long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from sundog.core.devices.pci_address import PciAddress
from sundog.core.wording import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

# Name, digits that the kernel prints at least, and the largest number.
_PARTS: Final = {
    "domain": (4, 0xFFFFFFFF),
    "bus": (2, 0xFF),
    "slot": (2, 0x1F),
    "function": (1, 0xFF),
}
_HEX: Final = re.compile(r"[0-9a-f]{1,8}", re.ASCII)
_LONGEST_REGEX: Final = 64
_MOST_CHOICES: Final = 8
_TOKEN: Final = re.compile(
    r"""(?P<repeated_group>\)(?:[*+?]|\{\d))
      | (?P<repeat>[*+?]|\{\d{1,2}(?:,\d{0,2})?\})
      | (?P<open>\((?:\?[:=!])?)
      | (?P<close>\))
      | (?P<bar>\|)
      | \[\^?(?:[0-9A-Fa-f](?:-[0-9A-Fa-f])?|\\d)+\]
      | \\[dw]
      | [0-9A-Za-z.^$]
    """,
    re.ASCII | re.VERBOSE,
)

Part = int | re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class AddressPattern:
    """A pattern of PCI addresses.

    Each part is a number, a regex for the whole zero-padded part in lower case, or
    None for any.
    """

    domain: Part = None
    bus: Part = None
    slot: Part = None
    function: Part = None

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a glob (text) or an object of regexes, as a rule's ``address`` holds it.

        Raises ValueError with the reason and the way out.
        """
        if isinstance(value, str):
            return cls(*_read_glob(value))
        if isinstance(value, dict):
            return cls(*_read_regexes(value))
        raise ValueError(
            "is neither a glob like '0000:84:*.*' nor an object of regexes"
        )

    @property
    def exact(self) -> PciAddress | None:
        """The one address that it means, or None if it may mean several."""
        match (self.domain, self.bus, self.slot, self.function):
            case (int(domain), int(bus), int(slot), int(function)):
                return PciAddress(domain, bus, slot, function)
            case _:
                return None

    def matches(self, address: PciAddress) -> bool:
        """Whether the pattern means ``address``."""
        return all(
            _part_matches(getattr(self, name), getattr(address, name), digits)
            for name, (digits, _) in _PARTS.items()
        )


def _part_matches(part: Part, number: int, digits: int) -> bool:
    if part is None:
        return True
    if isinstance(part, int):
        return part == number
    return part.fullmatch(f"{number:0{digits}x}") is not None


def _read_glob(text: str) -> list[Part]:
    head, dot, function = text.strip().lower().partition(".")
    parts = head.split(":")
    if len(parts) > 3:  # noqa: PLR2004  # domain, bus and slot
        raise ValueError("has too many ':'; write [[[domain]:]bus:]slot[.function]")
    padded = [*[""] * (3 - len(parts)), *parts, function if dot else ""]
    return [
        _read_glob_part(name, part.strip())
        for name, part in zip(_PARTS, padded, strict=True)
    ]


def _read_glob_part(name: str, text: str) -> int | None:
    if text in ("", "*"):
        return None
    largest = _PARTS[name][1]
    if _HEX.fullmatch(text) is None or int(text, 16) > largest:
        raise ValueError(
            f"has the {name} {shown(text)}; write a hexadecimal number up to "
            f"{largest:x}, or '*'"
        )
    return int(text, 16)


def _read_regexes(patterns: Mapping[object, object]) -> list[Part]:
    for name, value in patterns.items():
        if name not in _PARTS or not isinstance(value, str):
            raise ValueError(
                f"has {shown(name)}: {shown(value)}; write regexes as text for "
                f"{', '.join(_PARTS)}"
            )
    return [_read_regex(name, str(patterns.get(name, ""))) for name in _PARTS]


def _read_regex(name: str, text: str) -> Part:
    digits = _PARTS[name][0]
    if text in ("", ".*", "*"):
        return None
    low = text.lower()
    if _HEX.fullmatch(low) and f"{int(low, 16):0{digits}x}" == low:
        return _read_glob_part(name, low)
    try:
        _check_bounded(text)
        return re.compile(text, re.ASCII | re.IGNORECASE)
    except (re.error, OverflowError) as error:
        raise ValueError(
            f"has for {name} the regex {shown(text)}, which cannot be used: {error}"
        ) from error


def _check_bounded(text: str) -> None:
    """Refuse what could run away; raises re.error with the way out.

    Nested repeats, back-references and too many choices are what makes matching
    explode; eight choices on eight characters are at most 12,870 ways.
    """
    if len(text) > _LONGEST_REGEX:
        raise re.error(f"it is longer than {_LONGEST_REGEX} characters; use two rules")
    position = depth = choices = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise re.error(
                f"{shown(text[position:])} is not understood here; write hex digits, "
                "'.', [..], |, groups, and repeats of single characters"
            )
        if token["repeated_group"]:
            raise re.error("a group is repeated; repeat single characters only")
        depth += bool(token["open"]) - bool(token["close"])
        choices += bool(token["repeat"]) or (bool(token["bar"]) and depth > 0)
        position = token.end()
    if choices > _MOST_CHOICES:
        raise re.error(f"it makes more than {_MOST_CHOICES} choices; use two rules")
