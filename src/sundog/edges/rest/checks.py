"""Checks of single values in request bodies, as Nova's schemas make them."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

import msgspec

from sundog.edges.rest.errors import Fault
from sundog.edges.rest.query import as_flag

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_INT: Final = 2**31 - 1
_LONGEST: Final = 255
_LONGEST_DESCRIPTION: Final = 65535
_DIGITS: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_HOST_LABEL: Final = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?", re.ASCII)
_LONGEST_LABEL: Final = 63


def name(field: str, value: str) -> str:
    """Return a name of 1 to 255 printable characters, no space at its ends."""
    if not 1 <= len(value) <= _LONGEST or value != value.strip():
        raise Fault(
            400,
            f"Invalid input for field/attribute {field}. Value: {value[:80]!r}. It "
            "must have 1 to 255 characters and no space at its ends.",
        )
    _refuse_unprintable(field, value)
    return value


def description(field: str, value: str | None) -> str | None:
    """Return a text of at most 65535 characters, line breaks allowed."""
    if value is None:
        return None
    if len(value) > _LONGEST_DESCRIPTION:
        raise Fault(400, f"Invalid input for field/attribute {field}: it is too long.")
    _refuse_unprintable(field, value, allowed="\n\r\t")
    return value


def whole(field: str, value: int | str, *, least: int, most: int = LARGEST_INT) -> int:
    """Return a number that may be written as text; raises Fault 400."""
    if isinstance(value, str):
        read = int(value) if _DIGITS.fullmatch(value) else None
    else:
        read = value
    if read is None or not least <= read <= most:
        raise Fault(
            400,
            f"Invalid input for field/attribute {field}. Value: {str(value)[:80]!r}."
            f" It must be a whole number from {least} to {most}.",
        )
    return read


def flag(field: str, value: bool | str | int) -> bool:  # noqa: FBT001 - JSON's value
    """Return a boolean that may be written as text or 0 and 1; raises Fault 400."""
    read = (
        as_flag(str(value)) if not isinstance(value, int) or value in (0, 1) else None
    )
    if read is None:
        raise Fault(
            400,
            f"Invalid input for field/attribute {field}. Value: {str(value)[:80]!r}."
            " It must be true or false.",
        )
    return read


def pairs(
    field: str, value: Mapping[str, str], keys: re.Pattern[str]
) -> dict[str, str]:
    """Return texts of at most 255 characters under keys of a form."""
    for key, text in value.items():
        if not keys.fullmatch(key):
            raise Fault(
                400,
                f"Invalid input for field/attribute {field}: the key {key[:80]!r} must "
                "have 1 to 255 letters, digits, spaces and - _ : .",
            )
        if len(text) > _LONGEST:
            raise Fault(
                400,
                f"Invalid input for field/attribute {key}: its value is longer than "
                f"{_LONGEST} characters.",
            )
        _refuse_unprintable(key, text, allowed="\n\r\t")
    return dict(value)


def hostname(value: str, *, domain: bool) -> str:
    """Return a host name, or with ``domain`` a full domain name."""
    labels = value.split(".") if domain else [value]
    if len(value) > _LONGEST or not all(
        len(label) <= _LONGEST_LABEL and _HOST_LABEL.fullmatch(label)
        for label in labels
    ):
        raise Fault(
            400,
            f"Invalid input for field/attribute hostname. Value: {value[:80]!r} is not "
            "a host name.",
        )
    return value


def address(field: str, value: str | None, version: int) -> str:
    """Return an IP address of a version in its shortest form, or nothing."""
    if not value:
        return ""
    reader = IPv4Address if version == 4 else IPv6Address  # noqa: PLR2004 - IPv4
    try:
        return str(reader(value))
    except ValueError:
        raise Fault(
            400,
            f"Invalid input for field/attribute {field}. Value: {value[:80]!r} is not "
            f"a 'ipv{version}'",
        ) from None


def refuse_early(body: msgspec.Struct, since: Mapping[str, int], version: int) -> None:
    """Raise Fault 400 for fields that a microversion does not know yet."""
    for field, first in since.items():
        if version < first and getattr(body, field) is not msgspec.UNSET:
            raise Fault(
                400,
                f"Additional properties are not allowed ({field!r} was unexpected); "
                f"it comes with microversion 2.{first}.",
            )


def _refuse_unprintable(field: str, value: str, allowed: str = "") -> None:
    for character in value:
        # Cc: control characters; Cs: lone surrogates, which no UTF-8 can carry.
        if character not in allowed and unicodedata.category(character) in ("Cc", "Cs"):
            raise Fault(
                400,
                f"Invalid input for field/attribute {field}: it holds a character that "
                "cannot be printed.",
            )
