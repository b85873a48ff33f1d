"""By a setting, Placement is the service elsewhere instead of the one in process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.listening import listening
from tests.stories.service import new_databases, open_service

from sundog.edges.placement.embedded import EmbeddedPlacement

RULES = ['{"product_id": "1eb8", "mdev_type": "nvidia-232"}']
ALIASES = ['{"name": "vGPU", "device_type": "type-MDEV"}']


@pytest.fixture(name="address")
def _address(tmp_path: Path) -> Iterator[str]:
    # A process has one embedded Placement at a time; this needs one for a moment.
    new_databases()
    elsewhere = EmbeddedPlacement(tmp_path / "elsewhere.db")
    with listening(elsewhere) as address:
        yield address
    elsewhere.close()


def test_main_job_over_http(tmp_path: Path, address: str) -> None:
    """Servers are claimed in the other Placement, and given back there."""
    settings = {
        "placement.endpoint_override": address,
        "placement.auth_type": "admin_token",
        "placement.token": "admin",
    }
    service = open_service(tmp_path, ["a=small"], RULES, ALIASES, **settings)
    with service.embedded:
        service.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
        ids = service.create("slice", count=5)
        states = sorted(server["status"] for server in service.wait())
        assert states == ["ACTIVE"] * 4 + ["ERROR"]
        service.check_agreement()
        service.delete(ids)
        service.check_agreement()
    assert service.client.get("/placement/").status_code == 404
