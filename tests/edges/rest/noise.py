"""What a client may send by mistake or on purpose, as Hypothesis strategies."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from hypothesis import strategies as st
from tests.edges.rest.world import IMAGE

_WORDS: Final = (
    "",
    "m1",
    "web",
    "host-a",
    "vGPU",
    "None",
    "true",
    "0",
    "-1",
    "1",
    "99999999999999999999",
    "2026-01-31T12:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "asc",
    "(a+)+$",
    "[",
    "[[a]",
    "a{99999999999}",
    "a\0b",
    "x" * 300,
    "é\u2028",
    "\ud800",
    "in:a,b",
    "nova:host-a",
    IMAGE.id,
    "aaaaaaaa-0000-4000-8000-000000000001",
)
_PARAMETERS: Final = (
    "limit",
    "marker",
    "sort_key",
    "sort_dir",
    "name",
    "status",
    "host",
    "flavor",
    "image",
    "ip",
    "all_tenants",
    "deleted",
    "changes-since",
    "changes-before",
    "is_public",
    "minRam",
    "minDisk",
    "tags",
    "not-tags",
    "id",
    "visibility",
    "hypervisor_hostname_pattern",
    "with_servers",
    "binary",
    "config_drive",
    "locked",
    "zone",
    "start",
    "end",
    "detailed",
    "delete_info",
    "auto_disk_config",
    "availability_zone",
    "bogus",
)
_FIELDS: Final = (
    "flavor",
    "server",
    "extra_specs",
    "name",
    "ram",
    "vcpus",
    "disk",
    "id",
    "swap",
    "rxtx_factor",
    "description",
    "os-flavor-access:is_public",
    "OS-FLV-EXT-DATA:ephemeral",
    "flavorRef",
    "imageRef",
    "networks",
    "min_count",
    "max_count",
    "metadata",
    "meta",
    "tags",
    "hostname",
    "pinned_availability_zone",
    "config_drive",
    "user_data",
    "host",
    "availability_zone",
    "block_device_mapping_v2",
    "security_groups",
    "status",
    "forced_down",
    "disabled_reason",
    "binary",
    "os:scheduler_hints",
    "return_reservation_id",
    "aggregate",
    "add_host",
    "remove_host",
    "set_metadata",
    "cache",
    "bogus",
)

words = st.sampled_from(_WORDS) | st.text(max_size=12)
numbers = st.integers(-(2**70), 2**70) | st.sampled_from([10**400, 2**31])
leaves = st.none() | st.booleans() | numbers | st.floats() | words
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_FIELDS) | words, inner, max_size=4)
    ),
    max_leaves=8,
)


def _changed(good: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a good body with one field of its inside replaced or added."""
    outer = next(iter(good))

    def change(pair: tuple[str, Any]) -> Any:
        if isinstance(good[outer], dict):
            return {outer: {**good[outer], pair[0]: pair[1]}}
        return {**good, pair[0]: pair[1]}

    names = [*good[outer]] if isinstance(good[outer], dict) else [outer]
    return st.tuples(st.sampled_from([*names, *_FIELDS]), values).map(change)


