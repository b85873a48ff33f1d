"""Server groups, and the hosts that a group leaves to its next server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from collections.abc import Mapping


class GroupPolicy(Enum):
    """How the servers of a group stand to each other."""

    AFFINITY = "affinity"
    ANTI_AFFINITY = "anti-affinity"
    SOFT_AFFINITY = "soft-affinity"
    SOFT_ANTI_AFFINITY = "soft-anti-affinity"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerGroup:
    """A group; its members are the servers that name it.

    ``max_per_host`` is how many of them a host may have under anti-affinity.
    """

    id: str
    name: str
    policy: GroupPolicy
    project_id: str
    user_id: str
    max_per_host: int = 1
    # Whether max_per_host was said: Nova shows rules as they were written.
    has_rules: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Hosts to ask at once: ``only`` these (None: any), but ``never`` those."""

    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()


ANY_HOST = Round()


def rounds(group: ServerGroup, held: Mapping[str, int]) -> tuple[Round, ...]:
    """Return where to ask for a group's next server, the best first.

    ``held`` counts the group's other servers by host.
    """
    match group.policy:
        case GroupPolicy.AFFINITY:
            return (Round(only=frozenset(held)),) if held else (ANY_HOST,)
        case GroupPolicy.ANTI_AFFINITY:
            return (Round(never=_above(held, group.max_per_host - 1)),)
        case GroupPolicy.SOFT_AFFINITY:
            levels = sorted(set(held.values()), reverse=True)
            near = [Round(only=_above(held, level - 1)) for level in levels]
            return (*near, ANY_HOST)
        case GroupPolicy.SOFT_ANTI_AFFINITY:
            levels = sorted({0, *held.values()})
            return tuple(Round(never=_above(held, level)) for level in levels)
        case _:
            assert_never(group.policy)


def _above(held: Mapping[str, int], count: int) -> frozenset[str]:
    return frozenset(host for host, number in held.items() if number > count)
