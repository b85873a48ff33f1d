"""Ways to reach Placement: over HTTP with a token, or inside this process."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import requests
from keystoneauth1 import session as keystone_session
from keystoneauth1.token_endpoint import Token
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from sundog.edges.placement.embedded import ADMIN_TOKEN

if TYPE_CHECKING:
    from sundog.edges.placement.embedded import WsgiApp

_INSIDE: Final = "http://placement.inside"
_TIMEOUT_SECONDS: Final = 30


def token_session(endpoint: str, token: str) -> keystone_session.Session:
    """Return a session that sends one fixed token to one endpoint (admin_token).

    Any other keystoneauth session does as well: its auth plugin then finds the
    endpoint in the catalog.
    """
    return keystone_session.Session(
        auth=Token(endpoint.rstrip("/"), token), timeout=_TIMEOUT_SECONDS
    )


def inside_session(app: WsgiApp) -> keystone_session.Session:
    """Return a session whose requests are served by ``app``, without a socket."""
    carrier = requests.Session()
    carrier.mount(_INSIDE, _WsgiAdapter(app))
    return keystone_session.Session(auth=Token(_INSIDE, ADMIN_TOKEN), session=carrier)


class _WsgiAdapter(BaseAdapter):
    """Carries requests to a WSGI application."""

    def __init__(self, app: WsgiApp) -> None:
        super().__init__()
        self._app = app

    def send(
        self,
        request: requests.PreparedRequest,
        *_: object,
        **__: object,
    ) -> requests.Response:
        """Serve one request."""
        response = requests.Response()
        response.request = request
        response.url = request.url or _INSIDE

        def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            code, _space, response.reason = status.partition(" ")
            response.status_code = int(code)
            response.headers = CaseInsensitiveDict(headers)

        content = b"".join(self._app(_environ(request), start))
        response.raw = io.BytesIO(content)
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Nothing is open."""


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    """Spell a request as PEP 3333 does."""
    url = urlsplit(request.url or "")
    body = request.body or b""
    content = body if isinstance(body, bytes) else str(body).encode()
    headers = {
        "HTTP_" + name.upper().replace("-", "_"): value
        for name, value in request.headers.items()
    }
    return {
        **headers,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path),
        "QUERY_STRING": url.query,
        "SERVER_NAME": url.hostname,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
