"""Live migration between hosts of different versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stories.moves.test_moves import ALIASES, RULES, booted, host_of, now
from tests.stories.service import open_service

if TYPE_CHECKING:
    from pathlib import Path

OLD_LIBVIRT = """
name = "old"
libvirt = "8.5.0"
[[cells]]
cpus = "0-7"
memory_mb = 16384
[[cards]]
address = "0000:17:00.0"
vendor = "10de"
product = "1eb8"
node = 0
[cards.mdev]
types = [{ id = "nvidia-232", name = "GRID T4-4Q", size_mb = 4096, instances = 4 }]
"""


def test_a_live_migration_needs_new_versions_on_both_sides(tmp_path: Path) -> None:
    """The refusal names the host, the version that it has and the one it needs."""
    file = tmp_path / "old.toml"
    file.write_text(OLD_LIBVIRT)
    service = open_service(tmp_path, ["a=small", str(file)], RULES, ALIASES)
    with service.embedded:
        service.flavor("one", {"pci_passthrough:alias": "vGPU:1"})
        one = booted(service, "one")
        body = {"host": None, "block_migration": "auto"}
        if host_of(service, one) == "old":
            refusal = service.act(one, "os-migrateLive", body, expect=400)
            told = refusal["badRequest"]["message"]
        else:
            service.act(one, "os-migrateLive", body)
            assert now(service, one)["status"] == "ACTIVE"
            path = f"/v2.1/servers/{one}/os-instance-actions"
            action = service.finished_actions(path)[0]
            path = f"{path}/{action['request_id']}"
            [event] = service.call("GET", path)["instanceAction"]["events"]
            told = event["details"]
        assert "need libvirt 8.6.0" in told
        assert "host old has 8.5.0" in told
        service.check_agreement()
