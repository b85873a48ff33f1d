"""Flavors in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType, field

if TYPE_CHECKING:
    from sundog.core.requests.flavor import Flavor
    from sundog.edges.rest.ask import Ask


class NewFlavor(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``flavor`` of ``POST /flavors``; numbers may be written as text."""

    name: str
    ram: int | str
    vcpus: int | str
    disk: int | str
    id: str | int | float | None = None
    ephemeral: int | str = field(default=0, name="OS-FLV-EXT-DATA:ephemeral")
    swap: int | str = 0
    rxtx_factor: int | float | str | UnsetType = UNSET
    is_public: bool | str | int = field(default=True, name="os-flavor-access:is_public")
    description: str | UnsetType | None = UNSET


class NewFlavorBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /flavors``."""

    flavor: NewFlavor


class FlavorChange(msgspec.Struct, forbid_unknown_fields=True):
    """``flavor`` of ``PUT /flavors/{id}``."""

    description: str | None


class FlavorChangeBody(msgspec.Struct, forbid_unknown_fields=True):
    """``PUT /flavors/{id}``."""

    flavor: FlavorChange


class ExtraSpecsBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /flavors/{id}/os-extra_specs``; values may be numbers."""

    extra_specs: dict[str, str | int | float]


class FlavorBrief(msgspec.Struct, kw_only=True):
    """A flavor in ``GET /flavors``."""

    id: str
    name: str
    links: list[dict[str, str]]
    description: str | UnsetType | None = UNSET


class FlavorBody(msgspec.Struct, kw_only=True):
    """A flavor in full. Memory and swap in MiB, disks in GiB."""

    id: str
    name: str
    ram: int
    disk: int
    swap: int | str
    ephemeral: int = field(name="OS-FLV-EXT-DATA:ephemeral")
    disabled: bool | UnsetType = field(default=UNSET, name="OS-FLV-DISABLED:disabled")
    vcpus: int
    is_public: bool = field(name="os-flavor-access:is_public")
    rxtx_factor: float | UnsetType = UNSET
    links: list[dict[str, str]]
    description: str | UnsetType | None = UNSET
    extra_specs: dict[str, str] | UnsetType = UNSET


def brief(ask: Ask, flavor: Flavor) -> FlavorBrief:
    """Return a flavor as the short list shows it."""
    return FlavorBrief(
        id=flavor.id,
        name=flavor.name,
        links=ask.links(f"/flavors/{flavor.id}"),
        description=flavor.description if ask.since(55) else UNSET,
    )


def full(ask: Ask, flavor: Flavor) -> FlavorBody:
    """Return a flavor as the request's microversion shows it."""
    return FlavorBody(
        id=flavor.id,
        name=flavor.name,
        ram=flavor.memory_mb,
        disk=flavor.disk_gb,
        # Before 2.75 no swap is the empty text, in Nova too.
        swap=flavor.swap_mb or (0 if ask.since(75) else ""),
        ephemeral=flavor.ephemeral_gb,
        disabled=UNSET if ask.since(102) else False,
        vcpus=flavor.vcpus,
        is_public=flavor.is_public,
        rxtx_factor=UNSET if ask.since(102) else flavor.rxtx_factor,
        links=ask.links(f"/flavors/{flavor.id}"),
        description=flavor.description if ask.since(55) else UNSET,
        extra_specs=dict(flavor.extra_specs) if ask.since(61) else UNSET,
    )
