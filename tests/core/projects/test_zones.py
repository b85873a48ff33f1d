"""Which hosts a zone and a flavor's words about aggregates close."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from sundog.core.projects.aggregates import Aggregate, Aggregates
from sundog.core.projects.zones import (
    SCOPE,
    asks_of_aggregates,
    closed_by_hints,
    closed_hosts,
    matches,
)

HOSTS = ("e1", "e2", "w1", "n1")
EVERY = Aggregates(
    every=tuple(
        Aggregate(
            uuid=UUID(int=number),
            id=number,
            name=f"a{number}",
            created=datetime(2026, 1, 1, tzinfo=UTC),
            hosts=hosts,
            metadata=metadata,
        )
        for number, hosts, metadata in (
            (1, ("e1", "e2"), {"availability_zone": "east"}),
            (2, ("w1",), {"availability_zone": "west", "ssd": "true"}),
            (3, ("e1",), {"ssd": "true", "gpus": "4"}),
        )
    )
)


def closed(zone: str = "", **specs: str) -> list[str]:
    """Return the closed hosts; specs without their scope."""
    scoped = {f"{SCOPE}{key}": text for key, text in specs.items()}
    return sorted(closed_hosts(EVERY, HOSTS, zone, scoped))


def test_without_a_zone_and_a_word_of_aggregates_nothing_is_closed() -> None:
    assert closed() == []
    assert closed_hosts(EVERY, HOSTS, "", {"hw:numa_nodes": "1"}) == {}
    assert not asks_of_aggregates("", {"hw:numa_nodes": "1"})
    assert asks_of_aggregates("east", {})
    assert asks_of_aggregates("", {f"{SCOPE}ssd": "true"})


def test_a_zone_closes_all_hosts_of_others() -> None:
    assert closed("east") == ["n1", "w1"]
    assert closed("nova") == ["e1", "e2", "w1"]
    lacks = closed_hosts(EVERY, HOSTS, "west", {})["n1"]
    assert lacks.lack == "are not in availability zone west"
    assert lacks.detail == "is in availability zone nova, not in west"


def test_a_spec_closes_hosts_without_an_aggregate_like_it() -> None:
    assert closed(ssd="true") == ["e2", "n1"]
    assert closed(ssd="true", gpus="4") == ["e2", "n1", "w1"]
    assert closed("west", ssd="true") == ["e1", "e2", "n1"]
    scoped = {f"{SCOPE}gpus": ">= 8"}
    lacks = closed_hosts(EVERY, HOSTS, "", scoped)["e1"]
    assert lacks.detail == "is in no aggregate with gpus=>= 8"


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("true", "true"),
        ("4", ">= 4"),
        ("4", "= 3"),
        ("4", "== 4.0"),
        ("4", "!= 5"),
        ("4", "<= 4"),
        ("abc", "s== abc"),
        ("abc", "s!= abd"),
        ("abc", "s< abd"),
        ("abc", "s<= abc"),
        ("abc", "s> abb"),
        ("abc", "s>= abc"),
        ("x86 avx sse", "<in> avx"),
        ("x86 avx sse", "<all-in> sse avx"),
        ("blue", "<or> red <or> blue"),
    ],
)
def test_a_value_is_as_it_is_wanted(value: str, wanted: str) -> None:
    assert matches(value, wanted)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("true", "True"),
        ("4", ">= 5"),
        ("four", ">= 4"),
        ("4", ">="),
        ("abc", "s=="),
        ("abc", "s== abd"),
        ("x86 avx", "<in> sse"),
        ("x86 avx", "<all-in> avx sse"),
        ("x86", "<all-in>"),
        ("green", "<or> red <or> blue"),
    ],
)
def test_a_value_is_not_as_it_is_wanted(value: str, wanted: str) -> None:
    assert not matches(value, wanted)


def test_hints_close_hosts_by_what_they_hold() -> None:
    assert closed_by_hints(HOSTS, None, frozenset()) == {}
    near = closed_by_hints(HOSTS, frozenset({"e1"}), frozenset())
    assert sorted(near) == ["e2", "n1", "w1"]
    apart = closed_by_hints(HOSTS, None, frozenset({"e1"}))
    assert apart["e1"].detail == "holds a server of the hint different_host"
    assert closed_by_hints(HOSTS, frozenset(), frozenset()).keys() == set(HOSTS)
