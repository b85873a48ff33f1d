"""Fault scenarios of vGPUs without mdevs: types that are refused, lost or gone."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.stories.service import Service, open_service

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.simulation.host_model import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sundog.edges.simulation.kernel import SimulatedKernel

NEAR = PciAddress.parse("0000:17:00.0")
L4 = PciAddress.parse("0000:ca:00.0")
NAMES = {"q8": "NVIDIA L40S-8Q", "q24": "NVIDIA L40S-24Q"}
L4_NAMES = {"l8": "NVIDIA L4-8Q", "l12": "NVIDIA L4-12Q"}
RULES = (
    json.dumps(
        {
            "product_id": "26b9",
            "address": "*:17:*.*",
            "vgpu_type": list(NAMES.values()),
            "one_type": False,
        }
    ),
    json.dumps(
        {
            "product_id": "27b8",
            "sriov_numvfs": 24,
            "vgpu_type": list(L4_NAMES.values()),
            "one_type": False,
        }
    ),
)
ALIASES = tuple(
    f'{{"name": "{name}", "device_type": "type-VGPU", "vgpu_type": "{of}"}}'
    for name, of in (NAMES | L4_NAMES).items()
)


@contextmanager
def running(folder: Path, *rules: str) -> Iterator[Service]:
    """Run a service over one host; a flavor for each type, and one of two types."""
    service = open_service(folder, ["a=vgpu-17"], rules or RULES[:1], ALIASES)
    with service.embedded:
        for name in NAMES | L4_NAMES:
            service.flavor(name, {"pci_passthrough:alias": f"{name}:1"})
        service.flavor("mixed", {"pci_passthrough:alias": "q24:1,q8:2"})
        service.flavor("l-mixed", {"pci_passthrough:alias": "l8:1,l12:1"})
        yield service


def kernel_of(service: Service) -> SimulatedKernel:
    return service.embedded.simulated["a"].kernel


def types_set(service: Service) -> list[str]:
    """Return the types that are set on any VF of the host."""
    kernel = kernel_of(service)
    files = [kernel.vgpu_files(each.address) for each in kernel.functions()]
    return sorted(text for each in files if each and (text := each[0].strip()) != "0")


def outcome(service: Service, flavor: str) -> tuple[str, str]:
    """Ask for a server; returns how it ended, and why if it failed."""
    [one] = service.create(flavor)
    service.wait()
    server = service.show(one)
    return server["status"], server.get("fault", {}).get("message", "")


@pytest.mark.drill("F25", "F45")
@pytest.mark.parametrize("kind", [FaultKind.TYPE_FAILS, FaultKind.TYPE_IGNORED])
def test_f25_a_type_that_is_refused_rolls_the_whole_job_back(
    tmp_path: Path, kind: FaultKind
) -> None:
    """Of three vGPUs the last fails: none stays set, nothing is held or charged."""
    with running(tmp_path) as service:
        kernel, real = kernel_of(service), kernel_of(service).set_vgpu_type
        left = [1, 1]

        def fail_the_third(function: PciAddress, type_id: str) -> None:
            if type_id != "0" and not left:
                kernel.ask_fault(Fault(kind=kind, card=NEAR, times=1))
            elif type_id != "0":
                left.pop()
            real(function, type_id)

        kernel.set_vgpu_type = fail_the_third  # type: ignore[method-assign]  # the fault strikes in the middle of a job
        status, why = outcome(service, "mixed")
        assert status == "ERROR"
        assert ("Input/output" if kind is FaultKind.TYPE_FAILS else "reads 0") in why
        assert types_set(service) == []
        service.check_agreement()
        kernel.clear_faults()
        left[:] = [1, 1, 1]
        assert outcome(service, "mixed")[0] == "ACTIVE"
        assert types_set(service) == ["1152", "1152", "1155"]


@pytest.mark.drill("F26")
def test_f26_a_mode_that_enabling_vfs_ended_is_found_by_reading(
    tmp_path: Path,
) -> None:
    """One size is set and the other refused; nothing of the job is left.

    The host file sets the mode for mixed sizes before VFs are there; the rule enables
    them, which ends the mode without a word. Set again afterwards, the same fits.
    """
    with running(tmp_path, RULES[1]) as service:
        status, why = outcome(service, "l-mixed")
        assert status == "ERROR"
        assert "beside what is set on 0000:ca:00.0" in why
        assert types_set(service) == []
        service.check_agreement()
        assert outcome(service, "l8")[0] == "ACTIVE"
        # The card now lists one size: what is on no list is not even tried.
        status, why = outcome(service, "l12")
        assert status == "ERROR"
        assert "cannot be the vGPU type" not in why
        [server] = [s for s in service.wait() if s["status"] == "ACTIVE"]
        service.call("DELETE", f"/v2.1/servers/{server['id']}", expect=204)
        service.until(lambda found: all(s["status"] == "ERROR" for s in found))
        kernel_of(service).mix_sizes(L4, on=True)
        assert outcome(service, "l-mixed")[0] == "ACTIVE"
        service.check_agreement()


@pytest.mark.drill("F26")
def test_f26_a_mode_lost_under_running_guests_costs_none_of_them(
    tmp_path: Path,
) -> None:
    """Two sizes are in use when it goes: both go on, a third is not tried."""
    with running(tmp_path) as service:
        assert outcome(service, "q24")[0] == "ACTIVE"
        kernel_of(service).ask_fault(Fault(kind=FaultKind.MODE_LOST, card=NEAR))
        service.embedded.beat()
        status, why = outcome(service, "q8")
        assert status == "ERROR"
        assert "refused" not in why
        assert outcome(service, "q24")[0] == "ACTIVE"
        service.check_agreement()


@pytest.mark.drill("F27")
def test_f27_the_list_of_types_that_still_fit_shrinks(tmp_path: Path) -> None:
    """Behind our back, too: what is on no VF's list is not chosen."""
    with running(tmp_path) as service:
        assert outcome(service, "q24")[0] == "ACTIVE"
        # Somebody else takes 16 of the 24 GiB that are left.
        vf = PciAddress.parse("0000:17:04.1")
        kernel_of(service).set_vgpu_type(vf, "1154")
        service.embedded.beat()
        status, why = outcome(service, "q24")
        assert status == "ERROR"
        assert "refused" not in why
        assert outcome(service, "q8")[0] == "ACTIVE"
        assert outcome(service, "q8")[0] == "ERROR"
        assert types_set(service) == ["1152", "1154", "1155"]


