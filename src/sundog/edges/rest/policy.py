"""Who may do what: the one table of roles, by route.

A path is looked up by its longest part that stands here; what does not stand here is
the admin's. The pairs say who may read (GET, HEAD) and who may write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from sundog.core.access.people import EVERYBODY, Caller, Role
from sundog.core.errors import UnauthorizedError
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug import Request

    from sundog.edges.rest.routes import Route
    from sundog.workflows.access.sign_in import Door

_READER, _MEMBER, _ADMIN = Role.READER, Role.MEMBER, Role.ADMIN
# None: whoever calls, without a token.
_OPEN: Final = (None, None)
# Whoever has a token, an unscoped one too: the handler looks closer.
ANY_TOKEN: Final = "any token"  # noqa: S105 - no password

_Need = Role | str | None
POLICY: Final[Mapping[str, Mapping[str, tuple[_Need, _Need]]]] = {
    "root": {"/": _OPEN},
    "compute": {
        "/flavors": (_READER, _ADMIN),
        "/flavors/<flavor_id>/os-flavor-access": (_ADMIN, _ADMIN),
        "/servers": (_READER, _MEMBER),
        "/servers/<server_id>/diagnostics": (_ADMIN, _ADMIN),
        "/servers/<server_id>/migrations": (_ADMIN, _ADMIN),
        "/limits": (_READER, _ADMIN),
        "/extensions": (_READER, _ADMIN),
        "/os-keypairs": (_READER, _READER),  # a user's own, in Nova too
        "/os-quota-sets": (_READER, _ADMIN),
        "/os-quota-class-sets": (_READER, _ADMIN),
        "/os-server-groups": (_READER, _MEMBER),
        "/os-simple-tenant-usage/<project_id>": (_READER, _ADMIN),
        "/os-availability-zone": (_READER, _ADMIN),
        "/os-availability-zone/detail": (_ADMIN, _ADMIN),
    },
    "image": {"/images": (_READER, _ADMIN)},
    "identity": {
        "/auth": (ANY_TOKEN, ANY_TOKEN),
        "/projects": (ANY_TOKEN, _ADMIN),
        "/users": (ANY_TOKEN, _ADMIN),
        "/roles": (ANY_TOKEN, _ADMIN),
        "/projects/<project_id>/users": (_ADMIN, _ADMIN),
        "/domains": (ANY_TOKEN, _ADMIN),
    },
    "own": {
        "/": (_ADMIN, _ADMIN),
        "/aliases": (_READER, _ADMIN),
        "/servers": (_READER, _MEMBER),
    },
}
# Actions on a server that are the admin's; all others are a member's.
ADMIN_ACTIONS: Final = frozenset(
    {
        "migrate",
        "os-migrateLive",
        "evacuate",
        "os-resetState",
        "injectNetworkInfo",
        "resetNetwork",
        "shelveOffload",
    }
)
_SIGN_IN: Final = ("POST", "/auth/tokens")
_NOBODY: Final = Caller(user_id="", user_name="")
_KEYSTONE: Final = 'Keystone uri="{}/identity"'


def let_in(door: Door, route: Route, request: Request) -> Caller:
    """Return who calls, if that role may; raises Fault 401 or 403."""
    need = needed(route)
    if door.is_open:
        return EVERYBODY
    if need is None:
        return _NOBODY
    caller = caller_of(door, request)
    if need is ANY_TOKEN:
        return caller
    if isinstance(need, Role) and not caller.may(need):
        raise _refusal(f"{route.method} {route.path}", need)
    if route.path.endswith("/action") and not caller.is_admin:
        for action in _actions(request):
            raise _refusal(f"the action {action}", _ADMIN)
    return caller


def caller_of(door: Door, request: Request) -> Caller:
    """Return whose token a request carries; raises Fault 401."""
    try:
        return door.session(request.headers.get("X-Auth-Token", "")).caller
    except UnauthorizedError as error:
        where = request.host_url.rstrip("/")
        headers = {"WWW-Authenticate": _KEYSTONE.format(where)}
        raise Fault(401, str(error), headers) from None


def needed(route: Route) -> _Need:
    """Return what a route needs: a role, any token, or None for nothing."""
    if route.path == "/" or (route.method, route.path) == _SIGN_IN:
        return None  # what clients discover by, before they sign in
    table, path = POLICY[route.api.value], route.path
    while path not in table and path:
        path = path.rpartition("/")[0]
    read, write = table.get(path or "/", (_ADMIN, _ADMIN))
    return read if route.method in ("GET", "HEAD") else write


def _refusal(deed: str, role: Role) -> Fault:
    return Fault(
        403,
        f"Policy doesn't allow {deed} to be performed. It needs the role {role.word}.",
    )


def _actions(request: Request) -> frozenset[str]:
    """Return the admin's actions that a body names; what is no JSON names none."""
    try:
        body = msgspec.json.decode(request.get_data(cache=True))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return frozenset()
    return ADMIN_ACTIONS & body.keys() if isinstance(body, dict) else frozenset()
