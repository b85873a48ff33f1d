"""Errors, mapped to HTTP in one place, in Nova's shape or Keystone's."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.core.errors import SundogError

# Nova's names; every other status is a computeFault, 406 too.
_NAMES: Final = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    410: "gone",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}

STATUS_OF: Final = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "no_valid_host": 409,
    "host_refused": 409,
    "claim_conflict": 503,
    "unavailable": 503,
}
RETRY_AFTER_S: Final = 5
UNFORESEEN: Final = (
    "Sundog met an error that it did not foresee, and has logged it under this "
    "request's id. Try again; if it comes back, report it."
)


class Fault(Exception):  # noqa: N818 - Nova's word for an error that is answered
    """An answer that is an error: HTTP status, one line, more headers."""

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Keep them."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})

    @classmethod
    def of(cls, error: SundogError) -> Fault:
        """Return what to answer for one of our own errors."""
        status = STATUS_OF.get(error.code, 500)
        retry = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}  # noqa: PLR2004 - Service Unavailable
        return cls(status, str(error), retry)

    def nova_body(self) -> dict[str, object]:
        """Write it as Nova does."""
        name = _NAMES.get(self.status, "computeFault")
        return {name: {"code": self.status, "message": self.message}}

    def keystone_body(self) -> dict[str, object]:
        """Write it as Keystone does."""
        title = HTTPStatus(self.status).phrase
        return {"error": {"code": self.status, "message": self.message, "title": title}}
