"""VFs are enabled where the whitelist asks for them, and handed out."""

from dataclasses import replace
from pathlib import Path

from tests.stories.service import Service, open_service

from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.host_model import Fault, FaultKind
from sundog.edges.simulation.shipped import shipped_host
from sundog.settings.read import read_settings

VF = '{"product_id": "154c"}'
PF = '{"product_id": "1572", "sriov_numvfs": 4}'
ALIASES = ['{"name": "vf", "device_type": "type-VF"}']
[NIC] = [
    card
    for card in read_host_file(shipped_host("mixed")).cards
    if card.product == "1572"
]


def free_vfs(service: Service) -> int:
    rows = service.call("GET", "/v1/devices")["devices"]
    vfs = [row["device"] for row in rows if row["device"]["kind"] == "type-VF"]
    return sum(vf["free"] for vf in vfs)


def test_enabled_vfs_are_handed_out_and_the_pf_is_not(tmp_path: Path) -> None:
    """A PF without VFs at boot gets four; each serves one server."""
    service = open_service(tmp_path, ["a=mixed"], [VF, PF], ALIASES)
    with service.embedded:
        assert free_vfs(service) == 4
        service.flavor("nic", {"pci_passthrough:alias": "vf:1"})
        service.create("nic", count=5)
        states = sorted(server["status"] for server in service.wait())
        assert states == ["ACTIVE"] * 4 + ["ERROR"]
        service.check_agreement()


def test_vfs_are_enabled_when_the_rules_change_and_a_failure_blocks_nothing(
    tmp_path: Path,
) -> None:
    """While the card refuses, the service goes on; asked again it enables them."""
    service = open_service(tmp_path, ["a=mixed"], [VF], ALIASES)
    with service.embedded:
        assert free_vfs(service) == 0
        kernel = service.embedded.simulated["a"].kernel
        kernel.ask_fault(Fault(kind=FaultKind.VFS_FAIL, card=NIC.address, times=1))
        rules = read_settings(
            (), {"state_path": str(tmp_path), "pci.device_spec": [VF, PF]}
        )
        service.embedded.follow_rules(rules)
        assert free_vfs(service) == 0
        service.embedded.follow_rules(replace(rules))
        assert free_vfs(service) == 4
