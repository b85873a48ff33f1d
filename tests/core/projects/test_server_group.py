"""A group's policy leaves hosts to its next server, in rounds."""

from __future__ import annotations

import pytest

from sundog.core.projects.server_group import (
    ANY_HOST,
    GroupPolicy,
    Round,
    ServerGroup,
    rounds,
)


def group(policy: str, most: int = 1) -> ServerGroup:
    """Return a group of a policy."""
    return ServerGroup(
        id="g",
        name="g",
        policy=GroupPolicy(policy),
        project_id="p",
        user_id="u",
        max_per_host=most,
    )


def only(*hosts: str) -> Round:
    """Ask these."""
    return Round(only=frozenset(hosts))


def never(*hosts: str) -> Round:
    """Ask all others."""
    return Round(never=frozenset(hosts))


@pytest.mark.parametrize("policy", ["affinity", "soft-affinity"])
def test_the_first_server_goes_anywhere(policy: str) -> None:
    assert rounds(group(policy), {}) == (ANY_HOST,)


@pytest.mark.parametrize("policy", ["anti-affinity", "soft-anti-affinity"])
def test_the_first_server_is_kept_from_nowhere(policy: str) -> None:
    assert rounds(group(policy), {}) == (never(),)


def test_affinity_stays_on_the_host() -> None:
    assert rounds(group("affinity"), {"a": 2}) == (only("a"),)


def test_anti_affinity_leaves_hosts_that_are_full() -> None:
    assert rounds(group("anti-affinity"), {"a": 1}) == (never("a"),)
    assert rounds(group("anti-affinity", 2), {"a": 1, "b": 2}) == (never("b"),)


def test_soft_affinity_asks_the_fullest_first_and_any_in_the_end() -> None:
    held = {"a": 1, "b": 3, "c": 1}
    assert rounds(group("soft-affinity"), held) == (
        only("b"),
        only("a", "b", "c"),
        ANY_HOST,
    )


def test_soft_anti_affinity_asks_the_emptiest_first_and_all_in_the_end() -> None:
    held = {"a": 1, "b": 3}
    assert rounds(group("soft-anti-affinity"), held) == (
        never("a", "b"),
        never("b"),
        never(),
    )
