"""Fault scenarios of bookkeeping: claims, Placement, the whitelist."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from tests.drills.fuse import Fuse
from tests.drills.parts import Machine, Process
from tests.stories.service import Service, open_service

from sundog.core.lives.phases import Phase
from sundog.settings.read import read_settings
from sundog.workflows.ports import Owner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SLICES = '{"product_id": "1eb8", "mdev_type": "nvidia-232"}'
WHOLE = '{"product_id": "1db4"}'
ALIASES = (
    '{"name": "vGPU", "device_type": "type-MDEV"}',
    '{"name": "v100", "product_id": "1db4"}',
    '{"name": "big", "product_id": "1db4"}',
)


@contextmanager
def running(folder: Path, *hosts: str) -> Iterator[Service]:
    """Run a service over small hosts (four slices and a whole card each)."""
    hosts = hosts or ("a=small",)
    service = open_service(folder, hosts, [SLICES, WHOLE], ALIASES)
    with service.embedded:
        service.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
        service.flavor("whole", {"pci_passthrough:alias": "v100:1"})
        yield service


def states(service: Service) -> list[str]:
    return sorted(server["status"] for server in service.wait())


def follow(service: Service, folder: Path, rules: Sequence[str]) -> None:
    """Change the whitelist of a running service."""
    settings = read_settings(
        (), {"state_path": str(folder), "pci.device_spec": list(rules)}
    )
    service.embedded.follow_rules(settings)


def left(service: Service) -> set[str]:
    """Return the providers of host a in Placement."""
    root = service.embedded.agents["a"].report().uuid
    return {*service.embedded.conductor.ledger.providers(root).values()}


@pytest.mark.drill("F1", "F14")
def test_f01_f14_the_last_devices_go_to_as_many_as_there_are(tmp_path: Path) -> None:
    """Ten at the same moment for eight slices on two hosts: eight run."""
    with running(tmp_path, "a=small", "b=small") as service:
        service.create("slice", count=10)
        assert states(service) == ["ACTIVE"] * 8 + ["ERROR"] * 2
        service.check_agreement()


@pytest.mark.drill("F2")
def test_f02_reports_and_claims_do_not_harm_each_other(tmp_path: Path) -> None:
    """Inventories written all the time while claims land: each wins its turn."""
    with running(tmp_path) as service, ThreadPoolExecutor(1) as other:
        service.create("slice", count=4)

        def beat() -> None:
            agent = service.embedded.agents["a"]
            for _ in range(10):
                service.embedded.conductor.reports.tell_again(agent.report())

        other.submit(beat).result()
        assert states(service) == ["ACTIVE"] * 4
        service.check_agreement()


@pytest.mark.drill("F4", "F5", "F45")
@pytest.mark.parametrize("worst", [1, 2, 3])
def test_f04_f05_f45_one_of_several_fails(tmp_path: Path, worst: int) -> None:
    """Whichever of two mdevs and the guest fails: the record holds nothing then."""
    done = []

    def mishap(step: str) -> None:
        if step.endswith((".create_mdev", ".start")):
            # Told before and after each: the odd ones are before.
            done.append(step)
            if len(done) == 2 * worst - 1:
                raise OSError(errno.EIO, "Input/output error")

    machine = Machine.boot(tmp_path)
    with Process(tmp_path, machine, Fuse(mishap=mishap)) as process:
        process.start()
        one = uuid4()
        assert process.boot(one) is Phase.ERROR
        assert process.store.servers.get(one).host is None
        assert process.left() == [f"server {one}"]
        assert process.disagreements() == []


@pytest.mark.drill("F6")
def test_f06_two_aliases_of_one_device_are_refused(tmp_path: Path) -> None:
    """Both mean the only card: the server is not booted with one of them."""
    with running(tmp_path) as service:
        service.flavor("twice", {"pci_passthrough:alias": "v100:1,big:1"})
        service.create("twice")
        assert states(service) == ["ERROR"]
        service.check_agreement()


@pytest.mark.drill("F7")
def test_f07_what_is_charged_is_what_is_taken(tmp_path: Path) -> None:
    """The provider that is charged is that of the card the mdev is on."""
    with running(tmp_path) as service:
        [one] = service.create("slice")
        service.wait()
        conductor = service.embedded.conductor
        [mdev] = service.embedded.simulated["a"].kernel.mdevs()
        root = service.embedded.agents["a"].report().uuid
        names = conductor.ledger.providers(root)
        charged = {
            names[provider]: amounts
            for provider, amounts in conductor.ledger.allocation(one).items()
        }
        assert charged[f"a_{str(mdev.parent).upper()}"]["VGPU"] == 1
        service.check_agreement()


@pytest.mark.drill("F8", "F9", "F10", "F11")
def test_f08_to_f11_a_type_leaves_the_whitelist_and_comes_back(tmp_path: Path) -> None:
    """Kept while held, freed one by one, then gone without a restart; then back."""
    with running(tmp_path) as service:
        ids = service.create("slice", count=3)
        service.wait()
        follow(service, tmp_path, [WHOLE])
        service.check_agreement()
        service.create("slice")
        assert states(service) == ["ACTIVE"] * 3 + ["ERROR"]
        for one in ids:
            assert any("17:00" in name for name in left(service))
            service.delete([one])
            service.check_agreement()
        service.embedded.beat()
        assert not any("17:00" in name for name in left(service))
        follow(service, tmp_path, [SLICES, WHOLE])
        service.create("slice", count=4)
        assert states(service) == ["ACTIVE"] * 4 + ["ERROR"]
        service.check_agreement()


@pytest.mark.drill("F12")
def test_f12_an_allocation_and_a_server_without_each_other(tmp_path: Path) -> None:
    """Both are found and mended, on nested providers too."""
    with running(tmp_path) as service:
        one, two = service.create("slice", count=2)
        service.wait()
        ledger = service.embedded.conductor.ledger
        held = ledger.allocation(two)
        ledger.release(one)
        server = service.embedded.conductor.servers.get(two)
        service.delete([two])
        ledger.rewrite(two, held, owner_of(server.project_id))
        kinds = {each.kind.value for each in service.embedded.books.audit.audit()}
        assert kinds == {"allocation-missing", "allocation-orphaned"}
        assert all(each.mended for each in service.embedded.books.audit.heal())
        service.check_agreement()


def owner_of(project_id: str) -> Owner:
    return Owner(project_id=project_id, user_id="u")
