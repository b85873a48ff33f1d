"""``/os-availability-zone``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.projects.aggregates import DEFAULT_ZONE
from sundog.edges.rest.ask import Answer

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask

_Hosts = dict[str, dict[str, dict[str, object]]]


def index(ask: Ask) -> Answer:
    """``GET /os-availability-zone``."""
    zones = _zones(ask)
    shown = [_zone(name, None, is_open=bool(zones[name])) for name in _ordered(zones)]
    return Answer(body={"availabilityZoneInfo": shown})


def detail(ask: Ask) -> Answer:
    """``GET /os-availability-zone/detail``: with their hosts and services."""
    zones = _zones(ask)
    shown = [
        _zone(name, zones[name] or None, is_open=bool(zones[name]))
        for name in _ordered(zones)
    ]
    return Answer(body={"availabilityZoneInfo": shown})


def _zones(ask: Ask) -> dict[str, _Hosts]:
    """Return the zones with those of their hosts whose service is enabled."""
    book, zone_of = ask.books.hosts, ask.books.aggregates.zones()
    zones: dict[str, _Hosts] = {}
    for service in book.service_list():
        hosts = zones.setdefault(zone_of.get(service.host, DEFAULT_ZONE), {})
        if service.disabled:
            continue
        seen = service.last_seen
        hosts.setdefault(service.host, {})[service.binary] = {
            "active": True,
            "available": book.is_up(service),
            "updated_at": seen.strftime("%Y-%m-%dT%H:%M:%S.%f") if seen else None,
        }
    return zones


def _ordered(zones: dict[str, _Hosts]) -> list[str]:
    """Put those with an enabled host first, as Nova does."""
    return sorted(zones, key=lambda name: (not zones[name], name))


def _zone(name: str, hosts: _Hosts | None, *, is_open: bool) -> dict[str, object]:
    return {"zoneName": name, "zoneState": {"available": is_open}, "hosts": hosts}
