"""The traits of a host's card, spelled as Nova spells them.

Our providers carry ``CUSTOM_OWNER_SUNDOG``, not ``OWNER_NOVA``: the standard owner
traits say which service writes a provider (Neutron and Cyborg leave Nova's alone),
and where nova-compute still runs on other hosts of the same Placement, a provider of
ours that said ``OWNER_NOVA`` would be matched by Nova's own PCI requests, which
require that trait, and a server that no nova-compute can boot would be placed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.core.devices.device import DeviceKind
from sundog.core.devices.placement_names import custom_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sundog.core.devices.device import Card, Device

OWNER: Final = "CUSTOM_OWNER_SUNDOG"
MANAGED: Final = "COMPUTE_MANAGED_PCI_DEVICE"


def card_traits(card: Card) -> frozenset[str]:
    """Return a card's traits: those of all its devices together."""
    named = (trait for device in card.devices for trait in _of_device(device))
    return frozenset({OWNER, MANAGED, *named})


def _of_device(device: Device) -> Iterator[str]:
    yield from device.tags.traits
    if device.tags.live_migratable:
        yield "HW_PCI_LIVE_MIGRATABLE"
    if device.tags.one_time_use:
        yield "HW_PCI_ONE_TIME_USE"
    if device.type_id:
        family = "VGPU" if device.kind is DeviceKind.VGPU else "MDEV"
        yield custom_name(f"{family}_TYPE_{device.type_id}")
