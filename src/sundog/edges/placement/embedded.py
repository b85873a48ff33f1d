"""Placement itself in this process, on an SQLite file."""

from __future__ import annotations

import logging
import sqlite3
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from oslo_config import cfg
from placement import conf as placement_conf
from placement import db_api, deploy, policy
from placement.objects import resource_class, trait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    StartResponse = Callable[..., Any]
    WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

ADMIN_TOKEN: Final = "admin"  # noqa: S105 - the name that noauth2 takes for an administrator
_TOKENS: Final = frozenset({ADMIN_TOKEN, "notused"})
_one_at_a_time: Final = Lock()


class EmbeddedPlacement:
    """Placement's WSGI application, loaded once; a process has one at a time.

    Requests are served one after another: SQLite takes one writer, and Placement
    answers 500 ("database is locked") to the others. The tokens ``admin`` and
    ``notused`` (what clients send with ``auth_type: none``) are an administrator's;
    whoever serves it beyond this process decides who may reach it.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the database; raises RuntimeError if another one is open."""
        if not _one_at_a_time.acquire(blocking=False):
            raise RuntimeError(
                f"{path}: Placement keeps its database in globals, so a process has"
                " one embedded Placement at a time; close the other one first"
            )
        try:
            self._open(path)
        except BaseException:
            _one_at_a_time.release()
            raise

    def _open(self, path: Path) -> None:
        _be_quiet()
        self._keeper = _keep_log_open(path)
        config = _configuration(path)
        database = config.placement_database
        context = db_api.placement_context_manager.make_new_manager()
        context.configure(connection=database.connection)
        self._context = context
        self._restore = db_api.placement_context_manager.patch_factory(context)
        # Placement writes its traits and classes once per process, not per database.
        trait._TRAITS_SYNCED = False  # noqa: SLF001 - no public way to another database
        resource_class._RESOURCE_CLASSES_SYNCED = False  # noqa: SLF001 - same
        policy.reset()
        self._app: WsgiApp = deploy.loadapp(config)
        self._lock = Lock()

    def __call__(
        self, environ: dict[str, Any], start_response: StartResponse
    ) -> Iterable[bytes]:
        """Serve one request (WSGI)."""
        if environ.get("HTTP_X_AUTH_TOKEN") in _TOKENS:
            environ = {**environ, "HTTP_X_AUTH_TOKEN": ADMIN_TOKEN}
        with self._lock:
            return list(self._app(environ, start_response))

    def close(self) -> None:
        """Let go of the database, so that another may be opened."""
        with self._lock:
            self._context.dispose_pool()
            self._restore()
            self._keeper.close()
        _one_at_a_time.release()


def embedded_app(path: Path) -> EmbeddedPlacement:
    """Return Placement on the database in ``path``, which is made if missing."""
    return EmbeddedPlacement(path)


def _configuration(path: Path) -> cfg.ConfigOpts:
    config = cfg.ConfigOpts()
    placement_conf.register_opts(config)
    database = "placement_database"
    config.set_override("connection", f"sqlite:///{path}", group=database)
    config.set_override("sync_on_startup", override=True, group=database)
    config.set_override("auth_strategy", "noauth2", group="api")
    config([], project="placement", default_config_files=[], default_config_dirs=[])
    return config


def _keep_log_open(path: Path) -> sqlite3.Connection:
    """Keep the write-ahead log open.

    Placement connects anew for every transaction, and SQLite folds the log back into
    the database whenever the last connection closes. The mode is kept in the file.
    """
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL").fetchone()
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return connection


def _be_quiet() -> None:
    """Leave Placement's log records to whoever configured logging, if anybody did."""
    for name in ("placement", "oslo_db", "oslo_policy", "oslo_concurrency"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
    logging.getLogger("placement.requestlog").setLevel(logging.WARNING)
