"""vGPUs without mdevs, from whitelist and alias to guest and back."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tests.stories.service import Service, open_service

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.libvirt.guests import LibvirtGuests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from uuid import UUID

NEAR, FAR, ONE_SIZE = "17", "98", "b1"
ALIASES = [
    json.dumps(
        {
            "name": f"L40S-{size}Q",
            "device_type": "type-VGPU",
            "vgpu_type": f"NVIDIA L40S-{size}Q",
            "numa_policy": "required",
        }
    )
    for size in (1, 8, 24, 48)
]
PINNED = {"hw:cpu_policy": "dedicated", "hw:mem_page_size": "2MB"}


def start(folder: Path, *buses: str) -> Service:
    """Run a service that offers the L40S on these buses."""
    rules = [
        json.dumps(
            {
                "product_id": "26b9",
                "address": f"*:{bus}:*.*",
                "vgpu_type": [*(f"NVIDIA L40S-{size}Q" for size in (1, 8, 24)), 1156],
                **({} if bus == ONE_SIZE else {"one_type": False}),
            }
        )
        for bus in buses
    ]
    return open_service(folder, ["a=vgpu-17"], rules, ALIASES)


def alias(text: str, **more: str) -> dict[str, str]:
    return {"pci_passthrough:alias": text, **more}


def types_set(service: Service) -> dict[str, str]:
    """Return the VFs that are set to a type, and to which."""
    kernel = service.embedded.simulated["a"].kernel
    files = {str(f.address): kernel.vgpu_files(f.address) for f in kernel.functions()}
    texts = {vf: both[0].strip() for vf, both in files.items() if both}
    return {vf: text for vf, text in texts.items() if text != "0"}


def held(service: Service, one: UUID) -> list[tuple[str, str]]:
    """Return which VFs a server has, and as what."""
    claim = service.embedded.conductor.claims.get(one)
    assert claim is not None
    return [(str(d.address), d.type_id) for d in claim.assignment.devices]


def states(service: Service) -> list[str]:
    return sorted(server["status"] for server in service.wait())


def fill(service: Service, *flavors: str) -> list[UUID]:
    """Create a server of each flavor, one after the other."""
    ids = []
    for flavor in flavors:
        ids += service.create(flavor)
        service.wait()
    return ids


@pytest.fixture(name="service")
def _service(tmp_path: Path) -> Iterator[Service]:
    service = start(tmp_path, NEAR, FAR)
    with service.embedded:
        for size in (1, 8, 24, 48):
            service.flavor(f"q{size}", alias(f"L40S-{size}Q:1"))
        yield service


def test_a_vgpu_from_flavor_to_guest_and_back(service: Service) -> None:
    """The guest has its VFs, on the card's cell; deleted, nothing is left."""
    service.flavor("pinned", alias("L40S-8Q:2") | PINNED, vcpus=2, ram=512)
    [one] = service.create("pinned")
    assert states(service) == ["ACTIVE"]
    had = held(service, one)
    assert dict(had) == types_set(service)
    assert {type_id for _, type_id in had} == {"1152"}
    [node] = service.call("GET", f"/v2.1/servers/{one}/topology")["nodes"]
    card_node = 0 if had[0][0].startswith(f"0000:{NEAR}") else 1
    assert node["host_node"] == card_node
    guests = service.embedded.simulated["a"].tools.guests
    assert isinstance(guests, LibvirtGuests)
    assert guests.holders() == {PciAddress.parse(vf): one for vf, _ in had}
    service.check_agreement()
    service.delete([one])
    service.check_agreement()
    assert types_set(service) == {}


@pytest.mark.parametrize(
    "flavors",
    [("q24", "q8", "q8", "q8", "q48"), ("q8", "q24", "q24", "q24", "q8", "q8")],
)
def test_mixed_types_fill_both_cards_to_the_last_mb(
    service: Service, flavors: Sequence[str]
) -> None:
    """96 GiB on two cards, in this order or that; not one more of any size."""
    fill(service, *flavors)
    assert states(service) == ["ACTIVE"] * len(flavors)
    [more] = fill(service, "q1")
    refused = service.show(more)
    assert refused["status"] == "ERROR"
    assert refused["fault"]["message"].startswith("No valid host was found.")
    service.check_agreement()


