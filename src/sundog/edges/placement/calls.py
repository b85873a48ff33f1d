"""Single calls to Placement's API, and what its answers mean."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from keystoneauth1 import exceptions as keystone_errors
from keystoneauth1.adapter import Adapter

from sundog.core.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from keystoneauth1.session import Session

# 1.39 (2022.1): consumer types, re-parenting, generations on every write.
_MICROVERSION: Final = "1.39"
_OUR_FAULT: Final = range(400, 500)
_REFUSED_US: Final = (401, 403)
_FRESH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer below 500: its status, JSON body, and Placement's error if it is one.

    ``code`` is Placement's own (``placement.concurrent_update`` and others).
    """

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    code: str = ""
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether Placement did as asked."""
        return self.status not in _OUR_FAULT


class Calls:
    """Placement's API; an answer that says nothing of the question is raised."""

    def __init__(
        self, session: Session, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Speak through a keystoneauth session; ``clock`` counts seconds."""
        self._clock = clock
        self._answered = -_FRESH_SECONDS
        self._adapter = Adapter(
            session=session,
            service_type="placement",
            default_microversion=_MICROVERSION,
            raise_exc=False,
        )

    def call(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Answer:
        """Ask; raises UnavailableError when Placement is away or shuts us out."""
        self._answered = -_FRESH_SECONDS
        answer = self._call(method, path, body)
        self._answered = self._clock()
        return answer

    def check(self) -> None:
        """Raise UnavailableError when Placement is away; asks it if that is not known.

        An answer tells for a second, so that many requests cost one question.
        """
        if self._clock() - self._answered >= _FRESH_SECONDS:
            self.get("/resource_providers?name=sundog-asks-whether-anybody-is-there")

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        named = f"Placement, asked to {method} {path},"
        try:
            response = self._adapter.request(
                path, method, headers={"Accept": "application/json"}, json=body
            )
            content = response.json() if response.content else {}
        except keystone_errors.ClientException as error:
            raise UnavailableError(f"{named} cannot be reached: {error}") from error
        except ValueError as error:
            raise UnavailableError(f"{named} did not answer in JSON") from error
        answer = _answer(response.status_code, content)
        if answer.status not in _OUR_FAULT and not response.ok:
            raise UnavailableError(f"{named} failed: {answer.status} {answer.reason}")
        if answer.status in _REFUSED_US:
            raise UnavailableError(
                f"{named} does not let us in: {answer.status} {answer.reason};"
                " check the [placement] credentials"
            )
        return answer

    def get(self, path: str) -> dict[str, Any]:
        """Read; what is not there is empty. Raises UnavailableError."""
        answer = self.call("GET", path)
        return answer.body if answer.ok else {}


def _answer(status: int, content: object) -> Answer:
    body = content if isinstance(content, dict) else {}
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else {}
    # Placement appends its own traceback-like remarks after blank lines.
    reason = " ".join(str(first.get("detail", "")).split())
    return Answer(status, body, str(first.get("code", "")), reason)
