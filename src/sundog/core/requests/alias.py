"""Aliases, ``[pci] alias``, and the device requests that flavors make of them.

Keys and their meaning are Nova's (``pci/request.py`` of Nova 34), with ``type-MDEV``,
``type-VGPU``, ``mdev_type`` and ``vgpu_type`` beside them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sundog.core.devices.device import DeviceKind
from sundog.core.devices.device_spec import as_class, as_traits
from sundog.core.errors import BadRequestError
from sundog.core.requests.guest_request import (
    DeviceRequest,
    DeviceWant,
    NumaPolicy,
)
from sundog.core.rule_reader import (
    Rule,
    as_choice,
    as_flag,
    as_hex_id,
    as_text,
    as_type_names,
    read_rules,
    refuse_if_any,
)
from sundog.core.wording import listed, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALIAS_KEY: Final = "pci_passthrough:alias"
MOST_DEVICES: Final = 64
_LONGEST_NAME: Final = 256
_KINDS: Final[Mapping[str, DeviceKind | None]] = {
    kind.value: kind for kind in DeviceKind
}
_MADE: Final = {"mdev_type": DeviceKind.MDEV, "vgpu_type": DeviceKind.VGPU}
_POLICIES: Final[Mapping[str, NumaPolicy | None]] = {
    policy.value: policy for policy in NumaPolicy
}
_CRITERIA: Final = frozenset(
    {
        "vendor_id",
        "product_id",
        "device_type",
        "mdev_type",
        "vgpu_type",
        "resource_class",
        "traits",
    }
)
_KEYS: Final = _CRITERIA | {
    "name",
    "numa_policy",
    "live_migratable",
    "capability_type",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name for a device: any of ``wants``, tried in the order written."""

    name: str
    wants: tuple[DeviceWant, ...]
    policy: NumaPolicy = NumaPolicy.LEGACY


def parse_aliases(lines: Sequence[str]) -> Mapping[str, Alias]:
    """Read the aliases, each line a JSON object or a list of them, by name.

    Raises BadConfigurationError with every problem of every rule.
    """
    rules, told = read_rules("[pci] alias", lines)
    wants: dict[str, tuple[DeviceWant, ...]] = {}
    policies: dict[str, NumaPolicy] = {}
    for rule in rules:
        rule.refuse_unknown(_KEYS)
        _check_together(rule)
        name = rule.read("name", _as_name, "")
        if not name:
            continue
        wants[name] = wants.get(name, ()) + _read_wants(rule)
        policy = rule.read("numa_policy", as_choice(_POLICIES), None)
        # A repeat that is silent goes with what the others say.
        if policy is not None and policies.setdefault(name, policy) is not policy:
            rule.tell(
                "numa_policy",
                f"alias {shown(name)} says {policies[name].value} before; "
                "write the same one for each repeat",
            )
    refuse_if_any(told)
    return MappingProxyType(
        {
            name: Alias(
                name=name, wants=found, policy=policies.get(name, NumaPolicy.LEGACY)
            )
            for name, found in wants.items()
        }
    )


def _check_together(rule: Rule) -> None:
    if "name" not in rule:
        rule.tell("name", "is missing; add the name that flavors use")
    if not any(key in rule for key in _CRITERIA):
        rule.tell("name", f"says nothing of the device; add {listed(_CRITERIA)}")
    if "mdev_type" in rule and "vgpu_type" in rule:
        rule.tell("vgpu_type", "stands beside mdev_type; write a rule for each")
    for key, kind in _MADE.items():
        if key in rule and rule.raw("device_type") not in (None, kind.value):
            rule.tell("device_type", f"stands beside {key}; write {kind.value}")


def _read_wants(rule: Rule) -> tuple[DeviceWant, ...]:
    kind: DeviceKind | None = rule.read("device_type", as_choice(_KINDS), None)
    types: tuple[str, ...] = ()
    for key, made in _MADE.items():
        if key in rule:
            kind = made
            types = rule.read(key, as_type_names, types)
    rule.read("capability_type", as_choice({"pci": "pci"}), "")
    vendor_id = rule.read("vendor_id", as_hex_id, None)
    product_id = rule.read("product_id", as_hex_id, None)
    resource_class = rule.read("resource_class", as_class, None)
    traits: frozenset[str] = rule.read("traits", as_traits, frozenset())
    live_migratable = rule.read("live_migratable", as_flag, None)
    return tuple(
        DeviceWant(
            vendor_id=vendor_id,
            product_id=product_id,
            kind=kind,
            type_id=None if type_id == "*" else type_id,
            resource_class=resource_class,
            traits=traits,
            live_migratable=live_migratable,
        )
        for type_id in types or ("*",)
    )


def _as_name(value: object) -> str:
    name = as_text(value)
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"is longer than {_LONGEST_NAME} characters; shorten it")
    if "," in name or ":" in name or not name.isprintable():
        raise ValueError("holds ',' or ':' or a control character; flavors cannot ask")
    return name


def parse_alias_property(
    value: str, aliases: Mapping[str, Alias], key: str = ALIAS_KEY
) -> tuple[DeviceRequest, ...]:
    """Read ``pci_passthrough:alias``: ``name:count`` parts with commas between.

    Each part is a request of its own. Its id is the alias's name, with ``#2`` and so
    on for further requests of the same name. Raises BadRequestError naming the ``key``
    that holds it and the part at fault.
    """
    requests: dict[str, DeviceRequest] = {}
    parts = value.split(",")
    if len(parts) > MOST_DEVICES:
        raise BadRequestError(
            f"{key}={shown(value)} has {len(parts)} parts; write at most {MOST_DEVICES}"
        )
    for part in parts:
        alias, count = _read_part(part, f"{key}={shown(value)}", aliases)
        name, repeat = alias.name, 2
        while name in requests:
            name, repeat = f"{alias.name}#{repeat}", repeat + 1
        requests[name] = DeviceRequest(
            id=name,
            alias=alias.name,
            count=count,
            policy=alias.policy,
            wants=alias.wants,
        )
    return tuple(requests.values())


def _read_part(
    part: str, setting: str, aliases: Mapping[str, Alias]
) -> tuple[Alias, int]:
    name, colon, count = (piece.strip() for piece in part.partition(":"))
    where = f"{setting}: the part {shown(part)}"
    if not colon or not name:
        raise BadRequestError(f"{where} is not name:count; write for example 'a:1'")
    digits = re.fullmatch(r"0*([0-9]{1,9})", count, re.ASCII)
    if digits is None or not 1 <= int(digits[1]) <= MOST_DEVICES:
        raise BadRequestError(
            f"{where} has the count {shown(count)}; write a number from 1 to "
            f"{MOST_DEVICES}"
        )
    alias = aliases.get(name)
    if alias is None:
        known = listed(shown(known) for known in aliases) or "none yet"
        raise BadRequestError(
            f"{where}: PCI alias {shown(name)} is not defined; define it in "
            f"[pci] alias or use one of these: {known}"
        )
    return alias, int(digits[1])
