"""Transactions that came to nothing are done again, where that is safe."""

from __future__ import annotations

from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# SQLite: busy, locked. PostgreSQL: serialization failure, deadlock, lock not
# available, shutting down. MariaDB: lock wait timeout, deadlock.
_PASSING: Final = frozenset({5, 6, "40001", "40P01", "55P03", "57P01", 1205, 1213})


def retrying(table: type[T]) -> type[T]:
    """Do each public method of a table again when its transaction was lost.

    A method is one transaction, so that what was lost left nothing behind.
    """
    for name, method in [*vars(table).items()]:
        if callable(method) and not name.startswith("_"):
            setattr(table, name, _retried(method))
    return table


def _retried(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def again(self: Any, *values: object, **named: object) -> object:  # noqa: ANN401 - a table of any kind
        return self._database.again(partial(method, self, *values, **named))

    return again


def may_pass(error: Exception) -> bool:
    """Whether a transaction was lost to what passes: another's lock, a connection."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or _is_lock(error)


def _is_lock(error: DBAPIError) -> bool:
    told = error.orig
    codes = (
        getattr(told, "sqlite_errorcode", None),
        getattr(told, "sqlstate", None),
        getattr(told, "pgcode", None),
        *(told.args[:1] if told is not None else ()),
    )
    return any(code in _PASSING for code in codes if isinstance(code, (int, str)))
