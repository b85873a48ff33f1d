"""The main job: from a whitelist to running guests, and back."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.stories.service import Service, open_service

RULES = [
    '{"vendor_id": "10de", "product_id": "1db4"}',
    '{"vendor_id": "10de", "product_id": "1eb8", "mdev_type": "nvidia-232"}',
]
ALIASES = [
    json.dumps(
        {"name": "v100", "product_id": "1db4", "numa_policy": "required"},
    ),
    json.dumps(
        {
            "name": "vGPU",
            "device_type": "type-MDEV",
            "mdev_type": "nvidia-232",
            "numa_policy": "required",
        }
    ),
]
BAD_ALIASES = ["a", "a:", "a:x", "vGPU:0", "vGPU:-1", "vGPU:1,", "none:1", "a,b:1", ""]
PINNED = {"hw:cpu_policy": "dedicated", "hw:mem_page_size": "2MB"}


@pytest.fixture(name="service")
def _service(tmp_path: Path) -> Iterator[Service]:
    service = open_service(tmp_path, ["a=small", "b=small"], RULES, ALIASES)
    with service.embedded:
        yield service


def alias(text: str, **more: str) -> dict[str, str]:
    return {"pci_passthrough:alias": text, **more}


def test_vgpu_from_flavor_to_guest_and_back(service: Service) -> None:
    """A server with a vGPU is ACTIVE on the card's cell; deleted, nothing is left."""
    flavor = service.flavor("gpu", alias("vGPU:1") | PINNED, vcpus=2, ram=512)
    [one] = service.create(flavor)
    [server] = service.wait()
    assert server["status"] == "ACTIVE"
    assert server["OS-EXT-SRV-ATTR:host"] in {"a", "b"}
    path = f"/v2.1/servers/{one}/topology"
    topology = service.call("GET", path)
    [node] = topology["nodes"]
    assert node["host_node"] == 0
    assert topology["pagesize_kb"] == 2048
    assert set(node["cpu_pinning"]) == {"0", "1"}
    service.check_agreement()
    service.delete([one])
    service.check_agreement()
    for host in service.embedded.simulated.values():
        assert host.kernel.mdevs() == ()


def test_thirty_servers_on_ten_devices(service: Service) -> None:
    """30 at once on 8 vGPUs and 2 whole cards: each kind is filled to the last."""
    service.flavor("slice", alias("vGPU:1"))
    service.flavor("whole", alias("v100:1", **{"hw:cpu_policy": "dedicated"}))
    service.create("slice", count=15)
    service.create("whole", count=15)
    servers = service.wait()
    states = [(s["flavor"]["original_name"], s["status"]) for s in servers]
    assert states.count(("slice", "ACTIVE")) == 8
    assert states.count(("whole", "ACTIVE")) == 2
    refused = [server for server in servers if server["status"] == "ERROR"]
    assert len(refused) == 20
    for server in refused:
        assert server["fault"]["message"].startswith("No valid host was found.")
    service.check_agreement()


def test_thirty_requests_at_once_fill_eight_slices(service: Service) -> None:
    """30 clients at the same moment: 8 servers run, 22 are told why they do not."""
    service.flavor("slice", alias("vGPU:1"))
    with ThreadPoolExecutor(10) as clients:
        list(clients.map(lambda _: service.create("slice"), range(30)))
    states = [server["status"] for server in service.wait()]
    assert states.count("ACTIVE") == 8
    assert states.count("ERROR") == 22
    service.check_agreement()


def test_deleting_all_frees_all(service: Service) -> None:
    """What was full serves as many again after everything is deleted."""
    service.flavor("slice", alias("vGPU:1"))
    for _ in range(2):
        ids = service.create("slice", count=8)
        servers: list[dict[str, Any]] = service.wait()
        assert {server["status"] for server in servers} == {"ACTIVE"}
        service.delete(ids)
        service.check_agreement()


def test_refusal_names_the_constraint(service: Service) -> None:
    """A vGPU and the whole card, both `required`, are never on one cell here."""
    service.flavor("both", alias("vGPU:1,v100:1"))
    service.create("both")
    [server] = service.wait()
    assert server["status"] == "ERROR"
    message = server["fault"]["message"]
    assert message.startswith("No valid host was found.")
    assert "cell" in message
    service.check_agreement()
    told = service.call("GET", "/v1/explain?flavor=both")
    assert told["fits"] == []
    assert {refusal["host"] for refusal in told["refusals"]} == {"a", "b"}


def test_bad_alias_is_refused_when_the_flavor_is_written(service: Service) -> None:
    """Each is a 400 in Nova's shape, and the flavor stays as it was."""
    service.flavor("gpu", {})
    path = "/v2.1/flavors/gpu/os-extra_specs"
    for text in BAD_ALIASES:
        body = {"extra_specs": {"pci_passthrough:alias": text}}
        refusal = service.call("POST", path, body, expect=400)
        assert refusal["badRequest"]["code"] == 400
        assert "pci_passthrough:alias" in refusal["badRequest"]["message"]
        assert service.call("GET", path)["extra_specs"] == {}
