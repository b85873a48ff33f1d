"""An application on a port of the loopback address, for clients that speak HTTP."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from waitress.server import create_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication


@contextmanager
def listening(app: WSGIApplication) -> Iterator[str]:
    """Listen meanwhile; gives the root URL."""
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = Thread(target=server.run)
    thread.start()

    def close() -> None:
        # Or it waits for clients that keep their connections.
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        server.close()

    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # From waitress's own thread, or its loop may trip over a closed socket.
        server.trigger.pull_trigger(close)
        thread.join(timeout=10)
        server.task_dispatcher.shutdown()
