"""Host aggregates, and the availability zones that they make.

All aggregates are one value: what may be changed in one depends on the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime  # noqa: TC003 - storage reads the types at run time
from typing import TYPE_CHECKING, Final, NoReturn
from uuid import UUID  # noqa: TC003 - storage reads the types at run time

from sundog.core.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    SundogError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# The metadata key that makes an aggregate a zone, and the zone of all other hosts.
ZONE_KEY: Final = "availability_zone"
DEFAULT_ZONE: Final = "nova"
# What Nova calls the changes of an aggregate in its refusals.
_UPDATE: Final = "update"
_UPDATE_META: Final = "update metadata of"
# A zone that is asked for may name a host after a colon.
_HOST_SIGN: Final = ":"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """Hosts with metadata in common. A host may be in several."""

    uuid: UUID
    name: str
    created: datetime
    id: int = 0
    updated: datetime | None = None
    hosts: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def zone(self) -> str | None:
        """The availability zone that its hosts are in, if it makes one."""
        return self.metadata.get(ZONE_KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregates:
    """All aggregates, by id. ``busy`` below counts the servers of each host."""

    every: tuple[Aggregate, ...] = ()
    next_id: int = 1

    def get(self, aggregate_id: int) -> Aggregate:
        """Return one; raises NotFoundError."""
        for one in self.every:
            if one.id == aggregate_id:
                return one
        raise NotFoundError(f"Aggregate {aggregate_id} could not be found.")

    def of(self, host: str) -> tuple[Aggregate, ...]:
        """Return those that a host is in."""
        return tuple(one for one in self.every if host in one.hosts)

    def zone_of(self, host: str) -> str:
        """Return the zone that a host is in."""
        return next((one.zone for one in self.of(host) if one.zone), DEFAULT_ZONE)

    def with_new(self, new: Aggregate) -> Aggregates:
        """Add one under the next id; raises ConflictError for a name that is taken."""
        self._check_name(new.name, None)
        numbered = replace(new, id=self.next_id)
        return Aggregates(every=(*self.every, numbered), next_id=self.next_id + 1)

    def stamped(self, aggregate_id: int, now: datetime) -> Aggregates:
        """Note when one was changed."""
        return self._put(aggregate_id, lambda one: replace(one, updated=now))

    def without(self, aggregate_id: int) -> Aggregates:
        """Take one away; raises NotFoundError, BadRequestError if it has hosts."""
        if self.get(aggregate_id).hosts:
            raise BadRequestError(
                f"Cannot remove host from aggregate {aggregate_id}. Reason: Host "
                "aggregate is not empty."
            )
        left = tuple(one for one in self.every if one.id != aggregate_id)
        return replace(self, every=left)

    def updated(
        self, aggregate_id: int, changes: Mapping[str, str | None], busy: Iterable[str]
    ) -> Aggregates:
        """Change ``name`` or ``availability_zone``; see ``with_metadata``."""
        metadata = {key: text for key, text in changes.items() if key != "name"}
        self._check_zone(aggregate_id, metadata, busy, _UPDATE)
        name = changes.get("name") or self.get(aggregate_id).name
        self._check_name(name, aggregate_id)
        return self._put(
            aggregate_id,
            lambda old: replace(old, name=name, metadata=_merged(old, metadata)),
        )

    def with_metadata(
        self, aggregate_id: int, changes: Mapping[str, str | None], busy: Iterable[str]
    ) -> Aggregates:
        """Set metadata, and take away what is None.

        Raises NotFoundError; BadRequestError for a zone that is empty, that its hosts
        cannot be in, or that would change under servers.
        """
        self._check_zone(aggregate_id, changes, busy, _UPDATE_META)
        return self._put(
            aggregate_id, lambda old: replace(old, metadata=_merged(old, changes))
        )

    def with_host(
        self, aggregate_id: int, host: str, busy: Mapping[str, int]
    ) -> Aggregates:
        """Put a host into one; raises NotFoundError.

        Raises ConflictError if it is in it, or its zone would change under servers.
        """
        one = self.get(aggregate_id)
        if host in one.hosts:
            raise ConflictError(f"Aggregate {aggregate_id} already has host {host}.")
        if one.zone:
            deed = f"Cannot add host to aggregate {aggregate_id}"
            self._check_other_zones(one, one.zone, [host], ConflictError(deed))
            self._check_unmoved(host, one.zone, busy, deed)
        return self._put(
            aggregate_id, lambda old: replace(old, hosts=(*old.hosts, host))
        )

    def without_host(
        self, aggregate_id: int, host: str, busy: Mapping[str, int]
    ) -> Aggregates:
        """Take a host out of one; raises NotFoundError.

        Raises ConflictError if its zone would change under servers.
        """
        one = self.get(aggregate_id)
        if host not in one.hosts:
            raise NotFoundError(
                f"Cannot remove host {host} in aggregate {aggregate_id}"
            )
        left = self._put(
            aggregate_id,
            lambda old: replace(old, hosts=tuple(h for h in old.hosts if h != host)),
        )
        deed = f"Cannot remove host from aggregate {aggregate_id}"
        self._check_unmoved(host, left.zone_of(host), busy, deed)
        return left

    def _check_zone(
        self,
        aggregate_id: int,
        changes: Mapping[str, str | None],
        busy: Iterable[str],
        deed: str,
    ) -> None:
        one = self.get(aggregate_id)
        if ZONE_KEY not in changes:
            return
        zone = changes[ZONE_KEY]
        deed = f"Cannot {deed} aggregate {one.id}"
        if not zone:
            _refuse(
                deed,
                f"Aggregate {one.name} does not support empty named availability zone",
            )
        if _HOST_SIGN in zone:
            _refuse(deed, f"a zone's name has no {_HOST_SIGN!r}, which names a host")
        self._check_other_zones(one, zone, one.hosts, BadRequestError(deed))
        if zone != one.zone and not set(busy).isdisjoint(one.hosts):
            _refuse(deed, "One or more hosts contain instances in this zone")

    def _check_other_zones(
        self,
        one: Aggregate,
        zone: str,
        hosts: Iterable[str],
        refusal: SundogError,
    ) -> None:
        """Refuse a zone for hosts that another aggregate puts into another."""
        others = sorted(
            {
                other.zone
                for host in hosts
                for other in self.of(host)
                if other.id != one.id and other.zone and other.zone != zone
            }
        )
        if others:
            raise type(refusal)(
                f"{refusal}. Reason: One or more hosts already in availability zone(s) "
                f"{others}."
            )

    def _check_unmoved(
        self, host: str, zone: str, busy: Mapping[str, int], deed: str
    ) -> None:
        """Refuse to change the zone of a host that has servers."""
        old = self.zone_of(host)
        if busy.get(host) and old != zone:
            raise ConflictError(
                f"{deed}. Reason: host {host} has {busy[host]} instance(s) in "
                f"availability zone {old!r} and would be in {zone!r}; move them away "
                "first."
            )

    def _check_name(self, name: str, aggregate_id: int | None) -> None:
        if any(one.name == name and one.id != aggregate_id for one in self.every):
            raise ConflictError(f"Aggregate {name} already exists.")

    def _put(
        self, aggregate_id: int, edit: Callable[[Aggregate], Aggregate]
    ) -> Aggregates:
        self.get(aggregate_id)
        return replace(
            self,
            every=tuple(
                edit(one) if one.id == aggregate_id else one for one in self.every
            ),
        )


def _refuse(deed: str, reason: str) -> NoReturn:
    raise BadRequestError(f"{deed}. Reason: {reason}.")


def _merged(one: Aggregate, changes: Mapping[str, str | None]) -> dict[str, str]:
    kept = {**one.metadata, **changes}
    return {key: text for key, text in kept.items() if text is not None}
