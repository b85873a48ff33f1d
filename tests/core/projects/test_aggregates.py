"""Aggregates keep their rules, whichever of them is changed."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from sundog.core.errors import BadRequestError, ConflictError, NotFoundError
from sundog.core.projects.aggregates import DEFAULT_ZONE, Aggregate, Aggregates

THEN = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY: dict[str, int] = {}


def new(name: str, zone: str | None = None) -> Aggregate:
    """Return an aggregate that is to be added."""
    metadata = {"availability_zone": zone} if zone else {}
    return Aggregate(uuid=UUID(int=1), name=name, created=THEN, metadata=metadata)


def made(**zones: str | None) -> Aggregates:
    """Return aggregates by name, each with its zone; their ids count from 1."""
    every = Aggregates()
    for name, zone in zones.items():
        every = every.with_new(new(name, zone))
    return every


def test_ids_are_not_used_twice() -> None:
    every = made(a=None, b=None).without(2).with_new(new("c"))
    assert [one.id for one in every.every] == [1, 3]


def test_a_name_is_taken_once() -> None:
    every = made(a=None, b=None)
    with pytest.raises(ConflictError, match="Aggregate a already exists"):
        every.with_new(new("a"))
    with pytest.raises(ConflictError, match="Aggregate a already exists"):
        every.updated(2, {"name": "a"}, ())
    assert every.updated(1, {"name": "a"}, ()).get(1).name == "a"


def test_one_that_is_not_there_is_told() -> None:
    for deed in (
        lambda: made().get(7),
        lambda: made().without(7),
        lambda: made().updated(7, {"name": "x"}, ()),
        lambda: made().with_metadata(7, {}, ()),
        lambda: made().with_host(7, "h", NOBODY),
        lambda: made().stamped(7, THEN),
    ):
        with pytest.raises(NotFoundError, match="Aggregate 7 could not be found"):
            deed()


def test_a_host_is_in_the_zone_of_its_aggregate_or_in_the_default() -> None:
    every = made(a=None, z="east").with_host(1, "h", NOBODY)
    assert every.zone_of("h") == DEFAULT_ZONE
    both = every.with_host(2, "h", NOBODY)
    assert both.zone_of("h") == "east"
    assert [one.name for one in both.of("h")] == ["a", "z"]


def test_a_host_is_in_an_aggregate_once() -> None:
    every = made(a=None).with_host(1, "h", NOBODY)
    with pytest.raises(ConflictError, match="already has host h"):
        every.with_host(1, "h", NOBODY)
    assert every.without_host(1, "h", NOBODY).get(1).hosts == ()
    with pytest.raises(NotFoundError, match="Cannot remove host other in aggregate 1"):
        every.without_host(1, "other", NOBODY)


def test_one_with_hosts_is_not_deleted() -> None:
    every = made(a=None).with_host(1, "h", NOBODY)
    with pytest.raises(BadRequestError, match="Host aggregate is not empty"):
        every.without(1)


def test_a_host_is_in_one_zone() -> None:
    every = made(e="east", w="west", e2="east", none=None).with_host(1, "h", NOBODY)
    with pytest.raises(ConflictError, match=r"already in availability zone.*'east'"):
        every.with_host(2, "h", NOBODY)
    same = every.with_host(3, "h", NOBODY).with_host(4, "h", NOBODY)
    with pytest.raises(BadRequestError, match=r"already in availability zone"):
        same.with_metadata(4, {"availability_zone": "west"}, ())
    with pytest.raises(BadRequestError, match=r"already in availability zone"):
        same.updated(1, {"availability_zone": "west"}, ())


def test_a_zone_has_a_name_without_a_colon() -> None:
    every = made(a=None)
    for zone in ("", None):
        with pytest.raises(BadRequestError, match="empty named availability zone"):
            every.with_metadata(1, {"availability_zone": zone}, ())
    with pytest.raises(BadRequestError, match="':'"):
        every.updated(1, {"availability_zone": "a:b"}, ())


def test_servers_are_not_moved_between_zones_by_words() -> None:
    """Their zone changes by no change of an aggregate; what keeps it may be done."""
    busy = {"h": 2}
    every = made(z="east", a=None, z2="east").with_host(1, "h", NOBODY)
    with pytest.raises(BadRequestError, match="contain instances in this zone"):
        every.with_metadata(1, {"availability_zone": "west"}, busy)
    with pytest.raises(ConflictError, match=r"2 instance.*'east' and would be in"):
        every.without_host(1, "h", busy)
    out = made(z="east")
    with pytest.raises(ConflictError, match=r"'nova' and would be in 'east'"):
        out.with_host(1, "h", busy)
    kept = every.with_host(2, "h", busy).with_host(3, "h", busy)
    assert kept.without_host(1, "h", busy).zone_of("h") == "east"
    renamed = every.updated(1, {"availability_zone": "east", "name": "n"}, busy)
    assert renamed.get(1).name == "n"


def test_metadata_is_added_and_taken_away_by_null() -> None:
    every = made(a=None).with_metadata(1, {"ssd": "true", "rack": "7"}, ())
    every = every.with_metadata(1, {"ssd": None, "gone": None}, ())
    assert every.get(1).metadata == {"rack": "7"}
    assert every.stamped(1, THEN).get(1).updated == THEN
