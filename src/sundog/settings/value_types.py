"""How the text of an option becomes its value; ValueError says what is wrong."""

from __future__ import annotations

import math
import re
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from sundog.core.choosing.taste import Order
from sundog.core.wording import shown
from sundog.settings.tree import ReservedPages, SimulatedHost

if TYPE_CHECKING:
    from collections.abc import Callable

# Linux allows 8192 CPUs; a number beyond is a slip of the pen.
_MOST_CPUS: Final = 8192
_CPUS: Final = re.compile(r"(\^?)\s*([0-9]{1,9})(?:\s*-\s*([0-9]{1,9}))?", re.ASCII)
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", re.ASCII)
# Guests of another machine would get this one's devices: the host part stays empty.
_LIBVIRT_URI: Final = re.compile(r"qemu(\+unix)?:///(system|session)(\?\S+)?", re.ASCII)
_SIZE: Final = re.compile(r"([0-9]{1,12})\s*(|[KMG])(?:i?B)?", re.ASCII | re.IGNORECASE)
_KB: Final = {"": 1, "K": 1, "M": 1 << 10, "G": 1 << 20}


def cpu_set(text: str) -> frozenset[int]:
    """Read CPU numbers as ``0-3,^1,8``: ranges, numbers, and ``^`` for all but."""
    wanted: set[int] = set()
    unwanted: set[int] = set()
    for part in text.split(","):
        match = _CPUS.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{shown(part.strip())} is no CPU; write 0-3,^1,8")
        first, last = int(match[2]), int(match[3] or match[2])
        if not first <= last < _MOST_CPUS:
            raise ValueError(
                f"{shown(part.strip())} is no range from 0 to {_MOST_CPUS - 1}"
            )
        (unwanted if match[1] else wanted).update(range(first, last + 1))
    if not wanted - unwanted:
        raise ValueError("names no CPU; remove the line if none is meant")
    return frozenset(wanted - unwanted)


def ratio(text: str) -> float:
    """Read an allocation ratio: above 0, no more than 1000."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 1000:  # noqa: PLR2004  said in the message
        raise ValueError(f"{shown(text)} is no ratio; write one as 1.0, up to 1000")
    return value


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from ``least`` to ``most``."""

    def read(text: str) -> int:
        is_number = re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII)
        if not is_number or not least <= int(text) <= most:
            raise ValueError(f"{shown(text)} is no whole number from {least} to {most}")
        return int(text)

    return read


def flag(text: str) -> bool:
    """Read a flag as oslo.config does: true, false, yes, no, on, off, 1, 0."""
    word = text.lower()
    if word not in {"true", "yes", "on", "1", "false", "no", "off", "0"}:
        raise ValueError(f"{shown(text)} is neither true nor false")
    return word in {"true", "yes", "on", "1"}


def order(text: str) -> Order:
    """Read ``pack`` or ``spread``."""
    try:
        return Order(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not known; write pack or spread") from None


def auth_type(text: str) -> str:
    """Read how to speak to Placement, as keystoneauth names it."""
    if text not in {"none", "admin_token"}:
        raise ValueError(f"{shown(text)} is not known; write none or admin_token")
    return text


def connection_uri(text: str) -> str:
    """Read libvirt's URI of this host's QEMU; empty is fine."""
    if text and not _LIBVIRT_URI.fullmatch(text):
        raise ValueError(f"{shown(text)} is no URI of QEMU; write qemu:///system")
    return text


def virt_type(text: str) -> str:
    """Read ``kvm``, or ``qemu`` for emulation."""
    if text not in {"kvm", "qemu"}:
        raise ValueError(f"{shown(text)} is not known; write kvm or qemu")
    return text


def cpu_mode(text: str) -> str:
    """Read how a guest's CPU is made, as Nova names it."""
    known = ("none", "host-model", "host-passthrough", "maximum")
    if text not in known:
        raise ValueError(f"{shown(text)} is not known; write {', '.join(known)}")
    return text


def path(text: str) -> Path:
    """Read a path; it is made absolute, ``~`` is the user's home."""
    if not text:
        raise ValueError("is empty; write a path")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:  # there is no such user
        raise ValueError(f"{shown(text)} is no path: {error}") from None


def ip(text: str) -> str:
    """Read an IPv4 or IPv6 address."""
    return str(ip_address(text))


def host_name(text: str) -> str:
    """Read a host's name."""
    if not _HOST_NAME.fullmatch(text):
        raise ValueError(f"{shown(text)} is no host name; use letters, digits, . _ -")
    return text


def endpoint(text: str) -> str:
    """Read the URL of a service; empty is fine."""
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError(f"{shown(text)} is no URL; write one as http://host:8778")
    return text.rstrip("/")


def reserved_pages(text: str) -> ReservedPages:
    """Read ``node:0,size:2048,count:64``; a size is in KiB or says its unit."""
    said = dict[str, str]()
    for part in text.split(","):
        key, _, value = part.partition(":")
        said[key.strip()] = value.strip()
    size = _SIZE.fullmatch(said.get("size", ""))
    numbers = [said.get("node", ""), said.get("count", "")]
    plain = all(re.fullmatch(r"[0-9]{1,9}", number, re.ASCII) for number in numbers)
    if said.keys() != {"node", "size", "count"} or size is None or not plain:
        raise ValueError(f"{shown(text)} is not as node:0,size:2048,count:64")
    return ReservedPages(
        cell=int(said["node"]),
        size_kb=int(size[1]) * _KB[size[2].upper()],
        count=int(said["count"]),
    )


def simulated_host(text: str) -> SimulatedHost:
    """Read a host file's path or shipped name, or ``name=`` and one of these."""
    before, equals, after = text.strip().partition("=")
    if not equals:
        before, after = "", before
    if not after.strip():
        raise ValueError(f"{shown(text)} names no host file")
    name = host_name(before.strip()) if equals else ""
    return SimulatedHost(file=after.strip(), name=name)