@pytest.mark.drill("F27")
def test_f27_a_list_that_shrank_since_the_scan_is_the_hosts_to_refuse(
    tmp_path: Path,
) -> None:
    """The next host is taken, and nothing is set on this one."""
    rules = [RULES[0]]
    service = open_service(tmp_path, ["a=vgpu-17", "b=vgpu-17"], rules, ALIASES)
    with service.embedded:
        service.flavor("q24", {"pci_passthrough:alias": "q24:2"})
        kernel_of(service).set_vgpu_type(PciAddress.parse("0000:17:04.1"), "1154")
        [one] = service.create("q24")
        service.wait()
        assert service.show(one)["OS-EXT-SRV-ATTR:host"] == "b"
        assert types_set(service) == ["1154"]


@pytest.mark.drill("F16")
def test_f16_types_are_set_again_before_guests_start(tmp_path: Path) -> None:
    """A boot sets every type to none: the same VFs are the same vGPUs again."""
    with running(tmp_path) as service:
        [one] = service.create("mixed")
        service.wait()
        claim = service.embedded.conductor.claims.get(one)
        assert claim is not None
    again = open_service(tmp_path, ["a=vgpu-17"], RULES[:1], ALIASES)
    with again.embedded:
        for share in claim.assignment.devices:
            files = kernel_of(again).vgpu_files(share.address)
            assert files is not None
            assert files[0].strip() == share.type_id
        assert again.show(one)["status"] == "ACTIVE"
        again.check_agreement()


@pytest.mark.drill("F24")
def test_f24_a_type_that_is_slow_to_go_is_waited_for(tmp_path: Path) -> None:
    """Busy twice, then gone; the delete ends, and the VF serves again."""
    with running(tmp_path) as service:
        [one] = service.create("q24")
        service.wait()
        fault = Fault(kind=FaultKind.SLOW_RELEASE, card=NEAR, times=2)
        kernel_of(service).ask_fault(fault)
        service.delete([one])
        assert types_set(service) == []
        service.check_agreement()
