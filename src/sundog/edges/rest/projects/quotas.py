"""``/os-quota-sets`` and ``/os-quota-class-sets``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sundog.core.projects.quota import ALIAS, CLASS, DEFAULTS
from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.microversions import NEWEST
from sundog.workflows.projects.quotas import EVERYBODY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.edges.rest.ask import Ask

# What Nova's older versions tell and nothing here counts; the last version of each.
_NETWORKS: Final = ("fixed_ips", "floating_ips", "security_groups")
_OLD: Final[Mapping[str, int]] = {
    **dict.fromkeys((*_NETWORKS, "security_group_rules"), 35),
    "injected_files": 56,
    "injected_file_content_bytes": 56,
    "injected_file_path_bytes": 56,
}
_DEFAULT_CLASS: Final = "default"
_Values = dict[str, int | str | bool | None]


def show(ask: Ask, project_id: str) -> Answer:
    """``GET /os-quota-sets/{project}``, with ``user_id`` those of a user in it."""
    _check_seen(ask, project_id)
    limits = _shown(ask, ask.books.quotas.limits(project_id, _user(ask)))
    return Answer(body={"quota_set": {"id": project_id, **limits}})


def defaults(ask: Ask, project_id: str) -> Answer:
    """``GET /os-quota-sets/{project}/defaults``."""
    limits = _shown(ask, ask.books.quotas.defaults())
    return Answer(body={"quota_set": {"id": project_id, **limits}})


def detail(ask: Ask, project_id: str) -> Answer:
    """``GET /os-quota-sets/{project}/detail``: with what is used."""
    _check_seen(ask, project_id)
    used = ask.books.quotas.used(project_id, _user(ask))
    used["server_groups"] = len(ask.books.groups.list(project_id))
    limits = _shown(ask, ask.books.quotas.limits(project_id, _user(ask)))
    told = {
        name: {"limit": limit, "in_use": used.get(name, 0), "reserved": 0}
        for name, limit in limits.items()
    }
    return Answer(body={"quota_set": {"id": project_id, **told}})


def update(ask: Ask, project_id: str) -> Answer:
    """``PUT /os-quota-sets/{project}``, with ``user_id`` those of a user in it."""
    values = _values(ask, "quota_set")
    force = checks.flag("force", values.pop("force", None) or False)
    limits = _limits(ask, values)
    if not force:
        _check_used(ask, project_id, limits)
    if _user(ask):
        _check_within(ask.books.quotas.limits(project_id), limits)
    changed = ask.books.quotas.change(project_id, limits, _user(ask))
    return Answer(body={"quota_set": _shown(ask, changed)})


def delete(ask: Ask, project_id: str) -> Answer:
    """``DELETE /os-quota-sets/{project}``: the defaults count again.

    With ``user_id`` the project's limits count again for a user.
    """
    ask.books.quotas.forget(project_id, _user(ask))
    return Answer(status=202)


def show_class(ask: Ask, name: str) -> Answer:
    """``GET /os-quota-class-sets/{class}``: there is one, default."""
    limits = _shown(ask, ask.books.quotas.defaults())
    return Answer(body={"quota_class_set": {"id": name, **limits}})


def update_class(ask: Ask, name: str) -> Answer:
    """``PUT /os-quota-class-sets/default``."""
    if name != _DEFAULT_CLASS:
        raise Fault(400, f"There is one quota class, {_DEFAULT_CLASS!r}.")
    limits = _limits(ask, _values(ask, "quota_class_set"))
    ask.books.quotas.change(EVERYBODY, limits)
    shown = _shown(ask, ask.books.quotas.defaults())
    return Answer(body={"quota_class_set": shown})


def _check_seen(ask: Ask, project_id: str) -> None:
    if not ask.caller.sees(project_id):
        raise Fault(403, "Policy doesn't allow the quotas of another project.")


def _values(ask: Ask, name: str) -> _Values:
    body = ask.read(dict[str, _Values])
    if body.keys() != {name}:
        raise Fault(400, f"{name!r} is a required property, and the only one")
    values = body[name]
    values.pop("tenant_id", None)
    values.pop("id", None)
    return values


def _limits(ask: Ask, values: _Values) -> dict[str, int]:
    """Check limits; those of old versions are kept, and nothing counts for them."""
    old = {name for name, last in _OLD.items() if ask.version <= last}
    limits = dict[str, int]()
    for name, value in values.items():
        is_ours = name.startswith((ALIAS, CLASS)) and len(name) > len(ALIAS)
        if name not in DEFAULTS and name not in old and not is_ours:
            raise Fault(
                400,
                f"Additional properties are not allowed ({name[:80]!r} was unexpected)",
            )
        if isinstance(value, bool) or value is None:
            raise Fault(400, f"Invalid input for field/attribute {name}: not a number.")
        limit = checks.whole(name, value, least=-1)
        limits[name] = limit
    return limits


def _check_used(ask: Ask, project_id: str, limits: Mapping[str, int]) -> None:
    used = ask.books.quotas.used(project_id, _user(ask))
    for name, limit in limits.items():
        if 0 <= limit < used.get(name, 0):
            raise Fault(
                400,
                f"Quota limit {limit} for {name} must be greater than or equal to "
                f"already used and reserved {used[name]}.",
            )


def _check_within(project: Mapping[str, int], limits: Mapping[str, int]) -> None:
    """Refuse a user's limits that are above the project's."""
    for name, limit in limits.items():
        most = project.get(name, -1)
        if most >= 0 and not 0 <= limit <= most:
            raise Fault(
                400,
                f"Quota limit {limit} for {name} must be less than or equal to {most}.",
            )


def _user(ask: Ask) -> str:
    return ask.query.text("user_id") or ""


def _shown(ask: Ask, limits: Mapping[str, int]) -> dict[str, int]:
    known = {name: limits.get(name, -1) for name in _OLD} | dict(limits)
    return {
        name: limit
        for name, limit in known.items()
        if ask.version <= _OLD.get(name, NEWEST)
    }
