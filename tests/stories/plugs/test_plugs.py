"""Devices come to servers that are there, and go, through REST."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from tests.stories.plugs.parts import ALIASES, RULES, T4, Plugs
from tests.stories.service import Service, open_service

from sundog.edges.simulation.host_model import FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("plugs")
    patience = {"libvirt.device_detach_timeout": 0}
    service = open_service(folder, ["a=small"], RULES, ALIASES, **patience)
    with service.embedded:
        service.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
        service.flavor("bare", {})
        service.flavor("bound", {"hw:numa_nodes": "1", "resources:VGPU": "1"})
        yield service


@pytest.fixture(name="service")
def _service(shared: Service) -> Iterator[Service]:
    """Give a service without servers; whatever a test leaves must agree and goes."""
    yield shared
    shared.empty()
    assert not shared.embedded.simulated["a"].kernel.mdevs()


LIFE = [
    ("os-stop", "SHUTOFF", None),
    ("os-start", "ACTIVE", None),
    ("reboot", "ACTIVE", {"type": "SOFT"}),
    ("reboot", "ACTIVE", {"type": "HARD"}),
    ("pause", "PAUSED", None),
    ("unpause", "ACTIVE", None),
    ("suspend", "SUSPENDED", None),
    ("resume", "ACTIVE", None),
]


@pytest.mark.parametrize("asks", ["vGPU", "v100:1", "resources:VGPU=1"])
def test_an_attached_device_lives_as_long_as_its_server(
    service: Service, asks: str
) -> None:
    """A flavor's device that was detached stays away as long."""
    one = Plugs(service, "slice")
    [slot] = one.attach(asks)
    one.check("vGPU/0", slot)
    assert one.detach("vGPU/0") == ["vGPU/0"]
    one.check(slot)
    for action, status, value in LIFE:
        one.act(action, status, value)
        one.check(slot)
    [image] = service.call("GET", "/v2/images")["images"]
    one.act("rebuild", "ACTIVE", {"imageRef": image["id"]})
    one.check(slot)
    one.act("shelve", "SHELVED_OFFLOADED")
    assert one.states() == {}
    assert not service.embedded.simulated["a"].kernel.mdevs()
    one.act("unshelve", "ACTIVE")
    one.check(slot)
    assert one.detach(slot) == [slot]
    one.check()


def test_what_is_attached_to_a_server_that_is_off_is_there_when_it_starts(
    service: Service,
) -> None:
    """It is claimed and made at once; a detach needs no guest."""
    one = Plugs(service, "slice")
    one.act("os-stop", "SHUTOFF")
    assert one.attach("vGPU:2") == ["vGPU+1/0", "vGPU+1/1"]
    assert one.detach("vGPU+1/0") == ["vGPU+1/0"]
    one.check("vGPU/0", "vGPU+1/1")
    one.act("os-start", "ACTIVE")
    one.check("vGPU/0", "vGPU+1/1")


def test_what_does_not_fit_leaves_the_server_as_it_was(service: Service) -> None:
    """All of it or nothing, and the constraint is named."""
    one, floats = Plugs(service, "bound"), Plugs(service, "bare")
    [told] = one.attach("vGPU:1,vGPU:9")
    assert "a needs 10 free vGPU" in told
    [told] = one.attach("near")
    assert "has no free near that its NUMA policy allows for a guest on cell 0" in told
    [told] = floats.attach("near")
    assert "near has the NUMA policy required, but the guest floats" in told
    one.check("resources:VGPU/0")
    floats.check()
    assert service.embedded.conductor.servers.get(one.id).attached == ()


@pytest.mark.parametrize(
    "kind", [FaultKind.CREATE_FAILS, FaultKind.PLUG_FAILS, FaultKind.PLUG_IGNORED]
)
def test_what_fails_on_the_host_is_taken_back(
    service: Service, kind: FaultKind
) -> None:
    """The history says why, and the next try goes well."""
    one = Plugs(service, "slice")
    one.ask_fault(kind, times=1)
    [told] = one.attach("v100,vGPU")
    assert "+1/0" not in one.states()
    assert " " in told
    one.check("vGPU/0")
    service.embedded.simulated["a"].kernel.clear_faults()
    assert one.attach("v100,vGPU") == ["v100+1/0", "vGPU+1/0"]
    one.check("vGPU/0", "v100+1/0", "vGPU+1/0")


