"""Stands before Placement: records what is asked, and may answer or act first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sundog.edges.placement.embedded import StartResponse, WsgiApp


class Front:
    """A WSGI application before another one.

    ``asked`` holds ``METHOD /path`` of every request. ``before`` is called with it
    before the request goes on; a status line that it returns is the answer, with
    ``body`` as its content.
    """

    def __init__(self, app: WsgiApp) -> None:
        """Let everything through to ``app``."""
        self._app = app
        self.asked: list[str] = []
        self.before: Callable[[str], str | None] = lambda _: None
        self.body: bytes = json.dumps(
            {"errors": [{"detail": "as the test says", "code": "placement.test"}]}
        ).encode()

    def __call__(
        self, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        """Serve one request."""
        asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        self.asked.append(asked)
        status = self.before(asked)
        if status is None:
            return self._app(environ, start_response)
        start_response(status, [("Content-Type", "application/json")])
        return [self.body]

    @property
    def writes(self) -> list[str]:
        """Every request that was not a reading."""
        return [asked for asked in self.asked if not asked.startswith("GET")]
