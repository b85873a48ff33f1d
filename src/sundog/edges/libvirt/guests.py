"""The port ``Guests`` over a libvirt connection."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import libvirt
from lxml import etree

from sundog.core.errors import HostRefusedError
from sundog.core.lives.guest import GuestState
from sundog.edges.libvirt.guest_figures import figures_of
from sundog.edges.libvirt.guest_states import (
    Domain,
    is_over,
    power_off,
    refusal,
    refusing,
    restore,
    save,
    state_of,
)
from sundog.edges.libvirt.guest_xml import METADATA, Dialect, guest_xml
from sundog.edges.libvirt.kinds.table import kind_of
from sundog.edges.libvirt.live.carriers import Carrier, NoCarrier
from sundog.edges.libvirt.plugging import plugs
from sundog.edges.libvirt.plugging.hostdevs import source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sundog.core.devices.device import Source
    from sundog.core.guest_config import ConfigDevice, GuestConfig
    from sundog.core.lives.figures import GuestFigures
    from sundog.edges.libvirt.connection import Connection
    from sundog.edges.libvirt.live.guest_files import GuestFiles, GuestFolders
    from sundog.workflows.moves.ports import Crossing


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestRecord:
    """A running guest as libvirt tells it: whether we made it, what it has."""

    ours: bool
    sources: frozenset[Source]


class LibvirtGuests:
    """The guests of one host."""

    def __init__(
        self,
        connection: Connection,
        dialect: Dialect,
        wait: Callable[[float], None] = time.sleep,
        folders: GuestFolders | None = None,
        carrier: Carrier | None = None,
    ) -> None:
        """Run guests over ``connection``, written in ``dialect``.

        ``wait`` sleeps for some seconds. Without ``folders`` guests have no files.
        ``carrier`` takes guests to other hosts.
        """
        self._carrier = carrier or NoCarrier()
        self._connection = connection
        self._dialect = dialect
        self._wait = wait
        self._folders = folders
        self._seen: dict[tuple[UUID, int], GuestRecord] = {}

    def start(self, config: GuestConfig) -> None:
        """Define and start a guest; raises HostRefusedError and leaves nothing.

        One that is defined already is defined anew, and stays defined if it fails.
        """
        self._check_sources(config)
        was_there = self._find(config.uuid) is not None
        with ExitStack() as undo:
            files = self._files(config, undo)
            try:
                text = guest_xml(config, self._dialect, files)
                domain = self._connection.defineXML(text)
            except libvirt.libvirtError as error:
                raise refusal("refused the guest's definition", error) from error
            if not was_there:
                undo.callback(_remove, domain)
            if self._folders is not None:
                self._folders.forget_console(config.uuid)
            try:
                domain.create()
            except libvirt.libvirtError as error:
                raise refusal("could not start the guest", error) from error
            undo.pop_all()

    def stop(self, consumer: UUID) -> None:
        """Stop and undefine a guest; not there is fine."""
        domain = self._find(consumer)
        if domain is not None:
            _remove(domain)
        self._remove_files(consumer)

    def state(self, consumer: UUID) -> GuestState:
        """Return how a guest is now."""
        domain = self._find(consumer)
        return GuestState.ABSENT if domain is None else state_of(domain)

    def power_off(self, consumer: UUID, grace_seconds: float = 0.0) -> None:
        """End a guest and keep its definition; saved memory is dropped."""
        power_off(self._known(consumer), grace_seconds, self._wait)

    def pause(self, consumer: UUID) -> None:
        """Stop a running guest's CPUs."""
        with refusing("could not pause the guest"):
            self._known(consumer).suspend()

    def unpause(self, consumer: UUID) -> None:
        """Let a paused guest go on."""
        with refusing("could not unpause the guest"):
            self._known(consumer).resume()

    def save(self, consumer: UUID) -> None:
        """Detach a running guest's devices and put its memory on disk."""
        save(self._known(consumer), self._wait)

    def restore(self, consumer: UUID) -> None:
        """Start a saved guest from its memory and attach its devices again."""
        domain = self._known(consumer)
        try:
            restore(domain)
        finally:
            # What was read between the start and the attaching is not all of it.
            self._seen = {}

    def send(self, config: GuestConfig, dest: str, crossing: Crossing) -> None:
        """Send a running guest to another host, where it is what ``config`` says."""
        with refusing("could not migrate the guest"):
            self._carrier.carry(self._known(config.uuid), config, dest, crossing)

    def attach(self, consumer: UUID, devices: Sequence[ConfigDevice]) -> None:
        """Plug devices into a running guest and read back that it has them."""
        self._check_holders(consumer, devices)
        try:
            plugs.attach(self._known(consumer), devices)
        finally:
            # What was read of the guest before is not what it has now.
            self._seen = {}

    def detach(
        self, consumer: UUID, devices: Sequence[ConfigDevice], patience: float
    ) -> frozenset[str]:
        """Ask a guest to let go of devices; returns the slots of those that are gone.

        One that ended meanwhile has none.
        """
        domain = self._find(consumer)
        if domain is None:
            return frozenset(device.slot for device in devices)
        try:
            return plugs.detach(domain, devices, patience, self._wait)
        finally:
            self._seen = {}

    def running(self) -> frozenset[UUID]:
        """Return the consumers whose guests run; guests of others are left out.

        Raises HostRefusedError when libvirt does not answer: unknown is not none.
        """
        return frozenset(
            uuid for uuid, record in self._records().items() if record.ours
        )

    def devices(self) -> Mapping[UUID, frozenset[Source]]:
        """Return what each running guest of ours has, as libvirt tells it now.

        Others may have changed it since it was last read, so it is read anew.
        """
        self._seen = {}
        return {
            uuid: record.sources
            for uuid, record in self._records().items()
            if record.ours
        }

    def figures(self, consumer: UUID) -> GuestFigures:
        """Return what a running guest takes of the host; raises HostRefusedError."""
        return figures_of(self._known(consumer))

    def definition(self, consumer: UUID) -> str | None:
        """Return a guest's definition in libvirt's XML, None when it is not there."""
        domain = self._find(consumer)
        if domain is None:
            return None
        try:
            return str(domain.XMLDesc())
        except libvirt.libvirtError as error:
            if is_over(error):
                return None
            raise refusal("could not tell a guest's definition", error) from error

    def holders(self) -> Mapping[Source, UUID]:
        """Return which running guest, ours or not, has which function or mdev."""
        return _holders(self._records())

    def _check_sources(self, config: GuestConfig) -> None:
        """Refuse what a running guest has: libvirt's test driver would not."""
        if config.uuid in self._records():
            raise HostRefusedError(f"guest {config.uuid} runs already")
        self._check_holders(config.uuid, config.devices)

    def _check_holders(self, consumer: UUID, devices: Sequence[ConfigDevice]) -> None:
        holders = _holders(self._records())
        for device in devices:
            source = kind_of(device.kind).hostdev(device).source
            holder = holders.get(source, consumer)
            if holder != consumer:
                raise HostRefusedError(f"guest {holder} has {source} already")

    def _records(self) -> Mapping[UUID, GuestRecord]:
        """Read each running guest once: its number changes when it starts anew."""
        try:
            domains = self._connection.listAllDomains(
                libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
            )
        except libvirt.libvirtError as error:
            raise refusal("could not list the guests", error) from error
        found: dict[tuple[UUID, int], GuestRecord] = {}
        for domain in domains:
            key = (UUID(domain.UUIDString()), domain.ID())
            record = self._seen.get(key) or _read(domain)
            if record is not None:
                found[key] = record
        self._seen = found
        return {uuid: record for (uuid, _), record in found.items()}

    def _files(self, config: GuestConfig, undo: ExitStack) -> GuestFiles | None:
        if self._folders is None:
            return None
        # A disk that was there holds what its user wrote, whatever fails now.
        if not self._folders.there(config.uuid):
            undo.callback(self._folders.remove, config.uuid)
        return self._folders.prepare(config)

    def _remove_files(self, consumer: UUID) -> None:
        if self._folders is not None:
            self._folders.remove(consumer)

    def _known(self, consumer: UUID) -> Domain:
        domain = self._find(consumer)
        if domain is None:
            raise HostRefusedError(f"guest {consumer} is not there")
        return domain

    def _find(self, consumer: UUID) -> Domain | None:
        try:
            return self._connection.lookupByUUIDString(str(consumer))
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise refusal("could not look for the guest", error) from error


def _remove(domain: Domain) -> None:
    """Stop and undefine a guest; one that ends by itself meanwhile is fine."""
    try:
        if domain.isActive():
            domain.destroy()
    except libvirt.libvirtError as error:
        if not is_over(error):
            raise refusal("could not stop the guest", error) from error
    try:
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)
    except libvirt.libvirtError as error:
        if not is_over(error):
            raise refusal("could not undefine the guest", error) from error


def _holders(records: Mapping[UUID, GuestRecord]) -> dict[Source, UUID]:
    return {
        source: uuid for uuid, record in records.items() for source in record.sources
    }


def _read(domain: Domain) -> GuestRecord | None:
    try:
        root = etree.fromstring(domain.XMLDesc().encode())
    except libvirt.libvirtError as error:
        if is_over(error):
            return None
        raise refusal("could not tell what a guest has", error) from error
    return GuestRecord(
        ours=root.find(f"metadata/{{{METADATA}}}server") is not None,
        sources=frozenset(
            source_of(address)
            for address in root.iterfind("devices/hostdev/source/address")
            if {"uuid", "slot"} & set(address.keys())
        ),
    )
