"""A service that stopped, or was cut off, is itself again after its start."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from tests.stories.service import Service, open_service

from sundog.core.lives.claim import Claim, ClaimState
from sundog.core.lives.server import Phase, ServerEvent

RULES = ['{"product_id": "1eb8", "mdev_type": "nvidia-232"}']
ALIASES = [json.dumps({"name": "vGPU", "device_type": "type-MDEV"})]


def start(folder: Path, hosts: tuple[str, ...] = ("a=small",)) -> Service:
    return open_service(folder, hosts, RULES, ALIASES)


@contextmanager
def one_server(folder: Path) -> Iterator[tuple[Service, UUID]]:
    """Start a service with one server; it stops at the end."""
    service = start(folder)
    with service.embedded:
        service.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
        [one] = service.create("slice")
        service.wait()
        yield service, one


def test_running_servers_run_again_with_the_same_devices(tmp_path: Path) -> None:
    """A host that lost guests and mdevs gets both back under their names."""
    service = start(tmp_path)
    with service.embedded:
        service.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
        service.create("slice", count=3)
        service.wait()
        before = service.embedded.simulated["a"].kernel.mdevs()
    again = start(tmp_path)
    with again.embedded:
        assert {s["status"] for s in again.wait()} == {"ACTIVE"}
        after = again.embedded.simulated["a"].kernel.mdevs()
        assert {mdev.uuid for mdev in after} == {mdev.uuid for mdev in before}
        again.check_agreement()
        again.create("slice", count=2)
        states = [server["status"] for server in again.wait()]
        assert sorted(states) == ["ACTIVE"] * 4 + ["ERROR"]
        again.check_agreement()


def test_building_that_was_cut_off_ends_in_error_and_holds_nothing(
    tmp_path: Path,
) -> None:
    """A claim without a guest is given back, in Placement too."""
    with one_server(tmp_path) as (service, one):
        conductor = service.embedded.conductor
        claim = conductor.claims.get(one)
        assert claim is not None
        # As if the process had died between the claim and the guest's start.
        half = Claim(consumer=one, assignment=claim.assignment)
        conductor.claims.put(half)
        conductor.servers.change(one, lambda s: replace(s, phase=Phase.SPAWNING))
    again = start(tmp_path)
    with again.embedded:
        [server] = again.wait()
        assert server["status"] == "ERROR"
        assert "stopped while the server was built" in server["fault"]["message"]
        assert again.embedded.conductor.claims.get(one) is None
        again.check_agreement()


def test_delete_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    """A server that was being deleted is gone after the start."""
    with one_server(tmp_path) as (service, one):
        conductor = service.embedded.conductor
        conductor.advance(one, ServerEvent.ASK_DELETE)
    again = start(tmp_path)
    with again.embedded:
        again.until(lambda servers: not servers)
        again.check_agreement()


def test_server_of_a_host_that_is_gone_is_in_error_with_its_claim(
    tmp_path: Path,
) -> None:
    """A host that is not configured any more is named, and its claim is kept."""
    with one_server(tmp_path) as (_, one):
        pass
    again = start(tmp_path, ("b=small",))
    with again.embedded:
        [server] = again.wait()
        assert server["status"] == "ERROR"
        assert "host a is not configured" in server["fault"]["message"]
        claim = again.embedded.conductor.claims.get(one)
        assert claim is not None
        assert claim.state is ClaimState.ALLOCATED