_GOOD: Final[dict[str, dict[str, Any]]] = {
    "/flavors": {"flavor": {"name": "f", "ram": 1, "vcpus": 1, "disk": 0, "id": "f"}},
    "/flavors/<flavor_id>": {"flavor": {"description": "d"}},
    "/flavors/<flavor_id>/os-extra_specs": {
        "extra_specs": {"hw:cpu_policy": "dedicated"}
    },
    "/servers": {
        "server": {
            "name": "web",
            "flavorRef": "m1",
            "imageRef": IMAGE.id,
            "networks": "none",
        }
    },
    "/servers/<server_id>": {"server": {"name": "w"}},
    "/servers/<server_id>/metadata": {"metadata": {"a": "b"}},
    "/servers/<server_id>/metadata/<key>": {"meta": {"m1": "b"}},
    "/servers/<server_id>/tags": {"tags": ["a"]},
    "/servers/<server_id>/action": {"rebuild": {"imageRef": IMAGE.id}},
    "/os-services/<key>": {"status": "disabled"},
    "/projects": {"project": {"name": "p"}},
    "/users": {"user": {"name": "u", "password": "p"}},
    "/roles": {"role": {"name": "member"}},
    "/os-hosts/<host>": {"status": "enable"},
    "/os-server-external-events": {
        "events": [{"name": "network-changed", "server_uuid": IMAGE.id}]
    },
    "/servers/<server_id>/remote-consoles": {
        "remote_console": {"protocol": "vnc", "type": "novnc"}
    },
    "/os-aggregates": {"aggregate": {"name": "a", "availability_zone": "z"}},
    "/os-aggregates/<aggregate_id>": {"aggregate": {"availability_zone": "z"}},
    "/os-aggregates/<aggregate_id>/action": {"add_host": {"host": "host-a"}},
    "/os-aggregates/<aggregate_id>/images": {"cache": [{"id": IMAGE.id}]},
}


@dataclass(frozen=True)
class Sent:
    """A request as bytes on their way: the WSGI environment's parts."""

    path: str
    query: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def _encoded(body: object) -> bytes:
    return json.dumps(body).encode("utf-8", "surrogatepass")


def bodies(path: str) -> st.SearchStrategy[bytes]:
    """Return bodies for a path: nearly good ones, JSON of any kind, and no JSON."""
    raw = st.binary(max_size=20) | st.sampled_from(
        [
            b"",
            b"{",
            b"[" * 90000,
            b'{"a":' * 20000,
            b'"\xff"',
            b'"\\ud800"',
            b"x" * 200000,
        ]
    )
    good = _GOOD.get(path)
    near = st.just(good) | _changed(good) if good else values
    return (near | values).map(_encoded) | raw


def _pairs() -> st.SearchStrategy[str]:
    pair = st.tuples(st.sampled_from(_PARAMETERS) | words, words)
    quoted = pair.map(lambda kv: "=".join(quote(x, errors="replace") for x in kv))
    return st.lists(quoted, max_size=3).map("&".join) | st.sampled_from(
        ["%", "%ff=%fe", "&&=&", "limit=%00", "a" * 500]
    )


_VERSIONS = st.integers(1, 104).map(lambda minor: f"compute 2.{minor}")
_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "HTTP_OPENSTACK_API_VERSION": _VERSIONS
        | st.sampled_from(
            ["compute latest", "compute", "compute 2.x", "volume 3.0,,", "\xff"]
        ),
        "HTTP_X_OPENSTACK_NOVA_API_VERSION": st.sampled_from(
            ["2.53", "1.0", "latest", "9"]
        ),
        "CONTENT_TYPE": st.sampled_from(
            ["application/json", "text/xml", ";", "a/b;c=\xff"]
        ),
        "CONTENT_LENGTH": st.sampled_from(["", "-1", "x", "99999999999999999999", "3"]),
        "HTTP_HOST": st.sampled_from(["[::1]:1", "a b", "..", "x:99999999", "\xff"]),
        "HTTP_X_AUTH_TOKEN": st.sampled_from(["notused", "\xff"]),
    },
)


def requests(
    prefixes: tuple[str, ...], path: str, parts: dict[str, str]
) -> st.SearchStrategy[Sent]:
    """Return requests for a route; ``parts`` are good values for its path."""
    segments = [st.sampled_from(prefixes)]
    for segment in path.split("/")[1:]:
        name = segment.strip("<>")
        if name == segment:
            segments.append(st.just(segment))
        else:
            segments.append(st.just(parts[name.rpartition(":")[2]]) | words)
    full = st.tuples(*segments).map("/".join)
    raw = full.map(lambda text: text.encode("utf-8", "surrogatepass").decode("latin-1"))
    return st.builds(Sent, raw, _pairs(), bodies(path), _HEADERS)
