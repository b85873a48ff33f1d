"""Ledgers for the contract: the fake, Placement in process, Placement over HTTP."""

from __future__ import annotations

from contextlib import contextmanager
from socketserver import ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from tests.fakes.ledger import FakeLedger

from sundog.edges.placement.embedded import EmbeddedPlacement
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.sessions import inside_session, token_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sundog.edges.placement.embedded import WsgiApp
    from sundog.workflows.ports import Ledger

KINDS: Final = ("fake", "Placement in process", "Placement over HTTP")


class _Server(ThreadingMixIn, WSGIServer):
    """Serves each request in a thread of its own."""

    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    """Keeps requests out of the tests' output."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(app: WsgiApp) -> Iterator[str]:
    """Serve an application on a free port of this machine; yield its address."""
    server = make_server(
        "127.0.0.1", 0, app, server_class=_Server, handler_class=_QuietHandler
    )
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Ledger]:
    """Open a ledger of one of ``KINDS``."""
    if kind == "fake":
        yield FakeLedger()
        return
    app = EmbeddedPlacement(folder / "placement.sqlite")
    try:
        if kind == "Placement in process":
            yield PlacementLedger(inside_session(app))
        else:
            with served(app) as address:
                yield PlacementLedger(token_session(address, "admin"))
    finally:
        app.close()
