"""``resources:``, ``trait:`` and ``group_policy``: Placement's words in a flavor.

A class that cells provide says nothing new: ``resources:PCPU`` pins the vCPUs and must
equal their number, ``resources:VCPU`` and ``resources:MEMORY_MB`` must equal the
flavor's (Nova would charge Placement another amount than the guest gets), and
``resources:DISK_GB`` overrides the disk, as in Nova. Any other class is a device.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sundog.core.devices import placement_names
from sundog.core.requests.alias import MOST_DEVICES
from sundog.core.requests.guest_request import (
    DeviceRequest,
    DeviceWant,
    NumaPolicy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sundog.core.requests.spec_source import Setting, SpecSource

_KEY: Final = re.compile(r"(resources|trait)([A-Za-z0-9_-]{0,64}):(.*)", re.ASCII)
_MOST: Final = 2**31 - 1


@dataclass(slots=True)
class _Group:
    """What the extra specs say of one group; the group '' is the unnumbered one."""

    resources: dict[str, Setting] = field(default_factory=dict)
    required: dict[str, Setting] = field(default_factory=dict)
    forbidden: dict[str, Setting] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceGroups:
    """What a flavor and an image say in Placement's words.

    ``host`` holds the settings of classes that cells provide, ``devices`` a request
    for each other class, ``traits`` what the host must and must not have. ``lonely``
    is a numbered trait whose group has no device.
    """

    host: Mapping[str, Setting]
    devices: tuple[DeviceRequest, ...]
    required_traits: frozenset[str]
    forbidden_traits: frozenset[str]
    isolate: bool
    lonely: Setting | None


def read_groups(source: SpecSource) -> ResourceGroups:
    """Read each setting; a device class of a numbered group keeps to one card."""
    groups: dict[str, _Group] = {"": _Group()}
    for setting in source.flavor_settings():
        match = _KEY.fullmatch(setting.key)
        if match:
            group = groups.setdefault(match[2], _Group())
            _add(group, match, setting)
    for setting in source.image_settings():
        match = _KEY.fullmatch(setting.key)
        if match and match[1] == "trait" and not match[2]:
            _add_trait(groups[""], match[3], setting)
    policy = source.spec("group_policy")
    whole = groups[""]
    return ResourceGroups(
        host={
            name: setting
            for name, setting in whole.resources.items()
            if name in placement_names.HOST_CLASSES
        },
        devices=tuple(
            request
            for suffix, group in sorted(groups.items())
            for request in _requests(suffix, group)
        ),
        required_traits=frozenset(whole.required),
        forbidden_traits=frozenset(whole.forbidden),
        isolate=bool(policy and policy.choice({"none": False, "isolate": True})),
        lonely=next(_lonely(groups), None),
    )


def _add(group: _Group, match: re.Match[str], setting: Setting) -> None:
    if match[1] == "trait":
        _add_trait(group, match[3], setting)
        return
    name = match[3]
    if not placement_names.is_class(name):
        raise setting.refuse(
            "names no resource class; write a standard one or CUSTOM_ and capitals"
        )
    if name not in placement_names.HOST_CLASSES:
        setting.number(0, MOST_DEVICES)
    elif match[2]:
        raise setting.refuse(f"is in a numbered group; write resources:{name}")
    else:
        setting.number(0, _MOST)
    group.resources[name] = setting


def _add_trait(group: _Group, name: str, setting: Setting) -> None:
    if not placement_names.is_trait(name):
        raise setting.refuse(
            "names no trait; write a standard one or CUSTOM_ and capitals"
        )
    required = setting.choice({"required": True, "forbidden": False})
    mine, others = group.required, group.forbidden
    if not required:
        mine, others = others, mine
    if name in others:
        raise setting.refuse(f"contradicts {others[name]}; take one of them away")
    mine[name] = setting


def _requests(suffix: str, group: _Group) -> Iterator[DeviceRequest]:
    for name, setting in group.resources.items():
        if name in placement_names.HOST_CLASSES:
            continue
        count = setting.number(0, MOST_DEVICES)
        if not count:
            continue
        want = DeviceWant(
            resource_class=name,
            # Unnumbered traits speak of the host, not of the device.
            traits=frozenset(group.required) if suffix else frozenset(),
            forbidden_traits=frozenset(group.forbidden) if suffix else frozenset(),
        )
        # No alias can have such an id, for it holds a colon.
        yield DeviceRequest(
            id=setting.key,
            alias=setting.key,
            count=count,
            policy=NumaPolicy.LEGACY,
            wants=(want,),
            same_card=bool(suffix),
            group=f"resources{suffix}" if suffix else "",
        )


def _lonely(groups: Mapping[str, _Group]) -> Iterator[Setting]:
    for suffix, group in groups.items():
        if suffix and not group.resources:
            yield from group.required.values()
            yield from group.forbidden.values()
