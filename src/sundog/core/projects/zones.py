"""Which hosts a zone, or what a flavor asks of aggregates, closes to a server."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Final

from sundog.core.choosing.shortages import Shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sundog.core.projects.aggregates import Aggregates

# Extra specs of this scope are asked of the metadata of a host's aggregates.
SCOPE: Final = "aggregate_instance_extra_specs:"

_OR: Final = "<or>"
_NUMBERS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
}
_TEXTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "s==": operator.eq,
    "s!=": operator.ne,
    "s<": operator.lt,
    "s<=": operator.le,
    "s>": operator.gt,
    "s>=": operator.ge,
    "<in>": operator.contains,
}


def asks_of_aggregates(zone: str, specs: Mapping[str, str]) -> bool:
    """Whether it matters which aggregates a host is in."""
    return bool(zone) or any(key.startswith(SCOPE) for key in specs)


def closed_hosts(
    aggregates: Aggregates,
    hosts: Iterable[str],
    zone: str,
    specs: Mapping[str, str],
) -> dict[str, Shortage]:
    """Return the hosts that a server may not go to, each with what it lacks.

    ``zone`` is empty for any; ``specs`` are the flavor's extra specs. A host passes a
    spec when one of its aggregates has a value that does.
    """
    wanted = {
        key.removeprefix(SCOPE): text
        for key, text in specs.items()
        if key.startswith(SCOPE)
    }
    closed = dict[str, Shortage]()
    for host in hosts:
        lacks = _outside(aggregates, host, zone) or _unlike(aggregates, host, wanted)
        if lacks is not None:
            closed[host] = lacks
    return closed


def closed_by_hints(
    hosts: Iterable[str], near: frozenset[str] | None, apart: frozenset[str]
) -> dict[str, Shortage]:
    """Return the hosts that hints close: ``near`` None is no hint to be somewhere."""
    closed = dict[str, Shortage]()
    for host in hosts:
        if near is not None and host not in near:
            closed[host] = _hinted("hold no server of the hint same_host", "same_host")
        elif host in apart:
            hint = "different_host"
            closed[host] = _hinted(f"hold a server of the hint {hint}", hint)
    return closed


def matches(value: str, wanted: str) -> bool:
    """Tell whether a value is as an extra spec wants it.

    The operators are Nova's; a text without one is wanted as it is written.
    """
    sign, _, rest = wanted.strip().partition(" ")
    operand = rest.strip()
    if sign == _OR:
        return value in {one.strip() for one in operand.split(_OR)}
    if sign == "<all-in>":
        return bool(operand) and all(word in value for word in operand.split())
    if sign in _TEXTS:
        return bool(operand) and _TEXTS[sign](value, operand)
    if sign in _NUMBERS:
        try:
            return _NUMBERS[sign](float(value), float(operand))
        except ValueError:
            return False
    return value == wanted


def _hinted(lack: str, hint: str) -> Shortage:
    detail = lack.replace("hold", "holds", 1)
    return Shortage(lack, 0.0, detail, f"ask without {hint}, or for other servers")


def _outside(aggregates: Aggregates, host: str, zone: str) -> Shortage | None:
    actual = aggregates.zone_of(host)
    if not zone or actual == zone:
        return None
    return Shortage(
        f"are not in availability zone {zone}",
        0.0,
        f"is in availability zone {actual}, not in {zone}",
        f"add hosts to availability zone {zone}, or ask for another",
    )


def _unlike(
    aggregates: Aggregates, host: str, wanted: Mapping[str, str]
) -> Shortage | None:
    member_of = aggregates.of(host)
    for key, text in wanted.items():
        if not any(
            key in one.metadata and matches(one.metadata[key], text)
            for one in member_of
        ):
            lack = f"are in no aggregate with {key}={text}"
            remedy = f"add hosts to an aggregate with {key}={text}"
            return Shortage(lack, 0.0, lack.replace("are", "is", 1), remedy)
    return None
