"""The few errors that cross rings; each has a stable public code.

The REST edge maps a code to an HTTP status in one place. A message is one clear
line that names the key, the value and the way out.
"""

from __future__ import annotations

from typing import ClassVar


class SundogError(Exception):
    """Base of all errors that a user or operator may see.

    ``code`` is stable and public; ``str(error)`` is one line for a person.
    """

    code: ClassVar[str] = "internal"


class BadConfigurationError(SundogError):
    """The operator's configuration cannot be used.

    ``problems`` holds every problem found, one line each, so that all of them are
    told at once.
    """

    code = "bad_configuration"

    def __init__(self, *problems: str) -> None:
        """Keep each problem; the message joins them by line breaks."""
        self.problems = problems
        super().__init__("\n".join(problems))


class BadRequestError(SundogError):
    """The request, or a flavor or image that it names, is malformed (HTTP 400)."""

    code = "bad_request"


class UnauthorizedError(SundogError):
    """Nobody known calls: no token, a wrong one, or a wrong password (HTTP 401)."""

    code = "unauthorized"


class ForbiddenError(SundogError):
    """The request contradicts what it may ask for (HTTP 403)."""

    code = "forbidden"


class NotFoundError(SundogError):
    """The thing named in the request is not there (HTTP 404)."""

    code = "not_found"


class ConflictError(SundogError):
    """The thing is in a state that does not allow the request (HTTP 409)."""

    code = "conflict"


class NoValidHostError(SundogError):
    """No host fits; the message says which constraint, where, and what would help."""

    code = "no_valid_host"


class ClaimConflictError(SundogError):
    """Placement refused a claim because someone else was faster (HTTP 409 there)."""

    code = "claim_conflict"


class OutbidError(ClaimConflictError):
    """Another chooser claimed first what was chosen; choosing anew may find more."""

    code = "outbid"


class HostRefusedError(SundogError):
    """The host's agent, the last judge, refused or failed a job; nothing is left."""

    code = "host_refused"


class CancelledError(SundogError):
    """What was under way was called off; it was undone."""

    code = "cancelled"


class NotAskedError(HostRefusedError):
    """A guest could not even be asked to let go of a device: it keeps it."""

    code = "host_refused"


class StuckError(SundogError):
    """What was begun could not be undone; the claim is kept, so nothing is lost."""

    code = "stuck"


class UnavailableError(SundogError):
    """An outside service is away for now (HTTP 503 with Retry-After)."""

    code = "unavailable"


def waits_for(error: BaseException | None) -> UnavailableError | None:
    """Return the outside service's absence that an error comes from, if it does."""
    while error is not None:
        if isinstance(error, UnavailableError):
            return error
        error = error.__cause__
    return None
