"""Node devices, read once and then again only when they may have changed.

One call lists a host's devices. A device's document is asked for when it is new, when
an event told of it, or when the kernel's files say that its reading changed: libvirt
sends no event when a driver is bound, or when a card makes fewer mdevs than before.
"""

from __future__ import annotations

import errno
import os
import time
from threading import Condition
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

import libvirt

from sundog.core.devices.pci_address import PciAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sundog.edges.libvirt.connection import Connection

_MDEVS: Final = libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV
_ACTIVE: Final = libvirt.VIR_CONNECT_LIST_NODE_DEVICES_ACTIVE
_ALL: Final = (
    libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV
    | libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET
    | _MDEVS
)
_EVENTS: Final = (
    libvirt.VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE,
    libvirt.VIR_NODE_DEVICE_EVENT_ID_UPDATE,
)
# Libvirt hears of a device from udev, a moment after the kernel made it; on a busy
# host, or right after its boot, many VFs at once take many seconds.
_PATIENCE_SECONDS: Final = 30.0
# An event may be lost on the way; what is waited for is looked for all the same.
_LOOK_AGAIN_SECONDS: Final = 0.1
_UUID_END: Final = len("mdev_") + 36

_T = TypeVar("_T")
# Libvirt ships no types; a node device by name.
NodeDevice = Any


class DeviceWatch:
    """The documents of a host's node devices, kept as long as they hold."""

    def __init__(self, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        """Know nothing yet; wait for libvirt as long as ``patience_seconds``."""
        self._patience = patience_seconds
        self._news = Condition()
        self._texts: dict[str, tuple[object, str]] = {}
        # Counts what was heard: a document that was asked for before is old then.
        self._heard_so_far = 0
        self._ignored: frozenset[object] = frozenset()
        self._active = _ACTIVE

    def follow(self, connection: Connection) -> None:
        """Follow a new connection's events; what was read over another is void."""
        with self._news:
            self._texts.clear()
            self._heard_so_far += 1
        self._active = _active_flag(connection)
        for event in _EVENTS:
            connection.nodeDeviceEventRegisterAny(None, event, self._heard, None)

    def documents(
        self,
        connection: Connection,
        functions: Mapping[PciAddress, object],
        mdevs: frozenset[UUID],
    ) -> Sequence[str]:
        """Return the documents of what the kernel has: ``functions`` and ``mdevs``.

        A function's value changes when its reading does. Libvirt is waited for when
        it does not know of something yet, or not yet that it went.
        """
        stamps: dict[object, object] = dict(functions.items())
        stamps.update(dict.fromkeys(mdevs))
        wanted = frozenset(stamps)
        devices = self._listed_as(connection, wanted)
        texts = [
            self._text(device, stamps.get(found))
            for device in devices
            if (found := place_of(device.name())) is None or found in wanted
        ]
        with self._news:
            gone = self._texts.keys() - {device.name() for device in devices}
            for name in gone:
                del self._texts[name]
        return [text for text in texts if text]

    def find(self, connection: Connection, name: str) -> str | None:
        """Return the document, as it is now, of a device that the kernel has.

        Libvirt is waited for; None when it does not tell of the device in time. The
        name of an mdev may lack its parent, which libvirt before 7.8 does not print.
        """
        device = self._find(connection, name)
        if device is None:
            device = self._wait_for(lambda: self._find(connection, name))
        return (_describe(device) or None) if device is not None else None

    def destroy_mdev(self, connection: Connection, uuid: UUID) -> None:
        """Let libvirt remove an mdev; one that it does not know is not there."""
        device = self._find(connection, f"mdev_{uuid}".replace("-", "_"))
        if device is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        device.destroy()

    # ------------------------------------------------------------------- libvirt

    def _heard(self, _connection: object, device: NodeDevice, *_event: object) -> None:
        with self._news:
            self._texts.pop(device.name(), None)
            self._heard_so_far += 1
            self._news.notify_all()

    def _listed_as(
        self, connection: Connection, wanted: frozenset[object]
    ) -> Sequence[NodeDevice]:
        """List the devices; wait until libvirt and the kernel know of the same."""
        devices = self._all(connection)
        if _differing(devices, wanted) - self._ignored:
            devices = self._wait_for(lambda: self._settled(connection, wanted)) or (
                self._all(connection)
            )
        # What libvirt never tells of is not waited for at each scan.
        self._ignored = _differing(devices, wanted)
        return devices

    def _settled(
        self, connection: Connection, wanted: frozenset[object]
    ) -> Sequence[NodeDevice] | None:
        devices = self._all(connection)
        return None if _differing(devices, wanted) - self._ignored else devices

    def _wait_for(self, ask: Callable[[], _T | None]) -> _T | None:
        end = time.monotonic() + self._patience
        while (left := end - time.monotonic()) > 0:
            with self._news:
                self._news.wait(min(left, _LOOK_AGAIN_SECONDS))
            found = ask()
            if found is not None:
                return found
        return None

    def _text(self, device: NodeDevice, stamp: object) -> str:
        name = device.name()
        with self._news:
            known, heard = self._texts.get(name), self._heard_so_far
        if known is not None and known[0] == stamp:
            return known[1]
        text = _describe(device)
        with self._news:
            if heard == self._heard_so_far:
                self._texts[name] = (stamp, text)
        return text

    def _all(self, connection: Connection) -> Sequence[NodeDevice]:
        found: Sequence[NodeDevice] = connection.listAllDevices(_ALL | self._active)
        return found

    def _find(self, connection: Connection, name: str) -> NodeDevice | None:
        if name.startswith("mdev_"):
            mdevs = connection.listAllDevices(_MDEVS | self._active)
            start = name[:_UUID_END]
            return next((e for e in mdevs if e.name().startswith(start)), None)
        try:
            return connection.nodeDeviceLookupByName(name)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_NODE_DEVICE:
                return None
            raise


def place_of(name: str) -> PciAddress | UUID | None:
    """Read what a node device is by its name; None for one of another kind."""
    try:
        if name.startswith("pci_"):
            return PciAddress.parse(name)
        if name.startswith("mdev_"):
            return UUID(name[len("mdev_") : _UUID_END].replace("_", "-"))
    except ValueError:
        return None
    return None


def _active_flag(connection: Connection) -> int:
    """Return the flag that leaves out what is only defined; 0 before libvirt 7.3."""
    try:
        connection.listAllDevices(_MDEVS | _ACTIVE)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_INVALID_ARG:
            return 0
        raise
    flag: int = _ACTIVE
    return flag


def _differing(
    devices: Sequence[NodeDevice], wanted: frozenset[object]
) -> frozenset[object]:
    listed = {found for each in devices if (found := place_of(each.name()))}
    return wanted ^ listed


def _describe(device: NodeDevice) -> str:
    """Return a device's document, empty when it went meanwhile."""
    try:
        text: str = device.XMLDesc()
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_NODE_DEVICE:
            return ""
        raise
    return text
