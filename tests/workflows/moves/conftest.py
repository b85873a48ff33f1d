"""Worlds in which servers move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.workflows.world import World, host, world

if TYPE_CHECKING:
    from uuid import UUID


@pytest.fixture(name="here")
def _here() -> World:
    """Two hosts with two VFs and two vGPUs each."""
    return world(host("a"), host("b"))


@pytest.fixture(name="alone")
def _alone() -> World:
    """One host with three VFs and three vGPUs."""
    return world(host("a", vfs=3, mdevs=3))


def host_of(here: World, one: UUID) -> str | None:
    """Return where a server's record says it is."""
    return here.store.servers.get(one).host
