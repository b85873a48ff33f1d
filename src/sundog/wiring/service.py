"""Serve until told to stop: HTTP, heartbeats, signals."""

from __future__ import annotations

import gc
import logging
import signal
import sys
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

from waitress.server import create_server

from sundog.core.errors import BadConfigurationError, SundogError
from sundog.settings.read import read_settings
from sundog.wiring.embedded import build_embedded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sundog.settings.tree import Settings
    from sundog.wiring.embedded import Embedded

LOG: Final = logging.getLogger("sundog")
_HEARTBEAT_SECONDS: Final = 15.0
_THREADS: Final = 8


def serve(config: Sequence[Path]) -> int:
    """Serve in the foreground until SIGTERM or SIGINT; SIGHUP reads rules anew.

    Raises BadConfigurationError with every problem before anything is started.
    """
    settings = read_settings(config, {})
    _log_to_stderr()
    with build_embedded(settings) as service:
        server = _listen(settings, service)
        stop, reload = Event(), Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        signal.signal(signal.SIGHUP, lambda *_: reload.set())
        service.start()
        # What was just read stays for good; collecting it again and again would hold
        # requests up by a tenth of a second with a thousand hosts.
        gc.collect()
        gc.freeze()
        Thread(target=server.run, name="http", daemon=True).start()
        _say_where(settings, len(service.agents), server.effective_port)
        _beat_until(stop, reload, service, config)
        server.close()
    LOG.info("Stopped")
    return 0


def _log_to_stderr() -> None:
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    # Each start of a new database would tell every step of its making.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _listen(settings: Settings, service: Embedded) -> Any:  # noqa: ANN401 - waitress ships no types
    try:
        return create_server(
            service.app,
            host=settings.api.listen,
            port=settings.api.port,
            threads=_THREADS,
            ident="sundog",
        )
    except OSError as error:
        raise BadConfigurationError(
            f"[DEFAULT] osapi_compute_listen_port = {settings.api.port}: "
            f"cannot listen on {settings.api.listen}: {error.strerror}; "
            "choose another port"
        ) from error


def _say_where(settings: Settings, hosts: int, port: object) -> None:
    LOG.info("Serving %d hosts on http://%s:%s", hosts, settings.api.listen, port)


def _beat_until(
    stop: Event, reload: Event, service: Embedded, config: Sequence[Path]
) -> None:
    waited = 0.0
    while not stop.wait(0.2):
        waited += 0.2
        try:
            if reload.is_set():
                reload.clear()
                service.follow_rules(read_settings(config, {}))
                LOG.info("Took the whitelist up anew")
            elif waited >= _HEARTBEAT_SECONDS:
                waited = 0.0
                service.beat()
        except BadConfigurationError as error:
            for problem in error.problems:
                LOG.warning("Kept the old whitelist: %s", problem)
        except SundogError as error:
            LOG.warning("Report: %s", error)
        except Exception:
            # Servers are served on; the next heartbeat may well be a good one.
            LOG.exception("A heartbeat failed")
