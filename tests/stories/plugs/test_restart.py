"""Attached devices outlive the service and the host, as a flavor's do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.plugs.parts import ALIASES, RULES, Plugs
from tests.stories.service import open_service

if TYPE_CHECKING:
    from pathlib import Path


def test_a_host_that_lost_everything_makes_it_again(tmp_path: Path) -> None:
    """What was attached is there, what was detached is not."""
    hosts = ["a=small"]
    first = open_service(tmp_path, hosts, RULES, ALIASES)
    with first.embedded:
        first.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
        one = Plugs(first, "slice")
        one.attach("v100,vGPU:2")
        one.detach("vGPU/0")
    second = open_service(tmp_path, hosts, RULES, ALIASES)
    with second.embedded:
        one.service = second
        one.check("v100+1/0", "vGPU+1/0", "vGPU+1/1")
