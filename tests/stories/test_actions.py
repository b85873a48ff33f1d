"""What an operator does with a server that has devices, and what can go wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.stories.service import Service, open_service

from sundog.core.choosing.assignment import mdev_uuid
from sundog.core.devices.pci_address import PciAddress
from sundog.edges.simulation.host_model import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

T4 = PciAddress.parse("0000:17:00.0")
RULES = ['{"product_id": "1eb8", "mdev_type": "nvidia-232"}', '{"product_id": "1db4"}']
ALIASES = [
    json.dumps({"name": "vGPU", "device_type": "type-MDEV"}),
    json.dumps({"name": "v100", "product_id": "1db4"}),
]
# Action, the status that it is asked in, and the one it leads to.
LIFE = [
    ("os-stop", None, "SHUTOFF"),
    ("os-start", None, "ACTIVE"),
    ("pause", None, "PAUSED"),
    ("unpause", None, "ACTIVE"),
    ("suspend", None, "SUSPENDED"),
    ("resume", None, "ACTIVE"),
    ("reboot", {"type": "SOFT"}, "ACTIVE"),
    ("reboot", {"type": "HARD"}, "ACTIVE"),
    ("pause", None, "PAUSED"),
    ("reboot", {"type": "HARD"}, "ACTIVE"),
    ("suspend", None, "SUSPENDED"),
    ("reboot", {"type": "HARD"}, "ACTIVE"),
    ("os-stop", None, "SHUTOFF"),
    ("reboot", {"type": "HARD"}, "ACTIVE"),
    ("shelve", None, "SHELVED_OFFLOADED"),
    ("unshelve", None, "ACTIVE"),
]


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("actions")
    service = open_service(folder, ["a=small", "b=small"], RULES, ALIASES)
    with service.embedded:
        service.flavor("slice", {"pci_passthrough:alias": "vGPU:1"})
        service.flavor("both", {"pci_passthrough:alias": "v100:1,vGPU:1"})
        service.flavor("class", {"resources:VGPU": "1"})
        service.flavor("whole", {"pci_passthrough:alias": "vGPU:4"})
        yield service


@pytest.fixture(name="service")
def _service(shared: Service) -> Iterator[Service]:
    """Give a service without servers; whatever a test leaves must agree and goes."""
    yield shared
    shared.empty()


def booted(service: Service, flavor: str = "both") -> UUID:
    [one] = service.create(flavor)
    assert service.show(one)["status"] == "ACTIVE"
    return one


def brought(service: Service, one: UUID, status: str) -> None:
    """Bring an ACTIVE server to a status."""
    ways = {
        "SHUTOFF": "os-stop",
        "PAUSED": "pause",
        "SUSPENDED": "suspend",
        "SHELVED_OFFLOADED": "shelve",
    }
    if status in ways:
        service.act(one, ways[status])
        assert service.show(one)["status"] == status


def ask_fault(service: Service, kind: FaultKind, times: int | None = None) -> None:
    for host in service.embedded.simulated.values():
        host.kernel.ask_fault(Fault(kind=kind, card=T4, times=times))


def devices(service: Service, one: UUID) -> Any:
    claim = service.embedded.conductor.claims.get(one)
    return None if claim is None else claim.assignment.devices


@pytest.mark.parametrize("flavor", ["both", "class", "whole"])
def test_a_life_of_actions(service: Service, flavor: str) -> None:
    """Each leads where Nova says: for an alias, a class, and all that a card has."""
    one = booted(service, flavor)
    held = devices(service, one)
    for action, value, status in LIFE:
        service.act(one, action, value)
        assert service.show(one)["status"] == status
        service.check_agreement()
        now = devices(service, one)
        if status == "SHELVED_OFFLOADED":
            assert now is None
        elif action != "unshelve":
            assert now == held
        else:
            held = now


def test_what_the_api_tells_of_each_state(service: Service) -> None:
    """Power state and host are as in Nova."""
    one = booted(service)
    told = {}
    for action in ("pause", "unpause", "suspend", "resume", "os-stop", "shelve"):
        service.act(one, action)
        server = service.show(one)
        told[server["OS-EXT-STS:vm_state"]] = server["OS-EXT-STS:power_state"]
    assert told == {
        "active": 1,
        "paused": 3,
        "stopped": 4,
        "suspended": 4,
        "shelved_offloaded": 4,
    }
    assert server["OS-EXT-SRV-ATTR:host"] is None


def test_what_a_stopped_server_has_is_nobody_elses(service: Service) -> None:
    """Its claim and devices stay; only shelving gives them to others."""
    service.flavor("all", {"pci_passthrough:alias": "vGPU:4,v100:1"})
    ids = service.create("all", count=2)
    assert {s["status"] for s in service.wait()} == {"ACTIVE"}
    for one in ids:
        service.act(one, "os-stop")
    [late] = service.create("slice")
    assert service.show(late)["status"] == "ERROR"
    service.act(ids[0], "shelve")
    assert service.show(ids[0])["status"] == "SHELVED_OFFLOADED"
    [next_one] = service.create("slice")
    assert service.show(next_one)["status"] == "ACTIVE"
    service.act(ids[0], "unshelve")
    assert service.show(ids[0])["status"] == "SHELVED_OFFLOADED"
    service.delete([next_one])
    service.act(ids[0], "unshelve")
    assert service.show(ids[0])["status"] == "ACTIVE"


@pytest.mark.parametrize("status", ["ACTIVE", "SHUTOFF"])
def test_hard_reboot_works_after_a_lost_definition(
    service: Service, status: str
) -> None:
    """The guest is defined anew from the claim."""
    one = booted(service)
    brought(service, one, status)
    for host in service.embedded.simulated.values():
        host.tools.guests.stop(one)
    service.act(one, "reboot", {"type": "HARD"})
    assert service.show(one)["status"] == "ACTIVE"


def test_hard_reboot_makes_lost_mdevs_again(service: Service) -> None:
    """Under the names that the claim gives them."""
    one = booted(service, "slice")
    service.act(one, "os-stop")
    [share] = [share for share in devices(service, one) if share.is_made]
    host = service.show(one)["OS-EXT-SRV-ATTR:host"]
    service.embedded.simulated[host].kernel.remove_mdev(mdev_uuid(one, share.slot))
    service.act(one, "reboot", {"type": "HARD"})
    assert service.show(one)["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("status", "action", "value"),
    [
        ("SHUTOFF", "os-start", None),
        ("SHUTOFF", "reboot", {"type": "HARD"}),
        ("ACTIVE", "reboot", {"type": "SOFT"}),
        ("ACTIVE", "rebuild", {}),
        ("SUSPENDED", "resume", None),
        ("SHELVED_OFFLOADED", "unshelve", None),
    ],
)
def test_a_card_that_vanished_leaves_the_server_where_it_was(
    service: Service, status: str, action: str, value: Any
) -> None:
    """What needs the card is refused before anything is touched."""
    one = booted(service)
    brought(service, one, status)
    held = devices(service, one)
    ask_fault(service, FaultKind.VANISHES)
    if action == "rebuild":
        [image] = service.call("GET", "/v2/images")["images"]
        value = {"imageRef": image["id"], "name": "other"}
    service.act(one, action, value)
    server = service.show(one)
    assert (server["status"], server["name"]) == (status, "vm")
    assert devices(service, one) == held
    for host in service.embedded.simulated.values():
        host.kernel.clear_faults()
    service.embedded.beat()
    service.act(one, action, value)
    assert service.show(one)["status"] == "ACTIVE"


def test_rebuild_changes_what_it_is_told(service: Service) -> None:
    """The flavor and its devices stay; a server that was off stays off."""
    one = booted(service)
    held = devices(service, one)
    [image] = service.call("GET", "/v2/images")["images"]
    wanted = {
        "imageRef": image["id"],
        "name": "other",
        "metadata": {"a": "b"},
        "description": "anew",
    }
    shown = service.act(one, "rebuild", wanted)["server"]
    assert (shown["name"], shown["status"]) == ("other", "REBUILD")
    server = service.show(one)
    assert (server["metadata"], server["description"]) == ({"a": "b"}, "anew")
    assert server["status"] == "ACTIVE"
    service.act(one, "os-stop")
    service.show(one)
    service.act(one, "rebuild", {"imageRef": image["id"]})
    assert service.show(one)["status"] == "SHUTOFF"
    assert devices(service, one) == held


def test_a_lock_binds_until_it_is_taken_off(service: Service) -> None:
    """Where nobody signs in, it binds everybody."""
    one = booted(service, "slice")
    service.act(one, "lock", {"locked_reason": "audit"})
    server = service.show(one)
    assert (server["locked"], server["locked_reason"]) == (True, "audit")
    refusal = service.act(one, "os-stop", expect=409)
    message = f"Instance {one} is locked"
    assert refusal["conflictingRequest"] == {"code": 409, "message": message}
    service.call("DELETE", f"/v2.1/servers/{one}", expect=409)
    service.act(one, "unlock")
    service.act(one, "os-stop")
    assert service.show(one)["status"] == "SHUTOFF"


def test_a_server_in_error_is_brought_back_by_a_hard_reboot(service: Service) -> None:
    """Calling it ERROR or ACTIVE changes the word only."""
    one = booted(service)
    service.act(one, "os-resetState", {"state": "error"})
    assert service.show(one)["status"] == "ERROR"
    service.act(one, "pause", expect=409)
    service.act(one, "reboot", {"type": "HARD"})
    assert service.show(one)["status"] == "ACTIVE"
    service.act(one, "os-resetState", {"state": "error"})
    service.act(one, "os-resetState", {"state": "active"})
    assert service.show(one)["status"] == "ACTIVE"
    service.act(one, "os-resetState", {"state": "error"})
    service.act(one, "os-stop")
    assert service.show(one)["status"] == "SHUTOFF"


def test_a_delete_overtakes_an_action(service: Service) -> None:
    """Asked at once, the delete has the last word."""
    ids = service.create("slice", count=4)
    service.wait()
    for one, action in zip(ids, ("os-stop", "suspend", "shelve", "pause"), strict=True):
        service.act(one, action)
        service.call("DELETE", f"/v2.1/servers/{one}", expect=204)
    service.until(lambda servers: not servers)


WRONG = [
    ("ACTIVE", "os-start", None, "'start'", "vm_state active"),
    ("ACTIVE", "unpause", None, "'unpause'", "vm_state active"),
    ("ACTIVE", "resume", None, "'resume'", "vm_state active"),
    ("ACTIVE", "unshelve", None, "'unshelve'", "vm_state active"),
    ("ACTIVE", "shelveOffload", None, "'shelveOffload'", "vm_state active"),
    ("SHUTOFF", "os-stop", None, "'stop'", "vm_state stopped"),
    ("SHUTOFF", "reboot", {"type": "SOFT"}, "'reboot'", "vm_state stopped"),
    ("PAUSED", "suspend", None, "'suspend'", "vm_state paused"),
    ("SUSPENDED", "pause", None, "'pause'", "vm_state suspended"),
    ("SHELVED_OFFLOADED", "os-start", None, "'start'", "vm_state shelved_offloaded"),
    ("ACTIVE", "confirmResize", None, "'confirmResize'", "vm_state active"),
    ("ACTIVE", "revertResize", None, "'revertResize'", "vm_state active"),
    ("SUSPENDED", "migrate", None, "'migrate'", "vm_state suspended"),
    ("PAUSED", "resize", {"flavorRef": "both"}, "'resize'", "vm_state paused"),
    (
        "SHUTOFF",
        "os-migrateLive",
        {"host": None, "block_migration": "auto"},
        "'os-migrateLive'",
        "vm_state stopped",
    ),
    ("PAUSED", "evacuate", {}, "'evacuate'", "vm_state paused"),
]


def test_the_wrong_state_is_told_in_novas_words(service: Service) -> None:
    """409, and nothing is begun."""
    for status in ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "SHELVED_OFFLOADED"):
        one = booted(service, "slice")
        brought(service, one, status)
        for at, action, value, word, state in WRONG:
            if at != status:
                continue
            refusal = service.act(one, action, value, expect=409)
            message = f"Cannot {word} instance {one} while it is in {state}"
            told = refusal["conflictingRequest"]
            assert told == {"code": 409, "message": message}
        assert service.show(one)["status"] == status


def test_a_server_that_never_ran_cannot_be_acted_on(service: Service) -> None:
    """It can be deleted."""
    service.flavor("none", {"pci_passthrough:alias": "v100:9"})
    [one] = service.create("none")
    assert service.show(one)["status"] == "ERROR"
    for action, value in (("os-stop", None), ("reboot", {"type": "HARD"})):
        refusal = service.act(one, action, value, expect=409)
        assert "never been active" in refusal["conflictingRequest"]["message"]
    service.act(one, "os-resetState", {"state": "active"}, expect=409)


def test_what_is_not_there_is_refused_truthfully(service: Service) -> None:
    """There is no image service that could be written to."""
    one = booted(service, "slice")
    refusal = service.act(one, "createImage", {"name": "x"}, expect=403)
    assert "read-only" in refusal["forbidden"]["message"]


def test_events_tell_what_was_done_and_how_it_went(service: Service) -> None:
    """The request that a client was answered with is the action's name."""
    one = booted(service)
    host = service.show(one)["OS-EXT-SRV-ATTR:host"]
    service.act(one, "os-stop")
    service.show(one)
    ask_fault(service, FaultKind.VANISHES)
    service.act(one, "os-start")
    assert service.show(one)["status"] == "SHUTOFF"
    path = f"/v2.1/servers/{one}/os-instance-actions"
    start, stop, create = service.finished_actions(path)
    assert [a["action"] for a in (start, stop, create)] == ["start", "stop", "create"]
    assert [a["message"] for a in (start, stop, create)] == ["Error", None, None]
    told = service.call("GET", f"{path}/{start['request_id']}")["instanceAction"]
    [event] = told["events"]
    assert (event["result"], event["host"]) == ("Error", host)
    assert str(T4) in event["details"]
    assert event["start_time"] <= event["finish_time"]
