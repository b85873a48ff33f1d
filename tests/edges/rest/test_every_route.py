"""Whatever is sent to any route, the answer is a document, and an error is Nova's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from tests.edges.rest.noise import Sent, requests
from tests.edges.rest.world import IMAGE, World
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from sundog.core.access.people import ADMIN_PROJECT
from sundog.edges.rest.routes import ROUTES, Api, Route

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

NAMES: Final = {
    400: "badRequest",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    406: "computeFault",
    409: "conflictingRequest",
    410: "gone",
    413: "overLimit",
    415: "badMediaType",
    501: "notImplemented",
}


def furnished() -> tuple[World, dict[str, str]]:
    """Return a world with a flavor and a server, and good values for paths."""
    world = World()
    world.flavor("m1", hw__cpu_policy="shared")
    server = world.server(metadata={"m1": "x"}, tags=["m1"])
    world.books.aggregates.create("m1", "zone-1")
    parts = {
        "flavor_id": "m1",
        "server_id": server,
        "request_id": "req-1",
        "group_id": "55aaaaaa-0000-4000-8000-000000000001",
        "project_id": ADMIN_PROJECT.id,
        "key": "55aaaaaa-0000-4000-8000-000000000001",
        "tag": "m1",
        "image_id": IMAGE.id,
        "address": "0000:84:00.0",
        "name": "host-a",
        "aggregate_id": "1",
        **dict.fromkeys(("user_id", "role_id"), "u"),
        "before": "2026-01-01 00:00:00",
        "host": "host-a",
        "alias": "os-hosts",
        "network": "private",
        **dict.fromkeys(("part", "domain", "token", "port_id", "volume_id"), "x"),
        "snapshot_id": "x",
        "number": "1",
        "server": server,
        "slot": "vGPU/0",
    }
    return world, parts


def environ_of(route: Route, sent: Sent) -> WSGIEnvironment:
    builder = EnvironBuilder(method=route.method, data=sent.body)
    environ = builder.get_environ()
    environ["PATH_INFO"] = sent.path
    environ["QUERY_STRING"] = sent.query
    environ["CONTENT_TYPE"] = "application/json"
    environ.update(sent.headers)
    return environ


def check_answer(world: World, environ: WSGIEnvironment, api: Api) -> None:
    data, status, headers = run_wsgi_app(world.app, environ)
    response = Response(data, status, headers)
    code = response.status_code
    assert code < 500 or code == 501, response.get_data(as_text=True)
    body = response.get_json(silent=True)
    if code < 300 and not response.get_data():
        return
    assert body is not None
    if code >= 400:
        name = "error" if api is Api.IDENTITY else NAMES[code]
        assert list(body) == [name]
        assert body[name]["code"] == code
        assert body[name]["message"].strip()
        assert "Traceback" not in body[name]["message"]


@pytest.mark.parametrize(
    "route", ROUTES, ids=lambda r: f"{r.method} {r.api.value} {r.path}"
)
def test_no_request_makes_a_route_fail(route: Route) -> None:
    world, parts = furnished()

    @settings(
        max_examples=12,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(route.api.prefixes, route.path, parts))
    def send(sent: Sent) -> None:
        check_answer(world, environ_of(route, sent), route.api)

    send()
