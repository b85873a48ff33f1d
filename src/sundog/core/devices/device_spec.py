"""The whitelist, ``[pci] device_spec``: which of a host's functions are offered.

Keys and their meaning are Nova's (``conf/pci.py`` of Nova 34), with ``mdev_type``,
``vgpu_type`` and ``sriov_numvfs`` beside them.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from sundog.core.devices import placement_names
from sundog.core.devices.address_pattern import AddressPattern
from sundog.core.devices.device import DeviceKind, DeviceTags
from sundog.core.rule_reader import (
    Rule,
    as_count,
    as_flag,
    as_hex_id,
    as_text,
    as_texts,
    as_type_names,
    read_rules,
    refuse_if_any,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.devices.device import MdevType, PciFunction

ANY_TYPE: Final = frozenset({"*"})
_MOST_VFS: Final = 65535
_MOST_INSTANCES: Final = 65535
_KEYS: Final = frozenset(
    {
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
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSpec:
    """One whitelist rule.

    ``where`` names it in messages. ``mdev_types`` and ``vgpu_types`` are empty for a
    rule that offers whole functions, and ANY_TYPE for ``*``. ``sriov_numvfs`` is how
    many VFs the rule wants enabled on the PFs that it matches, None to leave them.
    """

    where: str
    vendor_id: str | None = None
    product_id: str | None = None
    address: AddressPattern = field(default_factory=AddressPattern)
    devname: str | None = None
    mdev_types: frozenset[str] = frozenset()
    vgpu_types: frozenset[str] = frozenset()
    sriov_numvfs: int | None = None
    tags: DeviceTags = field(default_factory=DeviceTags)

    @property
    def offers_types(self) -> bool:
        """Whether it offers the types that a function may make, not the function."""
        return bool(self.mdev_types or self.vgpu_types)

    def matches(self, function: PciFunction, parent: PciFunction | None = None) -> bool:
        """Whether the rule means ``function``; ``parent`` is its PF, if it is a VF.

        A full address and a ``devname`` that mean a PF mean its VFs too.
        """
        return (
            self.vendor_id in (None, function.vendor_id)
            and self.product_id in (None, function.product_id)
            and self._means_address(function)
            and self._means_netdev(function, parent)
        )

    def makes(self, kind: DeviceKind, made: MdevType) -> bool:
        """Whether mdevs, or vGPUs, of a type are offered by this rule.

        A vGPU's type may be written by its name, too.
        """
        if kind is DeviceKind.VGPU:
            names = {made.id, made.name}
            return self.vgpu_types == ANY_TYPE or not names.isdisjoint(self.vgpu_types)
        return self.mdev_types == ANY_TYPE or made.id in self.mdev_types

    def _means_address(self, function: PciFunction) -> bool:
        if self.address.matches(function.address):
            return True
        return function.parent is not None and function.parent == self.address.exact

    def _means_netdev(self, function: PciFunction, parent: PciFunction | None) -> bool:
        return (
            self.devname is None
            or self.devname in function.netdevs
            or (parent is not None and self.devname in parent.netdevs)
        )


def first_match(
    specs: Sequence[DeviceSpec],
    function: PciFunction,
    parent: PciFunction | None = None,
) -> DeviceSpec | None:
    """Return the first rule that means ``function``: it alone decides."""
    return next((spec for spec in specs if spec.matches(function, parent)), None)


def parse_device_specs(lines: Sequence[str]) -> tuple[DeviceSpec, ...]:
    """Read the whitelist, each line a JSON object or a list of them.

    Raises BadConfigurationError with every problem of every rule.
    """
    rules, told = read_rules("[pci] device_spec", lines)
    specs = tuple(_read_spec(rule) for rule in rules)
    refuse_if_any(told)
    return specs


def _read_spec(rule: Rule) -> DeviceSpec:
    _check_together(rule)
    return DeviceSpec(
        where=rule.where,
        vendor_id=rule.read("vendor_id", _as_id_or_any, None),
        product_id=rule.read("product_id", _as_id_or_any, None),
        address=rule.read("address", AddressPattern.parse, AddressPattern()),
        devname=rule.read("devname", as_text, None),
        mdev_types=rule.read("mdev_type", _as_types, frozenset()),
        vgpu_types=rule.read("vgpu_type", _as_types, frozenset()),
        sriov_numvfs=rule.read(
            "sriov_numvfs", partial(as_count, largest=_MOST_VFS), None
        ),
        tags=_read_tags(rule),
    )


def _check_together(rule: Rule) -> None:
    if "devname" in rule and "address" in rule:
        rule.tell("devname", "stands beside address; write only one of them")
    if "mdev_type" in rule and "vgpu_type" in rule:
        rule.tell("vgpu_type", "stands beside mdev_type; write a rule for each")
    if "max_instances" in rule and not ("mdev_type" in rule or "vgpu_type" in rule):
        rule.tell(
            "max_instances", "caps the vGPUs of a card; add mdev_type or vgpu_type"
        )
    if "one_type" in rule and not ("mdev_type" in rule or "vgpu_type" in rule):
        rule.tell("one_type", "is about vGPUs; add mdev_type or vgpu_type")


def _read_tags(rule: Rule) -> DeviceTags:
    once = rule.read("one_time_use", as_flag, absent=False)
    if once and ("mdev_type" in rule or "vgpu_type" in rule):
        rule.tell("one_time_use", "is for whole functions and PFs, not for vGPUs")
    if "cleaning_command" in rule and not once:
        rule.tell("cleaning_command", "cleans what is used once; add one_time_use")
    return DeviceTags(
        resource_class=rule.read("resource_class", as_class, ""),
        traits=rule.read("traits", as_traits, frozenset()),
        managed=rule.read("managed", as_flag, absent=True),
        live_migratable=rule.read("live_migratable", as_flag, None),
        physical_network=rule.read("physical_network", _as_text_or_null, None),
        trusted=rule.read("trusted", as_flag, absent=False),
        one_time_use=once,
        cleaning_command=rule.read("cleaning_command", _as_command, ()),
        max_instances=rule.read(
            "max_instances", partial(as_count, largest=_MOST_INSTANCES), None
        ),
        one_type=rule.read("one_type", as_flag, None),
        other=tuple((key, _as_tag(rule.raw(key))) for key in rule.rest(_KEYS)),
    )


def as_traits(value: object) -> frozenset[str]:
    """Read a list of traits, or text with commas, in Placement's spelling."""
    return frozenset(placement_names.trait(name) for name in as_texts(value))


def as_class(value: object) -> str:
    """Read a resource class of a device, in Placement's spelling."""
    return placement_names.resource_class(as_text(value))


def _as_id_or_any(value: object) -> str | None:
    return None if value == "*" else as_hex_id(value)


def _as_text_or_null(value: object) -> str | None:
    return None if value is None else as_text(value)


def _as_types(value: object) -> frozenset[str]:
    types = frozenset(as_type_names(value))
    return ANY_TYPE if "*" in types else types


def _as_command(value: object) -> tuple[str, ...]:
    """Read a command with its arguments, as a shell's words or a list of them."""
    words = shlex.split(value) if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(one, str) for one in words):
        raise ValueError("must be text, or a list of text")
    if not words or not words[0].startswith("/"):
        raise ValueError("must begin with the full path of a program")
    return tuple(words)


def _as_tag(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
