"""Outside services that go away and come back: nothing is lost, nothing half-done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.clients.listening import listening
from tests.fakes.placement_front import Front
from tests.stories.api import HEADERS
from tests.stories.service import Service, new_databases, open_service

from sundog.edges.placement.embedded import EmbeddedPlacement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = ['{"product_id": "1eb8", "mdev_type": "nvidia-232"}']
ALIASES = ['{"name": "vGPU", "device_type": "type-MDEV"}']


@pytest.fixture
def placement(tmp_path: Path) -> Iterator[tuple[Front, str]]:
    """Serve a Placement elsewhere, with a front that can shut it; yield its address."""
    new_databases()
    app = EmbeddedPlacement(tmp_path / "elsewhere.db")
    front = Front(app)
    with listening(front) as address:
        yield front, address
    app.close()


def create(service: Service) -> tuple[int, str | None]:
    """Ask for a server; returns the status and when to come again."""
    [image] = service.call("GET", "/v2/images")["images"]
    server = {"name": "vm", "flavorRef": "slice", "imageRef": image["id"]}
    body = {"server": {**server, "networks": "none"}}
    answer = service.client.post("/v2.1/servers", json=body, headers=HEADERS)
    return answer.status_code, answer.headers.get("Retry-After")


@pytest.mark.drill("Placement away")
def test_placement_goes_away_and_comes_back(
    tmp_path: Path, placement: tuple[Front, str]
) -> None:
    """Creates are told to come again, a delete waits, what runs goes on running."""
    front, address = placement
    settings = {
        "placement.endpoint_override": address,
        "placement.auth_type": "admin_token",
        "placement.token": "admin",
    }
    service = open_service(tmp_path, ["a=small"], RULES, ALIASES, **settings)
    with service.embedded:
        service.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
        one, other = service.create("slice", count=2)
        service.wait()
        front.before = lambda _: "503 Service Unavailable"
        # An answer of a moment ago counts; the first word of its absence does, too.
        service.call("GET", "/v1/audit", expect=503)
        assert create(service) == (503, "5")
        service.call("DELETE", f"/v2.1/servers/{one}", expect=204)
        service.embedded.beat()
        shown = {
            s["id"]: s for s in service.call("GET", "/v2.1/servers/detail")["servers"]
        }
        assert shown.keys() == {str(one), str(other)}
        assert shown[str(one)]["OS-EXT-STS:task_state"] == "deleting"
        assert shown[str(other)]["status"] == "ACTIVE"
        front.before = lambda _: None
        service.until(lambda _: waits(service))
        service.embedded.beat()
        service.until(lambda servers: str(one) not in {s["id"] for s in servers})
        assert create(service) == (202, None)
        assert [s["status"] for s in service.wait()] == ["ACTIVE", "ACTIVE"]
        service.check_agreement()


def waits(service: Service) -> bool:
    """Whether the delete has met the closed door, so that a heartbeat takes it up."""
    return not service.call("GET", "/v1/audit")["jobs"] or bool(
        service.embedded.conductor.waiting.reasons
    )
