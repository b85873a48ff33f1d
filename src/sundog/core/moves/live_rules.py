"""When a server with devices may be migrated live.

The whitelist rule of each device and the alias that asked for it must say that it can
be (``live_migratable``), and libvirt and QEMU must be new enough on both sides. The
minima are Nova 34's: libvirt 8.6.0 with QEMU 8.1.0 for mediated devices, libvirt 10.0.0
with QEMU 8.2.2 for PCI functions. The new device is of the same kind, class and type.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sundog.core.devices.device import DeviceKind
from sundog.core.wording import version_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sundog.core.choosing.assignment import Assignment, DeviceShare
    from sundog.core.devices.device import Device
    from sundog.core.hosts.host_snapshot import HostSnapshot
    from sundog.core.requests.guest_request import (
        DeviceRequest,
        DeviceWant,
        GuestRequest,
    )


@dataclass(frozen=True, slots=True)
class Minimum:
    """The oldest versions, as libvirt counts them."""

    libvirt: int
    qemu: int


LIVE_MDEVS: Final = Minimum(8_006_000, 8_001_000)
LIVE_FUNCTIONS: Final = Minimum(10_000_000, 8_002_002)


def cannot_leave(request: GuestRequest, held: Assignment, source: HostSnapshot) -> str:
    """Tell why a server cannot leave its host live; empty when it can."""
    return next(_source_problems(request, held, source), "")


def cannot_arrive(held: Assignment, new: Assignment, dest: HostSnapshot) -> str:
    """Tell why a host cannot take a running server in; empty when it can."""
    return next(_dest_problems(held, new, dest), "")


def same_devices(request: GuestRequest, held: Assignment) -> GuestRequest:
    """Narrow a request to devices of the kinds, classes and types that are held."""
    return replace(
        request, devices=tuple(_narrowed(one, held) for one in request.devices)
    )


def _source_problems(
    request: GuestRequest, held: Assignment, source: HostSnapshot
) -> Iterator[str]:
    for asked in request.devices:
        if asked.alias and not all(want.live_migratable for want in asked.wants):
            yield (
                f"alias {asked.alias} does not say that its devices can be migrated "
                'live; add "live_migratable": "yes" to it'
            )
    for share in held.devices:
        yield from _device_problems(share, source)


def _dest_problems(
    held: Assignment, new: Assignment, dest: HostSnapshot
) -> Iterator[str]:
    before = {share.slot: share for share in held.devices}
    for share in new.devices:
        old = before.get(share.slot)
        if old is None or _what(old) != _what(share):
            yield f"{share.slot} would be another device there: {share.address}"
        yield from _device_problems(share, dest)
    pages = {share.guest_cell: share.page_kb for share in held.cells}
    for cell in new.cells:
        if held.has_topology and pages.get(cell.guest_cell) != cell.page_kb:
            yield "its memory would be in pages of another size there"


def _device_problems(share: DeviceShare, host: HostSnapshot) -> Iterator[str]:
    device = _device(share, host)
    if device is None or not device.tags.live_migratable:
        yield (
            f"the rule of {share.address} on host {host.name} does not say that it "
            'can be migrated live; add "live_migratable": "yes" to its device_spec'
        )
    least = LIVE_MDEVS if share.kind is DeviceKind.MDEV else LIVE_FUNCTIONS
    for name, has, needs in (
        ("libvirt", host.libvirt_version, least.libvirt),
        ("QEMU", host.qemu_version, least.qemu),
    ):
        if has < needs:
            found = version_text(has) if has else "an unknown one"
            yield (
                f"{share.kind.value} devices need {name} {version_text(needs)} to be "
                f"migrated live; host {host.name} has {found}"
            )


def _device(share: DeviceShare, host: HostSnapshot) -> Device | None:
    for card in host.cards:
        for device in card.devices:
            if (device.address, device.type_id) == (share.address, share.type_id):
                return device
    return None


def _narrowed(asked: DeviceRequest, held: Assignment) -> DeviceRequest:
    shares = [
        share for share in held.devices if share.slot.rpartition("/")[0] == asked.id
    ]
    if not shares:
        return asked
    kinds = dict.fromkeys(_what(share) for share in shares)
    wants = (
        _want(want, *what)
        for what in kinds
        for want in asked.wants
        if _meets(want, *what)
    )
    return replace(asked, wants=tuple(dict.fromkeys(wants)))


def _want(want: DeviceWant, kind: DeviceKind, name: str, type_id: str) -> DeviceWant:
    return replace(want, kind=kind, resource_class=name, type_id=type_id or None)


def _meets(want: DeviceWant, kind: DeviceKind, name: str, type_id: str) -> bool:
    return (
        want.kind in (None, kind)
        and want.resource_class in (None, name)
        and (want.type_id in (None, type_id) or not type_id)
    )


def _what(share: DeviceShare) -> tuple[DeviceKind, str, str]:
    return share.kind, share.resource_class, share.type_id
