"""Placement itself in this process, on an SQLite file."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import ExitStack
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from oslo_config import cfg
from placement import conf as placement_conf
from placement import db_api, deploy, policy
from placement.objects import resource_class, trait

from sundog.core.errors import BadConfigurationError

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
        """Open or make the database; raises RuntimeError if another one is open.

        Raises BadConfigurationError when the path cannot hold a database.
        """
        if not _one_at_a_time.acquire(blocking=False):
            raise RuntimeError(
                f"{path}: Placement keeps its database in globals, so a process has"
                " one embedded Placement at a time; close the other one first"
            )
        with ExitStack() as undo:
            undo.callback(_one_at_a_time.release)
            _be_quiet()
            undo.callback(_keep_log_open(path).close)
            config = _configuration(path)
            undo.callback(_use_database(config.placement_database.connection))
            self._app: WsgiApp = deploy.loadapp(config)
            self._lock = Lock()
            self._undo = undo.pop_all()

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
            self._undo.close()


def _configuration(path: Path) -> cfg.ConfigOpts:
    config = cfg.ConfigOpts()
    placement_conf.register_opts(config)
    database = "placement_database"
    config.set_override("connection", f"sqlite:///{path}", group=database)
    config.set_override("sync_on_startup", override=True, group=database)
    config.set_override("auth_strategy", "noauth2", group="api")
    config([], project="placement", default_config_files=[], default_config_dirs=[])
    return config


def _use_database(connection: str) -> Callable[[], None]:
    """Point Placement's globals at a database; the answer points them back."""
    context = db_api.placement_context_manager.make_new_manager()
    context.configure(connection=connection)
    restore = db_api.placement_context_manager.patch_factory(context)
    # Placement writes its traits and classes once per process, not per database.
    trait._TRAITS_SYNCED = False  # noqa: SLF001 - no public way to another database
    resource_class._RESOURCE_CLASSES_SYNCED = False  # noqa: SLF001 - same
    policy.reset()

    def let_go() -> None:
        if context.is_started:
            context.dispose_pool()
        restore()

    return let_go


def _keep_log_open(path: Path) -> sqlite3.Connection:
    """Keep the write-ahead log open.

    Placement connects anew for every transaction, and SQLite folds the log back into
    the database whenever the last connection closes. The mode is kept in the file.
    """
    try:
        with ExitStack() as undo:
            connection = sqlite3.connect(path, check_same_thread=False)
            undo.callback(connection.close)
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            undo.pop_all()
    except sqlite3.Error as error:
        raise BadConfigurationError(
            f"{path}: Placement cannot keep its database there ({error}); name a"
            " folder that can be written to, or move the file away"
        ) from error
    return connection


def _be_quiet() -> None:
    """Leave Placement's log records to whoever configured logging, if anybody did."""
    for name in ("placement", "oslo_db", "oslo_policy", "oslo_concurrency"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
    logging.getLogger("placement.requestlog").setLevel(logging.WARNING)
