"""What a defined guest may be brought to: ended, saved, restored."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import libvirt
from lxml import etree

from sundog.core.errors import HostRefusedError, SundogError, UnavailableError
from sundog.core.lives.guest import GuestState
from sundog.edges.libvirt.connection import is_away, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Libvirt's binding ships no types; a domain by name.
Domain = Any

_POLL_SECONDS: Final = 0.2
# A guest's driver may need a while to let go of a device.
_DETACH_WAITS: Final = (0.0, 0.1, 0.4, 1.0, 2.0, 4.0)


def state_of(domain: Domain) -> GuestState:
    """Return how a defined guest is now."""
    with refusing("could not tell a guest's state"):
        if domain.isActive():
            is_paused = domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED
            return GuestState.PAUSED if is_paused else GuestState.RUNNING
        saved = domain.hasManagedSaveImage()
    return GuestState.SAVED if saved else GuestState.OFF


def power_off(
    domain: Domain, grace_seconds: float, wait: Callable[[float], None]
) -> None:
    """End a guest, asked first if it gets grace; what it saved is dropped."""
    with refusing("could not stop the guest", over_is_fine=True):
        if state_of(domain) is GuestState.RUNNING and grace_seconds > 0:
            _ask_to_shut_down(domain, grace_seconds, wait)
        if domain.isActive():
            domain.destroy()
        if domain.hasManagedSaveImage():
            domain.managedSaveRemove()


def _ask_to_shut_down(
    domain: Domain, grace_seconds: float, wait: Callable[[float], None]
) -> None:
    try:
        domain.shutdown()
    except libvirt.libvirtError:
        # A guest that cannot be asked is ended.
        return
    waited = 0.0
    while domain.isActive() and waited < grace_seconds:
        wait(_POLL_SECONDS)
        waited += _POLL_SECONDS


def save(domain: Domain, wait: Callable[[float], None]) -> None:
    """Detach a running guest's devices and save it; else all is attached again."""
    try:
        with refusing("could not suspend the guest"):
            for device in _devices(domain):
                if not _detach(domain, device, wait):
                    break
            domain.managedSave()
    except HostRefusedError:
        with refusing("could not attach the guest's devices again"):
            if domain.isActive():
                _attach_missing(domain)
        raise


def restore(domain: Domain) -> None:
    """Start a guest from its saved memory and attach what its definition has."""
    with refusing("could not resume the guest"):
        domain.create()
        _attach_missing(domain)


def _detach(domain: Domain, device: str, wait: Callable[[float], None]) -> bool:
    """Detach a device and see it gone; False: this hypervisor has no such call.

    One without the call (libvirt's test driver) saves guests that have devices.
    """
    try:
        domain.detachDeviceFlags(device, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
            return False
        raise
    source = _source(device)
    for pause in _DETACH_WAITS:
        wait(pause)
        if source not in {_source(each) for each in _devices(domain)}:
            return True
    raise HostRefusedError(
        f"the guest did not let go of its device {source} in time; nothing was saved"
    )


def _attach_missing(domain: Domain) -> None:
    """Attach what the guest's definition has and the guest that runs has not."""
    there = {_source(each) for each in _devices(domain)}
    for device in _devices(domain, libvirt.VIR_DOMAIN_XML_INACTIVE):
        if _source(device) not in there:
            domain.attachDeviceFlags(device, libvirt.VIR_DOMAIN_AFFECT_LIVE)


def _devices(domain: Domain, flags: int = 0) -> list[str]:
    root = etree.fromstring(domain.XMLDesc(flags).encode())
    return [
        etree.tostring(each, encoding="unicode", with_tail=False)
        for each in root.iterfind("devices/hostdev")
    ]


def _source(device: str) -> str:
    address = etree.fromstring(device).find("source/address")
    parts = ("uuid", "domain", "bus", "slot", "function")
    return ":".join(address.get(part) for part in parts if address.get(part))


@contextmanager
def refusing(what: str, *, over_is_fine: bool = False) -> Iterator[None]:
    """Turn libvirt's errors into HostRefusedError: ``libvirt WHAT: REASON``."""
    try:
        yield
    except libvirt.libvirtError as error:
        if not (over_is_fine and is_over(error)):
            raise refusal(what, error) from error


def is_over(error: libvirt.libvirtError) -> bool:
    """Whether a guest ended by itself meanwhile."""
    return error.get_error_code() in {
        libvirt.VIR_ERR_NO_DOMAIN,
        libvirt.VIR_ERR_OPERATION_INVALID,
    }


def refusal(what: str, error: libvirt.libvirtError) -> SundogError:
    """Return libvirt's error in our words, on one line.

    A daemon that cannot be reached is away; any other word of it is a refusal.
    """
    kind = UnavailableError if is_away(error) else HostRefusedError
    return kind(f"libvirt {what}: {one_line(error)}")