def test_requests_at_the_same_time_never_oversell(service: Service) -> None:
    """20 clients ask for 8 GiB each: twelve get it."""
    with ThreadPoolExecutor(10) as clients:
        list(clients.map(lambda _: service.create("q8"), range(20)))
    assert states(service) == ["ACTIVE"] * 12 + ["ERROR"] * 8
    assert len(types_set(service)) == 12
    service.check_agreement()


def test_a_stopped_server_keeps_its_vf_and_starts_on_it(service: Service) -> None:
    """With the cards full, and the type set all the while."""
    ids = fill(service, "q48", "q24", "q24")
    for one in ids:
        had = held(service, one)
        service.act(one, "os-stop")
        assert service.show(one)["status"] == "SHUTOFF"
        assert types_set(service).items() >= dict(had).items()
        service.act(one, "os-start")
        assert service.show(one)["status"] == "ACTIVE"
        service.act(one, "reboot", {"type": "HARD"})
        assert service.show(one)["status"] == "ACTIVE"
        assert held(service, one) == had
    service.check_agreement()


def test_what_others_set_is_reported_and_left_alone(service: Service) -> None:
    """Its framebuffer is missing to us, heal does not touch it."""
    kernel = service.embedded.simulated["a"].kernel
    theirs = PciAddress.parse("0000:17:00.4")
    kernel.set_vgpu_type(theirs, "1156")
    service.embedded.beat()
    told = service.call("GET", "/v1/audit")["disagreements"]
    assert [(one["kind"], one["repair"]) for one in told] == [
        ("vgpu-foreign", "reported only")
    ]
    assert "0000:17:00.4 is set to the vGPU type 1156" in told[0]["what"]
    rows = service.call("GET", "/v1/devices")["devices"]
    foreign = [row["device"] for row in rows if row["device"]["foreign"]]
    assert [(d["address"], d["type_name"]) for d in foreign] == [
        ("0000:17:00.4", "NVIDIA L40S-48Q")
    ]
    [near_one] = fill(service, "q8")
    assert held(service, near_one)[0][0].startswith(f"0000:{FAR}")
    assert not any(one.mended for one in service.embedded.books.audit.heal())
    assert types_set(service)[str(theirs)] == "1156"


def test_one_size_at_a_time_is_the_cards_word(tmp_path: Path) -> None:
    """Without the mode for mixed sizes, what is on no list is not offered."""
    service = start(tmp_path, ONE_SIZE)
    with service.embedded:
        service.flavor("q8", alias("L40S-8Q:1"))
        service.flavor("q24", alias("L40S-24Q:1"))
        service.flavor("both", alias("L40S-24Q:1,L40S-8Q:1"))
        ids = fill(service, "q8", "q24", "q8")
        assert [service.show(one)["status"] for one in ids] == [
            "ACTIVE",
            "ERROR",
            "ACTIVE",
        ]
        service.delete(ids)
        assert service.show(fill(service, "q24")[0])["status"] == "ACTIVE"
        service.check_agreement()


def test_a_restart_sets_the_same_types_on_the_same_vfs(tmp_path: Path) -> None:
    """The host began anew, as after a reboot: types are set before guests start."""
    service = start(tmp_path, NEAR, FAR)
    with service.embedded:
        service.flavor("two", alias("L40S-24Q:1,L40S-8Q:2"))
        ids = fill(service, "two", "two")
        assert states(service) == ["ACTIVE"] * 2
        before = types_set(service)
        assert len(before) == 6
    again = start(tmp_path, NEAR, FAR)
    with again.embedded:
        assert states(again) == ["ACTIVE"] * 2
        assert types_set(again) == before
        again.check_agreement()
        again.delete(ids)
        assert types_set(again) == {}