@pytest.mark.parametrize("end", ["the guest", "stop", "reboot", "shelve", "delete"])
def test_a_device_is_held_until_the_guest_lets_go(service: Service, end: str) -> None:
    """By itself, or because it ends."""
    one, other = Plugs(service, "slice"), Plugs(service, "bare")
    one.attach("v100")
    one.ask_fault(FaultKind.UNPLUG_IGNORED)
    [told] = one.detach("v100+1/0")
    assert "the guest has not let go of it" in told
    held = {"vGPU/0": "attached", "v100+1/0": "detaching"}
    service.embedded.beat()
    service.embedded.conductor.refresh("a")
    assert (one.states(), one.guest_has()) == (held, 2)
    service.check_agreement()
    [told] = other.attach("v100")
    assert "needs 1 free v100, has 0" in told
    if end == "the guest":
        service.embedded.simulated["a"].kernel.clear_faults()
        assert one.detach("v100+1/0") == ["v100+1/0"]
    elif end == "delete":
        service.delete([one.id])
    elif end == "shelve":
        one.act("shelve", "SHELVED_OFFLOADED")
        one.act("unshelve", "ACTIVE")
    elif end == "stop":
        one.act("os-stop", "SHUTOFF")
    else:
        one.act("reboot", "ACTIVE", {"type": "HARD"})
    if end != "delete":
        one.check("vGPU/0")
    assert other.attach("v100") == ["v100+1/0"]


def test_a_detach_completes_by_itself(service: Service) -> None:
    """With the host's next report after the guest let go."""
    one = Plugs(service, "slice")
    one.ask_fault(FaultKind.UNPLUG_IGNORED)
    one.detach("vGPU/0")
    service.embedded.simulated["a"].kernel.clear_faults()
    service.embedded.beat()
    service.until(lambda _: not one.states())
    one.check()


def test_a_server_in_the_wrong_state_is_told_in_novas_words(service: Service) -> None:
    """Nothing is begun."""
    one = Plugs(service, "slice")
    for action, state in (("pause", "paused"), ("shelve", "shelved_offloaded")):
        service.act(one.id, action)
        service.show(one.id)
        for method, path, body, word in (
            ("POST", one.path, {"devices": "vGPU"}, "attach_device"),
            ("DELETE", f"{one.path}/vGPU/0", None, "detach_device"),
        ):
            refusal = service.call(method, path, body, 409)["conflictingRequest"]
            assert refusal["message"] == (
                f"Cannot '{word}' instance {one.id} while it is in vm_state {state}"
            )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"devices": "vGPU:0"}, "the part 'vGPU:0' has the count '0'"),
        ({"devices": "tpu"}, "PCI alias 'tpu' is not defined"),
        ({"devices": "vGPU,resources:VCPU=1"}, "attach='resources:VCPU=1' asks for no"),
        ({"devices": 1}, "Expected `str`"),
        ({"device": "vGPU"}, "unknown field `device`"),
        ({}, "missing required field `devices`"),
        (["vGPU"], "Expected `object`"),
    ],
)
def test_what_cannot_be_read_is_refused(
    service: Service, body: object, reason: str
) -> None:
    """400 with the part at fault."""
    one = Plugs(service, "bare")
    refusal = service.call("POST", one.path, body, 400)["badRequest"]
    assert reason in refusal["message"]
    one.check()


def test_what_is_not_there_is_a_404(service: Service) -> None:
    """A server, or a slot, whose other slots are told."""
    one = Plugs(service, "slice")
    told = service.call("DELETE", f"{one.path}/vGPU/1", expect=404)["itemNotFound"]
    assert told["message"].endswith("has no device 'vGPU/1'; it has: vGPU/0")
    for name in (UUID(int=1), "nobody"):
        service.call("GET", f"/v1/servers/{name}/devices", expect=404)


def test_a_server_is_found_by_its_name_if_that_is_its_alone(service: Service) -> None:
    """Both ids are told otherwise."""
    one = Plugs(service, "slice")
    found = service.call("GET", "/v1/servers/vm/devices")
    assert (found["server_id"], found["host"]) == (str(one.id), "a")
    [device] = found["devices"]
    assert device["address"] == str(T4)
    assert (device["numa_nodes"], device["type_name"]) == ([0], "GRID T4-4Q")
    other = Plugs(service, "bare")
    told = service.call("GET", "/v1/servers/vm/devices", expect=409)
    message = told["conflictingRequest"]["message"]
    assert message.startswith("2 servers are named vm; use an id: ")
    assert str(other.id) in message


def test_a_project_attaches_no_more_than_its_quota(service: Service) -> None:
    """What was detached no longer counts; a refusal begins nothing."""
    one = Plugs(service, "slice")
    project = service.embedded.conductor.servers.get(one.id).project_id
    quotas = service.embedded.books.quotas
    quotas.change(project, {"alias:vGPU": 2})
    try:
        assert one.attach("vGPU") == ["vGPU+1/0"]
        refusal = service.call("POST", one.path, {"devices": "vGPU"}, 403)
        assert "Quota exceeded for alias:vGPU" in refusal["forbidden"]["message"]
        one.check("vGPU/0", "vGPU+1/0")
        one.detach("vGPU/0")
        assert one.attach("vGPU") == ["vGPU+2/0"]
    finally:
        quotas.forget(project)
