"""``resources:`` and ``trait:`` ask for devices as an alias does, on every path."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.stories.service import Service, open_service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from uuid import UUID

RULES = [
    json.dumps(
        {"product_id": "1eb8", "mdev_type": "nvidia-232", "traits": "CUSTOM_FAST"}
    ),
    json.dumps({"product_id": "1db4", "resource_class": "CUSTOM_WHOLE"}),
]
ALIASES = [
    '{"name": "slice", "mdev_type": "nvidia-232"}',
    '{"name": "whole", "product_id": "1db4"}',
]
PINNED = {"hw:cpu_policy": "dedicated", "hw:pci_numa_affinity_policy": "required"}
SLICES: list[dict[str, str]] = [
    {"resources:VGPU": "1"},
    {"resources1:VGPU": "1"},
    {"resources1:VGPU": "1", "trait1:CUSTOM_FAST": "required"},
    {"resources_GPU:VGPU": "1", "group_policy": "isolate"},
]


@pytest.fixture(name="service")
def _service(tmp_path: Path) -> Iterator[Service]:
    service = open_service(tmp_path, ["a=small"], RULES, ALIASES)
    with service.embedded:
        yield service


def held(service: Service, server: UUID) -> dict[str, Any]:
    """Return what a server holds, but for the names of its CPUs."""
    claim = service.embedded.conductor.claims.get(server)
    assert claim is not None
    devices = claim.assignment.devices
    return {
        "cells": {share.host_cell for share in claim.assignment.cells},
        "devices": [
            (one.kind, one.type_id, one.resource_class, one.numa_nodes, one.guest_cell)
            for one in devices
        ],
    }


def boot(service: Service, specs: Mapping[str, str], **sizes: int) -> UUID:
    """Boot a server of a new flavor."""
    number = len(service.call("GET", "/v2.1/flavors?is_public=None")["flavors"])
    flavor = service.flavor(f"f{number}", specs, **sizes)
    [server] = service.create(flavor)
    assert service.show(server)["status"] == "ACTIVE"
    return server


@pytest.mark.parametrize("words", SLICES, ids=" ".join)
def test_a_slice_is_as_near_as_an_aliass_on_every_path(
    service: Service, words: dict[str, str]
) -> None:
    by_alias = boot(service, PINNED | {"pci_passthrough:alias": "slice:1"})
    by_class = boot(service, PINNED | words)
    expected = held(service, by_alias)
    assert expected["cells"] == {0}
    assert held(service, by_class) == expected
    [image] = service.call("GET", "/v2/images")["images"]
    for action, value in (
        ("rebuild", {"imageRef": image["id"]}),
        ("reboot", {"type": "HARD"}),
        ("suspend", None),
        ("resume", None),
        ("os-stop", None),
        ("os-start", None),
    ):
        service.act(by_class, action, value)
        service.show(by_class)
        assert held(service, by_class) == expected, action
    service.act(by_class, "shelve")
    service.show(by_class)
    assert service.embedded.conductor.claims.get(by_class) is None
    service.act(by_class, "unshelve")
    assert service.show(by_class)["status"] == "ACTIVE"
    assert held(service, by_class) == expected
    service.check_agreement()


def test_a_class_of_ones_own_names_whole_devices(service: Service) -> None:
    """The card is on cell 1, and so is the guest."""
    server = boot(service, PINNED | {"resources:CUSTOM_WHOLE": "1"})
    assert held(service, server)["cells"] == {1}
    service.delete([server])
    again = boot(service, PINNED | {"pci_passthrough:alias": "whole:1"})
    assert held(service, again)["cells"] == {1}
    service.check_agreement()


def test_a_slice_that_cannot_be_near_is_refused_alike(service: Service) -> None:
    """Cell 0 has no CPU left: neither word gets a slice from afar."""
    boot(service, {"hw:cpu_policy": "dedicated"}, vcpus=6)
    faults = []
    for words in ({"pci_passthrough:alias": "slice:1"}, {"resources:VGPU": "1"}):
        number = len(service.call("GET", "/v2.1/flavors?is_public=None")["flavors"])
        flavor = service.flavor(f"f{number}", PINNED | words)
        [server] = service.create(flavor)
        shown = service.show(server)
        assert shown["status"] == "ERROR"
        faults.append(shown["fault"]["message"].partition(" in cell")[2])
    assert faults[0]
    assert faults[0] == faults[1]


def test_servers_asked_for_at_once_fill_every_card(tmp_path: Path) -> None:
    """Eight cards of four slices take 32 servers in one request, and not one more."""
    hosts = ["big=two-socket-8-cards"]
    rules = ['{"product_id": "1eb8", "mdev_type": "nvidia-232"}']
    service = open_service(tmp_path, hosts, rules, [])
    with service.embedded:
        service.flavor("slice", {"resources:VGPU": "1"})
        service.create("slice", count=32)
        assert {server["status"] for server in service.wait()} == {"ACTIVE"}
        [one] = service.create("slice")
        fault = service.show(one)["fault"]["message"]
        assert "has no free" in fault
        claims = service.embedded.conductor.claims.of_host("big")
        cards = [share.card for c in claims for share in c.assignment.devices]
        assert {cards.count(card) for card in cards} == {4}
        assert len(set(cards)) == 8
        service.check_agreement()


def test_cards_that_fit_only_some_servers_are_filled_to_the_last(
    tmp_path: Path,
) -> None:
    """Cards with one, two and four slices left take seven servers in one request."""
    hosts = [f"{name}=small" for name in ("a", "b", "c")]
    service = open_service(tmp_path, hosts, RULES, ALIASES)
    with service.embedded:
        service.flavor("slice", {"resources1:VGPU": "1"})
        [image] = service.call("GET", "/v2/images")["images"]
        server = {"name": "x", "flavorRef": "slice", "imageRef": image["id"]}
        for host, count in (("a", 3), ("b", 2)):
            there = {"availability_zone": f"nova:{host}", "min_count": count}
            body = {"server": server | there | {"networks": "none"}}
            service.call("POST", "/v2.1/servers", body)
        service.wait()
        service.create("slice", count=7)
        servers = service.wait()
        assert {server["status"] for server in servers} == {"ACTIVE"}
        hosts = [server["OS-EXT-SRV-ATTR:host"] for server in servers]
        assert {host: hosts.count(host) for host in "abc"} == dict.fromkeys("abc", 4)
        service.check_agreement()
