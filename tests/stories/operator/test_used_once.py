"""A device that is used once is cleaned before its next server gets it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.stories.service import Service, open_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

V100 = "0000:65:00.0"
ALIASES = ['{"name": "v100", "product_id": "1db4"}']


class Lab:
    """A host with a card that is used once, and the command that cleans it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = folder / "clean"
        self.log = folder / "cleaned"
        self.let(succeed=True)

    def let(self, *, succeed: bool) -> None:
        """Write the command anew."""
        end = f'echo "$1" >> {self.log}' if succeed else "echo it smokes; exit 1"
        self.script.write_text(f"#!/bin/sh\n{end}\n")
        self.script.chmod(0o755)

    def open(self, **more: object) -> Service:
        rule = {"product_id": "1db4", "one_time_use": True, **more}
        return open_service(self.folder, ["a=small"], [json.dumps(rule)], ALIASES)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.fixture
def service(lab: Lab) -> Iterator[Service]:
    service = lab.open(cleaning_command=str(lab.script))
    with service.embedded:
        service.flavor("whole", {"pci_passthrough:alias": "v100:1"})
        yield service


def outcome(service: Service) -> tuple[UUID, str]:
    [one] = service.create("whole")
    shown = {server["id"]: str(server["status"]) for server in service.wait()}
    return one, shown[str(one)]


def reason(service: Service) -> str:
    [row] = service.call("GET", "/v1/devices")["devices"]
    return str(row["device"]["reason"])


def reserved(service: Service) -> tuple[int, int]:
    """Return what Placement shows of the card: total, and what of it is reserved."""
    root = service.embedded.agents["a"].report().uuid
    providers = service.embedded.conductor.ledger.providers(root)
    [card] = [uuid for uuid, name in providers.items() if "65:00" in name]
    path = f"/placement/resource_providers/{card}/inventories"
    answer = service.client.get(path, headers={"X-Auth-Token": "admin"})
    assert answer.json is not None
    [inventory] = answer.json["inventories"].values()
    return inventory["total"], inventory["reserved"]


def beat(service: Service) -> None:
    """Let the heart beat, and the jobs that it begins end."""
    service.embedded.beat()
    service.until(lambda _: service.embedded.jobs.is_idle)


def test_it_waits_held_until_it_is_cleaned(lab: Lab, service: Service) -> None:
    """Nobody gets it meanwhile; Placement shows it reserved, as Nova does."""
    assert reserved(service) == (1, 0)
    one, status = outcome(service)
    assert (status, reason(service)) == (
        "ACTIVE",
        f"used by {one}, and not cleaned since",
    )
    beat(service)
    assert not lab.log.exists()
    service.delete([one])
    assert reserved(service) == (1, 1)
    assert outcome(service)[1] == "ERROR"
    service.check_agreement()
    beat(service)
    assert lab.log.read_text() == f"{V100}\n"
    assert (reason(service), reserved(service)) == ("", (1, 0))
    assert outcome(service)[1] == "ACTIVE"
    service.check_agreement()


def test_its_server_may_start_on_it_again(service: Service) -> None:
    """What it used is its own until it gives it back."""
    one, _ = outcome(service)
    service.act(one, "os-stop")
    service.wait()
    service.act(one, "os-start")
    assert service.show(one)["status"] == "ACTIVE"
    service.check_agreement()


def test_a_cleaning_that_fails_is_tried_twice_then_waits(
    lab: Lab, service: Service
) -> None:
    """The reason has what the command said; the operator's release ends it."""
    lab.let(succeed=False)
    one, _ = outcome(service)
    service.delete([one])
    for _ in range(3):
        beat(service)
        assert reason(service).startswith("used, and its cleaning failed: ")
        assert reason(service).endswith("clean ended with 1: it smokes")
    lab.let(succeed=True)
    beat(service)
    assert not lab.log.exists()
    service.call("POST", f"/v1/devices/a/{V100}/release", {}, expect=204)
    assert outcome(service)[1] == "ACTIVE"
    service.check_agreement()


def test_without_a_command_it_waits_for_the_operator(lab: Lab) -> None:
    """Over a restart too."""
    service = lab.open()
    with service.embedded:
        service.flavor("whole", {"pci_passthrough:alias": "v100:1"})
        one, _ = outcome(service)
        service.delete([one])
    service = lab.open()
    with service.embedded:
        beat(service)
        assert outcome(service)[1] == "ERROR"
        service.call("POST", f"/v1/devices/a/{V100}/release", {}, expect=204)
        assert outcome(service)[1] == "ACTIVE"
