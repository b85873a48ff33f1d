"""The port ``Guests`` over a libvirt connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import libvirt
from lxml import etree

from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import HostRefusedError
from sundog.edges.libvirt.connection import Connection, one_line
from sundog.edges.libvirt.guest_xml import METADATA, Dialect, guest_xml
from sundog.edges.libvirt.kinds.table import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.core.guest_config import GuestConfig
    from sundog.edges.libvirt.kinds.kind import Source

# Libvirt's binding ships no types; a domain by name.
Domain = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestRecord:
    """A running guest as libvirt tells it: whether we made it, what it has."""

    ours: bool
    sources: frozenset[Source]


class LibvirtGuests:
    """The guests of one host."""

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        """Run guests over ``connection``, written in ``dialect``."""
        self._connection = connection
        self._dialect = dialect
        self._seen: dict[tuple[UUID, int], GuestRecord] = {}

    def start(self, config: GuestConfig) -> None:
        """Define and start a guest; raises HostRefusedError and leaves nothing."""
        self._check_sources(config)
        try:
            domain = self._connection.defineXML(guest_xml(config, self._dialect))
        except libvirt.libvirtError as error:
            raise _refusal("refused the guest's definition", error) from error
        try:
            domain.create()
        except libvirt.libvirtError as error:
            _remove(domain)
            raise _refusal("could not start the guest", error) from error

    def stop(self, consumer: UUID) -> None:
        """Stop and undefine a guest; not there is fine."""
        domain = self._find(consumer)
        if domain is not None:
            _remove(domain)

    def running(self) -> frozenset[UUID]:
        """Return the consumers whose guests run; guests of others are left out.

        Raises HostRefusedError when libvirt does not answer: unknown is not none.
        """
        return frozenset(
            uuid for uuid, record in self._records().items() if record.ours
        )

    def holders(self) -> Mapping[Source, UUID]:
        """Return which running guest, ours or not, has which function or mdev."""
        return _holders(self._records())

    def _check_sources(self, config: GuestConfig) -> None:
        """Refuse what a running guest has: libvirt's test driver would not."""
        records = self._records()
        if config.uuid in records:
            raise HostRefusedError(f"guest {config.uuid} runs already")
        holders = _holders(records)
        for device in config.devices:
            source = kind_of(device.kind).hostdev(device).source
            holder = holders.get(source)
            if holder is not None:
                raise HostRefusedError(f"guest {holder} has {source} already")

    def _records(self) -> Mapping[UUID, GuestRecord]:
        """Read each running guest once: its number changes when it starts anew."""
        try:
            domains = self._connection.listAllDomains(
                libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
            )
        except libvirt.libvirtError as error:
            raise _refusal("could not list the guests", error) from error
        found: dict[tuple[UUID, int], GuestRecord] = {}
        for domain in domains:
            key = (UUID(domain.UUIDString()), domain.ID())
            record = self._seen.get(key) or _read(domain)
            if record is not None:
                found[key] = record
        self._seen = found
        return {uuid: record for (uuid, _), record in found.items()}

    def _find(self, consumer: UUID) -> Domain | None:
        try:
            return self._connection.lookupByUUIDString(str(consumer))
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return None
            raise _refusal("could not look for the guest", error) from error


def _remove(domain: Domain) -> None:
    """Stop and undefine a guest; one that ends by itself meanwhile is fine."""
    try:
        if domain.isActive():
            domain.destroy()
    except libvirt.libvirtError as error:
        if not _is_over(error):
            raise _refusal("could not stop the guest", error) from error
    try:
        domain.undefine()
    except libvirt.libvirtError as error:
        if not _is_over(error):
            raise _refusal("could not undefine the guest", error) from error


def _holders(records: Mapping[UUID, GuestRecord]) -> dict[Source, UUID]:
    return {
        source: uuid for uuid, record in records.items() for source in record.sources
    }


def _read(domain: Domain) -> GuestRecord | None:
    try:
        root = etree.fromstring(domain.XMLDesc().encode())
    except libvirt.libvirtError as error:
        if _is_over(error):
            return None
        raise _refusal("could not tell what a guest has", error) from error
    return GuestRecord(
        ours=root.find(f"metadata/{{{METADATA}}}server") is not None,
        sources=frozenset(
            _source(address)
            for address in root.iterfind("devices/hostdev/source/address")
            if {"uuid", "slot"} & set(address.keys())
        ),
    )


def _source(address: Any) -> Source:  # noqa: ANN401  lxml ships no types
    if "uuid" in address.keys():  # noqa: SIM118  an element's attributes are no dict
        return UUID(address.get("uuid"))
    parts = (address.get(key, "0") for key in ("domain", "bus", "slot", "function"))
    return PciAddress(*(int(part, 16) for part in parts))


def _is_over(error: libvirt.libvirtError) -> bool:
    return error.get_error_code() in {
        libvirt.VIR_ERR_NO_DOMAIN,
        libvirt.VIR_ERR_OPERATION_INVALID,
    }


def _refusal(what: str, error: libvirt.libvirtError) -> HostRefusedError:
    return HostRefusedError(f"libvirt {what}: {one_line(error)}")
