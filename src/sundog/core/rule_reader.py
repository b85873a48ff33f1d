"""Reading the operator's rules: lines of JSON, every problem kept, none thrown.

Device specs and aliases are both written so: each line holds a JSON object or a list
of objects.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, TypeVar

from sundog.core.errors import BadConfigurationError
from sundog.core.wording import listed, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

_T = TypeVar("_T")
_YES: Final = frozenset({"1", "t", "true", "on", "y", "yes"})
_NO: Final = frozenset({"0", "f", "false", "off", "n", "no"})
_HEX_ID: Final = re.compile(r"(?:0x)?([0-9a-f]{1,4})", re.ASCII | re.IGNORECASE)


class Rule:
    """One JSON object of the configuration, read key by key.

    A key that cannot be used adds a problem and reads as if it were absent, so that
    one pass finds everything that is wrong.
    """

    def __init__(self, where: str, values: dict[str, object], told: list[str]) -> None:
        """Read ``values``; ``where`` names the rule, problems are added to ``told``."""
        self.where = where
        self._values = values
        self._told = told

    def __contains__(self, key: str) -> bool:
        """Whether the rule has the key."""
        return key in self._values

    def tell(self, key: str, reason: str) -> None:
        """Keep a problem with a key and its value."""
        value = shown(self._values.get(key))
        self._told.append(f"{self.where}: key {shown(key)}, value {value}: {reason}")

    def raw(self, key: str) -> object:
        """Return the key's value as JSON has it; None if the key is absent."""
        return self._values.get(key)

    def read(self, key: str, parse: Callable[[object], _T], absent: _T) -> _T:
        """Read a key by a function whose ValueError is the problem."""
        if key not in self._values:
            return absent
        try:
            return parse(self._values[key])
        except ValueError as error:
            self.tell(key, str(error))
            return absent

    def rest(self, known: Collection[str]) -> list[str]:
        """Return the keys that are not among ``known``, in order."""
        return sorted(key for key in self._values if key not in known)

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Keep a problem for each key that is not among ``known``."""
        for key in self.rest(known):
            self.tell(key, f"is not known; the keys are {', '.join(sorted(known))}")


def read_rules(option: str, lines: Sequence[str]) -> tuple[list[Rule], list[str]]:
    """Return the rules on ``lines`` and the list that keeps their problems.

    ``option`` is the setting's name; rules are numbered from 1, those of a list on
    line 2 as 2.1, 2.2 and so on.
    """
    told: list[str] = []
    rules: list[Rule] = []
    for number, line in enumerate(lines, 1):
        where = f"{option} rule {number}"
        try:
            value = json.loads(
                line, object_pairs_hook=_refuse_repeats, parse_constant=_refuse_number
            )
        except RecursionError:
            told.append(
                f"{where}: {shown(line)} is nested too deeply; write one object"
            )
            continue
        except ValueError as error:
            told.append(f"{where}: {shown(line)} is not JSON that can be used: {error}")
            continue
        in_list = isinstance(value, list)
        for index, item in enumerate(value if in_list else [value], 1):
            name = f"{where}.{index}" if in_list else where
            if isinstance(item, dict):
                rules.append(Rule(name, item, told))
            else:
                told.append(f"{name}: {shown(item)} is not an object; write {{...}}")
    return rules, told


def refuse_if_any(told: Sequence[str]) -> None:
    """Raise BadConfigurationError with all problems, if there are any."""
    if told:
        raise BadConfigurationError(*told)


def as_text(value: object) -> str:
    """Read text that is not blank, without the spaces round it."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("is no text; write it in quotes")
    return value.strip()


def as_flag(value: object) -> bool:
    """Read a flag as Nova does: a JSON bool, or yes, true, on, 1, t, y, no, ..."""
    word = str(value).strip().lower() if isinstance(value, bool | int | str) else ""
    if word not in _YES | _NO:
        raise ValueError("is neither yes nor no; write true or false")
    return word in _YES


def as_hex_id(value: object) -> str:
    """Read a vendor or product id; the answer is 4 lower-case hex digits."""
    match = _HEX_ID.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is no PCI id; write up to 4 hexadecimal digits in quotes")
    return match[1].lower().zfill(4)


def as_count(value: object, largest: int) -> int:
    """Read a whole number from 1 to ``largest``, written as a number or as text."""
    text = str(value).strip() if isinstance(value, int | str) else ""
    digits = re.fullmatch(r"0*([0-9]{1,9})", text, re.ASCII)
    if digits is None or not 1 <= int(digits[1]) <= largest:
        raise ValueError(f"is no whole number from 1 to {largest}; write one")
    return int(digits[1])


def as_texts(value: object) -> tuple[str, ...]:
    """Read a list of texts, or one text with commas; none of them blank."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not parts:
        raise ValueError("is no list of names; write one name or a list of names")
    return tuple(as_text(part) for part in parts)


def as_type_names(value: object) -> tuple[str, ...]:
    """Read one type or a list of types; a vGPU type may be named by its number."""
    items = value if isinstance(value, list) else [value]
    return as_texts(
        [
            str(item) if isinstance(item, int) and not isinstance(item, bool) else item
            for item in items
        ]
    )


def as_choice(choices: Mapping[str, _T]) -> Callable[[object], _T]:
    """Return a reader of one of the words in ``choices``."""

    def read(value: object) -> _T:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"is not known; write one of {listed(choices)}")
        return choices[value]

    return read


def _refuse_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    seen: dict[str, object] = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"the key {shown(key)} stands twice; write it once")
        seen[key] = value
    return seen


def _refuse_number(word: str) -> object:
    raise ValueError(f"{word} is not a number that JSON knows")
