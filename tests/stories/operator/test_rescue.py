"""A rescued server boots from another image, with the devices that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.stories.service import Service, open_service

from sundog.workflows.pulse.ended_guests import note_ended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

RULES = ['{"product_id": "1eb8", "mdev_type": "nvidia-232"}']
ALIASES = ['{"name": "slice", "mdev_type": "nvidia-232"}']


@pytest.fixture(name="service")
def _service(tmp_path: Path) -> Iterator[Service]:
    service = open_service(tmp_path, ["a=small"], RULES, ALIASES)
    with service.embedded:
        service.flavor("gpu", {"pci_passthrough:alias": "slice:1"})
        yield service


def booted(service: Service) -> UUID:
    """Boot a server with a slice."""
    [server] = service.create("gpu")
    assert service.show(server)["status"] == "ACTIVE"
    return server


def test_a_server_is_rescued_and_unrescued(service: Service) -> None:
    server = booted(service)
    before = service.embedded.conductor.claims.get(server)
    told = service.act(server, "rescue", {"adminPass": "x"}, expect=200)
    assert told == {"adminPass": "x"}
    shown = service.show(server)
    assert (shown["status"], shown["OS-EXT-STS:vm_state"]) == ("RESCUE", "rescued")
    assert shown["OS-EXT-STS:power_state"] == 1
    assert service.embedded.conductor.claims.get(server) == before
    service.check_agreement()
    for action, value in (("reboot", {"type": "HARD"}), ("pause", None)):
        told = service.act(server, action, value, expect=409)
        message = told["conflictingRequest"]["message"]
        assert message.endswith("while it is in vm_state rescued")
    service.act(server, "unrescue")
    assert service.show(server)["status"] == "ACTIVE"
    assert service.embedded.conductor.claims.get(server) == before
    service.act(server, "unrescue", expect=409)
    service.check_agreement()


def test_a_server_that_is_off_is_rescued_and_deleted(service: Service) -> None:
    server = booted(service)
    service.act(server, "os-stop")
    service.show(server)
    [image] = service.call("GET", "/v2/images")["images"]
    service.act(server, "rescue", {"rescue_image_ref": image["id"]}, expect=200)
    assert service.show(server)["status"] == "RESCUE"
    service.delete([server])
    service.check_agreement()


def test_a_rescue_that_cannot_be_is_refused(service: Service) -> None:
    server = booted(service)
    service.act(server, "rescue", {"rescue_image_ref": "nothing"}, expect=400)
    service.act(server, "rescue", {"rescue_image_ref": 7}, expect=400)
    service.act(server, "rescue", {"more": 7}, expect=400)
    service.act(server, "pause")
    service.show(server)
    service.act(server, "rescue", expect=409)


def test_a_rescued_guest_that_ends_is_rescued_still(
    service: Service, tmp_path: Path
) -> None:
    """It is off, says so, and stays off when the service starts anew."""
    server = booted(service)
    service.act(server, "rescue", expect=200)
    service.show(server)
    end_guest(service, server)
    shown = service.show(server)
    assert (shown["status"], shown["OS-EXT-STS:power_state"]) == ("RESCUE", 4)
    service.check_agreement()
    service.embedded.close()
    again = open_service(tmp_path, ["a=small"], RULES, ALIASES)
    with again.embedded:
        shown = again.show(server)
        assert (shown["status"], shown["OS-EXT-STS:power_state"]) == ("RESCUE", 4)
        again.check_agreement()
        again.act(server, "unrescue")
        shown = again.show(server)
        assert (shown["status"], shown["OS-EXT-STS:power_state"]) == ("ACTIVE", 1)
        again.check_agreement()


def end_guest(service: Service, server: UUID) -> None:
    """End a guest as its own shutdown would, and let that be seen."""
    service.embedded.simulated["a"].guests.power_off(server)
    note_ended(service.embedded.conductor, server)


def test_a_rescued_server_is_reset(service: Service) -> None:
    """To either state; from both it boots from its own disk the next time."""
    server = booted(service)
    guests = service.embedded.simulated["a"].guests
    for state, status in (("active", "ACTIVE"), ("error", "ERROR")):
        service.act(server, "rescue", expect=200)
        service.show(server)
        rescued = guests.definition(server)
        service.act(server, "os-resetState", {"state": state})
        assert service.show(server)["status"] == status
        assert guests.definition(server) == rescued
        service.act(server, "unrescue", expect=409)
        record = service.embedded.conductor.servers.get(server)
        assert (record.rescue_image_id, record.rescue_properties) == (None, {})
        service.act(server, "reboot", {"type": "HARD"})
        assert service.show(server)["status"] == "ACTIVE"
        service.check_agreement()


def test_a_rescued_server_is_rescued_after_a_restart(
    service: Service, tmp_path: Path
) -> None:
    server = booted(service)
    service.act(server, "rescue", expect=200)
    service.show(server)
    service.embedded.close()
    again = open_service(tmp_path, ["a=small"], RULES, ALIASES)
    with again.embedded:
        assert again.show(server)["status"] == "RESCUE"
        again.check_agreement()
        again.act(server, "unrescue")
        assert again.show(server)["status"] == "ACTIVE"
        again.check_agreement()
