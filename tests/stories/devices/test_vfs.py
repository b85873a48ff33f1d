"""VFs are enabled where the whitelist asks for them, and handed out."""

from pathlib import Path

from tests.stories.service import Service, open_service

from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.host_model import Fault, FaultKind
from sundog.edges.simulation.shipped import shipped_host
from sundog.settings.read import read_settings
from sundog.workflows.devices.vf_orders import TRIES

VF = '{"product_id": "154c"}'
PF = '{"product_id": "1572", "sriov_numvfs": 4}'
WHOLE = '{"name": "pf", "device_type": "type-PF"}'
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


def problems(service: Service) -> list[str]:
    [host] = service.call("GET", "/v1/hosts")["hosts"]
    return [f"{each['where']}: {each['reason']}" for each in host["problems"]]


def fail(service: Service, times: int) -> None:
    fault = Fault(kind=FaultKind.VFS_FAIL, card=NIC.address, times=times)
    service.embedded.simulated["a"].kernel.ask_fault(fault)


def test_vfs_are_enabled_when_the_rules_change_and_a_failure_blocks_nothing(
    tmp_path: Path,
) -> None:
    """While the card refuses, the host says so; the next report enables them."""
    service = open_service(tmp_path, ["a=mixed"], [VF], ALIASES)
    with service.embedded:
        assert free_vfs(service) == 0
        fail(service, times=1)
        follow(service, tmp_path)
        assert free_vfs(service) == 0
        assert problems(service) == [
            f"{NIC.address}: its VFs cannot be enabled: Input/output error"
        ]
        service.embedded.beat()
        assert free_vfs(service) == 4
        assert problems(service) == []


def test_a_card_that_goes_on_refusing_is_left_alone(tmp_path: Path) -> None:
    """After three tries, until the rules are read anew; the reason stays told."""
    service = open_service(tmp_path, ["a=mixed"], [VF], ALIASES)
    with service.embedded:
        fail(service, times=TRIES)
        follow(service, tmp_path)
        for _ in range(TRIES):
            service.embedded.beat()
        assert free_vfs(service) == 0
        assert len(problems(service)) == 1
        follow(service, tmp_path)
        assert free_vfs(service) == 4
        assert problems(service) == []


def test_a_pf_that_is_given_back_has_its_vfs_again(tmp_path: Path) -> None:
    """A driver that lets go of its PF takes the VFs with it; not while it is held."""
    service = open_service(tmp_path, ["a=mixed"], [VF, PF], [*ALIASES, WHOLE])
    with service.embedded:
        service.flavor("card", {"pci_passthrough:alias": "pf:1"})
        [one] = service.create("card")
        assert service.show(one)["status"] == "ACTIVE"
        service.embedded.simulated["a"].kernel.set_vfs(NIC.address, 0)
        service.embedded.beat()
        assert free_vfs(service) == 0
        service.delete([one])
        assert free_vfs(service) == 4
        service.check_agreement()


def follow(service: Service, folder: Path) -> None:
    rules = {"state_path": str(folder), "pci.device_spec": [VF, PF]}
    service.embedded.follow_rules(read_settings((), rules))
