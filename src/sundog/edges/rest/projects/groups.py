"""``/os-server-groups``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET, UnsetType

from sundog.core.projects.server_group import GroupPolicy
from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.query import MOST_ITEMS
from sundog.workflows.projects.groups import NewGroup

if TYPE_CHECKING:
    from sundog.core.projects.server_group import ServerGroup
    from sundog.edges.rest.ask import Ask

# Nova's soft policies came with 2.15, one policy with rules with 2.64.
_SOFT_SINCE: Final = 15
_ONE_SINCE: Final = 64
_HARD: Final = frozenset({GroupPolicy.AFFINITY, GroupPolicy.ANTI_AFFINITY})
_QUERY: Final = frozenset({"all_projects", "limit", "offset"})


class NewGroupFields(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``server_group`` of ``POST /os-server-groups``."""

    name: str
    policies: list[str] | UnsetType = UNSET
    policy: str | UnsetType = UNSET
    rules: dict[str, int | str] | UnsetType = UNSET


class NewGroupBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /os-server-groups``."""

    server_group: NewGroupFields


class GroupBody(msgspec.Struct, kw_only=True):
    """A server group; ``policies`` up to 2.63, ``policy`` and ``rules`` after."""

    id: str
    name: str
    members: list[str]
    policies: list[str] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    policy: str | UnsetType = UNSET
    rules: dict[str, int] | UnsetType = UNSET
    project_id: str | UnsetType = UNSET
    user_id: str | UnsetType = UNSET


def index(ask: Ask) -> Answer:
    """``GET /os-server-groups``."""
    if ask.since(75):
        ask.query.refuse_unknown(_QUERY)
    everyone = "all_projects" in ask.query and ask.caller.is_admin
    found = ask.books.groups.list(None if everyone else ask.caller.project_id)
    start = ask.query.number("offset") or 0
    limit = ask.query.number("limit")
    part = found[start : start + (MOST_ITEMS if limit is None else limit)]
    return Answer(body={"server_groups": [_body(ask, group) for group in part]})


def show(ask: Ask, group_id: str) -> Answer:
    """``GET /os-server-groups/{id}``."""
    group = ask.books.groups.get(group_id, _reach(ask))
    return Answer(body={"server_group": _body(ask, group)})


def create(ask: Ask) -> Answer:
    """``POST /os-server-groups``."""
    new = ask.read(NewGroupBody).server_group
    group = ask.books.groups.create(
        NewGroup(
            name=checks.name("name", new.name),
            policy=_policy(ask, new),
            project_id=ask.caller.project_id,
            user_id=ask.caller.user_id,
            max_per_host=_rule(new),
        ),
        ask.books.quotas.limits(ask.caller.project_id)["server_groups"],
    )
    return Answer(body={"server_group": _body(ask, group)})


def delete(ask: Ask, group_id: str) -> Answer:
    """``DELETE /os-server-groups/{id}``."""
    ask.books.groups.delete(group_id, _reach(ask))
    return Answer(status=204)


def _reach(ask: Ask) -> str | None:
    """Return the project whose groups are seen; the admin sees all."""
    return None if ask.caller.is_admin else ask.caller.project_id


def _policy(ask: Ask, new: NewGroupFields) -> GroupPolicy:
    one = ask.since(_ONE_SINCE)
    said = new.policy if one else new.policies
    wrong = (new.policies if one else new.policy) is not UNSET
    if wrong or (not one and new.rules is not UNSET):
        raise Fault(
            400,
            "Additional properties are not allowed: up to 2.63 there are policies, "
            "from 2.64 on policy and rules.",
        )
    words = [said] if isinstance(said, str) else said
    if words is UNSET or len(words) != 1:
        name = "policy" if one else "policies"
        raise Fault(400, f"Invalid input for field/attribute {name}: one is needed.")
    known = {one.value: one for one in GroupPolicy}
    if not ask.since(_SOFT_SINCE):
        known = {one.value: one for one in _HARD}
    if words[0] not in known:
        raise Fault(
            400,
            f"Invalid input for field/attribute policies. Value: {words[0][:80]!r} is "
            f"not one of {sorted(known)}",
        )
    return known[words[0]]


def _rule(new: NewGroupFields) -> int | None:
    if new.rules is UNSET or not new.rules:
        return None
    if new.rules.keys() != {"max_server_per_host"}:
        raise Fault(400, "rules: there is max_server_per_host, and no other.")
    if new.policy != GroupPolicy.ANTI_AFFINITY.value:
        raise Fault(400, "Only anti-affinity policy supports rules.")
    return checks.whole(
        "max_server_per_host", new.rules["max_server_per_host"], least=1
    )


def _body(ask: Ask, group: ServerGroup) -> GroupBody:
    body = GroupBody(
        id=group.id, name=group.name, members=[*ask.books.groups.members(group)]
    )
    if ask.since(13):
        body.project_id, body.user_id = group.project_id, group.user_id
    if ask.since(_ONE_SINCE):
        body.policy = group.policy.value
        rules = {"max_server_per_host": group.max_per_host} if group.has_rules else {}
        body.rules = rules
    else:
        body.policies, body.metadata = [group.policy.value], {}
    return body
