"""The WSGI application: from a request to a handler and back."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import msgspec
from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule

from sundog.core.errors import SundogError
from sundog.edges.rest import microversions
from sundog.edges.rest.ask import Answer, Ask, Books
from sundog.edges.rest.errors import UNFORESEEN, Fault
from sundog.edges.rest.policy import caller_of, let_in
from sundog.edges.rest.query import Query
from sundog.edges.rest.routes import ROUTES, Api, Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_LOG: Final = logging.getLogger(__name__)
# Nova's osapi_max_request_body_size; a user_data of 64 KiB fits.
_LARGEST_BODY: Final = 114688
_LONGEST_PART: Final = 255
# What Placement without Keystone takes for an administrator.
_MOUNTED_ADMIN: Final = "admin"


class _Request(Request):
    max_content_length = _LARGEST_BODY


def build_app(
    books: Books, mounts: Mapping[str, WSGIApplication] | None = None
) -> WSGIApplication:
    """Return the REST API as a WSGI application.

    ``mounts`` are other applications by path prefix (``/placement``); they are told
    their prefix as SCRIPT_NAME.
    """
    return _App(books, dict(mounts or {}))


class _App:
    def __init__(self, books: Books, mounts: Mapping[str, WSGIApplication]) -> None:
        self._books = books
        self._mounts = mounts
        self._map = _url_map()

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        mounted = self._mounted(environ)
        if mounted is not None:
            return self._guarded(mounted, environ)(environ, start_response)
        response = self._respond(_Request(environ))
        return response(environ, start_response)

    def _mounted(self, environ: WSGIEnvironment) -> WSGIApplication | None:
        path = environ.get("PATH_INFO", "")
        for prefix, app in self._mounts.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + prefix
                environ["PATH_INFO"] = path[len(prefix) :]
                return app
        return None

    def _guarded(
        self, mounted: WSGIApplication, environ: WSGIEnvironment
    ) -> WSGIApplication:
        """Return what answers: the application, or a refusal of who is no admin."""
        if self._books.door.is_open or environ["PATH_INFO"] in ("", "/"):
            return mounted
        request = _Request(environ)
        try:
            caller = caller_of(self._books.door, request)
        except Fault as fault:
            return _failure(request, fault, _identification())
        if not caller.is_admin:
            refusal = Fault(403, "This is for the role admin.")
            return _failure(request, refusal, _identification())
        environ["HTTP_X_AUTH_TOKEN"] = _MOUNTED_ADMIN
        return mounted

    def _respond(self, request: Request) -> Response:
        headers = _identification()
        try:
            answer = self._answer(request, headers)
            return _response(answer, headers)
        except Fault as fault:
            return _failure(request, fault, headers)
        except SundogError as error:
            return _failure(request, _told(error, headers), headers)
        except HTTPException as error:
            return _failure(request, _fault_of(error), headers)
        except Exception:  # noqa: BLE001 - the last line of defence, see below
            # Whatever it is, the client gets JSON and the operator the traceback.
            _LOG.exception("%s: unforeseen", headers["X-Compute-Request-Id"])
            return _failure(request, Fault(500, UNFORESEEN), headers)

    def _answer(self, request: Request, headers: dict[str, str]) -> Answer:
        adapter = self._map.bind("sundog.invalid")
        (prefix, route), parts = adapter.match(request.path, method=request.method)
        caller = let_in(self._books.door, route, request)
        version = 0
        if route.api is Api.COMPUTE and route.versioned:
            version = microversions.OLDEST
            if not prefix.endswith(microversions.VERSION_2_0):
                version = microversions.asked(request.headers)
                headers.update(microversions.echoed(version))
        _check_parts(route, parts, version)
        ask = Ask(
            request=request,
            books=self._books,
            version=version,
            host_url=request.host_url.rstrip("/"),
            base=prefix,
            query=Query(request.args),
            caller=caller,
            request_id=headers["X-Compute-Request-Id"],
        )
        answer: Answer = route.handler(ask, **parts)
        return answer


@cache
def _url_map() -> Map:
    return Map(
        [
            Rule(prefix + route.path, methods=[route.method], endpoint=(prefix, route))
            for route in ROUTES
            for prefix in route.api.prefixes
        ],
        strict_slashes=False,
        merge_slashes=False,
        redirect_defaults=False,
    )


def _check_parts(route: Route, parts: Mapping[str, str], version: int) -> None:
    """Raise Fault 404 for what no resource can be called, and by microversion."""
    for part in parts.values():
        if len(part) > _LONGEST_PART or not part.isprintable():
            raise Fault(404, "The resource could not be found.")
    if version and not route.since <= version <= route.until:
        raise Fault(404, "The resource could not be found.")


def _identification() -> dict[str, str]:
    name = f"req-{uuid4()}"
    return {"X-Compute-Request-Id": name, "X-OpenStack-Request-Id": name}


def _told(error: SundogError, headers: Mapping[str, str]) -> Fault:
    fault = Fault.of(error)
    if fault.status != 500:  # noqa: PLR2004 - what has no status of its own
        return fault
    _LOG.error("%s: %s", headers["X-Compute-Request-Id"], error, exc_info=error)
    return Fault(500, UNFORESEEN)


def _fault_of(error: HTTPException) -> Fault:
    """Say Werkzeug's refusals (routing, body size, Host header) in our words."""
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return Fault(error.code or 500, error.description or error.name, headers)


def _failure(request: Request, fault: Fault, headers: Mapping[str, str]) -> Response:
    # A 401 is Keystone's word everywhere: Nova's own middleware is Keystone's.
    is_keystone = request.path.startswith(("/identity", "/v3")) or fault.status == 401  # noqa: PLR2004 - Unauthorized
    body = fault.keystone_body() if is_keystone else fault.nova_body()
    answer = Answer(body=body, status=fault.status, headers=fault.headers)
    return _response(answer, headers)


def _response(answer: Answer, headers: Mapping[str, str]) -> Response:
    data = b"" if answer.body is None else msgspec.json.encode(answer.body)
    response = Response(data, status=answer.status)
    if answer.body is None:
        del response.headers["Content-Type"]
    else:
        response.headers["Content-Type"] = "application/json"
    for name, value in {**headers, **answer.headers}.items():
        response.headers[name] = value
    return response
