"""Servers with devices go from host to host and from flavor to flavor."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from tests.stories.service import Service, open_service

from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import NotFoundError
from sundog.edges.simulation.host_model import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T4 = PciAddress.parse("0000:17:00.0")
RULES = [
    json.dumps(
        {"product_id": "1eb8", "mdev_type": "nvidia-232", "live_migratable": "yes"}
    ),
    json.dumps({"product_id": "1db4"}),
]
ALIASES = [
    json.dumps({"name": "vGPU", "mdev_type": "nvidia-232", "live_migratable": "yes"}),
    json.dumps({"name": "fixed", "mdev_type": "nvidia-232"}),
    json.dumps({"name": "v100", "product_id": "1db4"}),
]


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("moves")
    service = open_service(folder, ["a=small", "b=small"], RULES, ALIASES)
    with service.embedded:
        service.flavor("plain", {})
        service.flavor("one", {"pci_passthrough:alias": "vGPU:1"})
        service.flavor("three", {"pci_passthrough:alias": "vGPU:3"})
        service.flavor("class", {"resources:VGPU": "2"})
        service.flavor("fixed", {"pci_passthrough:alias": "fixed:1"})
        service.flavor("whole", {"pci_passthrough:alias": "v100:1"})
        service.flavor("huge", {"pci_passthrough:alias": "vGPU:60"})
        yield service


@pytest.fixture(name="service")
def _service(shared: Service) -> Iterator[Service]:
    """Give a service without servers; whatever a test leaves must agree and goes."""
    yield shared
    for host in shared.embedded.simulated.values():
        host.carrier.seconds = 0
    for name in shared.embedded.agents:
        force_down(shared, name, down=False)
        # A card that failed twice is held back until somebody says that it is well.
        with suppress(NotFoundError):
            shared.embedded.books.devices.release(name, str(T4))
    shared.embedded.beat()
    settle(shared)
    shared.empty()


def settle(service: Service) -> None:
    service.until(
        lambda servers: all(
            not s["OS-EXT-STS:task_state"]
            and not service.embedded.conductor.servers.get(UUID(s["id"])).is_busy
            for s in servers
        )
    )


def booted(service: Service, flavor: str) -> UUID:
    [one] = service.create(flavor)
    assert service.show(one)["status"] == "ACTIVE"
    return one


def now(service: Service, one: UUID) -> dict[str, Any]:
    settle(service)
    return service.show(one)


def host_of(service: Service, one: UUID) -> str:
    return str(now(service, one)["OS-EXT-SRV-ATTR:host"])


def resize(service: Service, one: UUID, flavor: str) -> dict[str, Any]:
    service.act(one, "resize", {"flavorRef": flavor})
    return now(service, one)


def devices(service: Service, one: UUID) -> int:
    claim = service.embedded.conductor.claims.get(one)
    assert claim is not None
    return len(claim.assignment.devices)


def force_down(service: Service, host: str, *, down: bool) -> None:
    [found] = [
        one
        for one in service.call("GET", "/v2.1/os-services")["services"]
        if one["host"] == host
    ]
    path = f"/v2.1/os-services/{found['id']}"
    service.call("PUT", path, {"forced_down": down})


def moves(service: Service, one: UUID) -> list[dict[str, Any]]:
    path = f"/v2.1/os-migrations?instance_uuid={one}"
    found: list[dict[str, Any]] = service.call("GET", path)["migrations"]
    return found


def crossing(service: Service, one: UUID) -> tuple[str, dict[str, Any]]:
    """Wait until a live migration runs; returns where it is seen, and it."""
    path = f"/v2.1/servers/{one}/migrations"

    def running(_: object) -> bool:
        found = service.call("GET", path)["migrations"]
        return [each["status"] for each in found] == ["running"]

    service.until(running)
    [move] = service.call("GET", path)["migrations"]
    return path, move


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        ("plain", "one", 1),
        ("one", "three", 3),
        ("three", "plain", 0),
        ("one", "class", 2),
    ],
)
def test_a_resize_may_be_confirmed_or_reverted(
    service: Service, old: str, new: str, count: int
) -> None:
    """To and from device flavors, and between counts, by alias and by class."""
    one = booted(service, old)
    had = devices(service, one)
    assert resize(service, one, new)["status"] == "VERIFY_RESIZE"
    service.check_agreement()
    assert devices(service, one) == count
    service.act(one, "revertResize")
    assert now(service, one)["status"] == "ACTIVE"
    assert devices(service, one) == had
    service.check_agreement()
    resize(service, one, new)
    service.act(one, "confirmResize", expect=204)
    shown = now(service, one)
    assert (shown["status"], shown["flavor"]["original_name"]) == ("ACTIVE", new)
    assert [one["status"] for one in moves(service, one)] == ["confirmed", "reverted"]


def test_a_stopped_server_stays_off_when_it_is_resized(service: Service) -> None:
    """On both ways."""
    one = booted(service, "one")
    service.act(one, "os-stop")
    now(service, one)
    assert resize(service, one, "three")["status"] == "VERIFY_RESIZE"
    service.act(one, "confirmResize", expect=204)
    assert now(service, one)["status"] == "SHUTOFF"
    service.act(one, "os-start")
    assert now(service, one)["status"] == "ACTIVE"
    assert devices(service, one) == 3


def test_a_resize_that_fits_nowhere_leaves_the_server_untouched(
    service: Service,
) -> None:
    """Its history tells why."""
    one = booted(service, "one")
    held = service.embedded.conductor.claims.get(one)
    shown = resize(service, one, "huge")
    assert (shown["status"], shown["flavor"]["original_name"]) == ("ACTIVE", "one")
    assert service.embedded.conductor.claims.get(one) == held
    path = f"/v2.1/servers/{one}/os-instance-actions"
    action = service.finished_actions(path)[0]
    assert (action["action"], action["message"]) == ("resize", "Error")
    [event] = service.call("GET", f"{path}/{action['request_id']}")["instanceAction"][
        "events"
    ]
    assert event["details"].startswith("No valid host was found. Needs 60")
    assert [one["status"] for one in moves(service, one)] == ["error"]


@pytest.mark.parametrize(
    "kind",
    [FaultKind.CREATE_FAILS, FaultKind.CREATE_IGNORED, FaultKind.SLOW_RELEASE],
)
def test_a_device_that_fails_leaves_the_server_where_it_was(
    service: Service, kind: FaultKind
) -> None:
    """Or the move went on to its end; the records agree either way."""
    one = booted(service, "one")
    for host in service.embedded.simulated.values():
        host.kernel.ask_fault(Fault(kind=kind, card=T4, times=2))
    assert resize(service, one, "three")["status"] in {"ACTIVE", "VERIFY_RESIZE"}
    service.check_agreement()


def test_a_cold_migration_takes_the_server_elsewhere(service: Service) -> None:
    """With devices of the same kind; never to the host where it is."""
    one = booted(service, "one")
    first = host_of(service, one)
    service.act(one, "migrate")
    assert now(service, one)["status"] == "VERIFY_RESIZE"
    assert host_of(service, one) != first
    service.check_agreement()
    service.act(one, "confirmResize", expect=204)
    assert now(service, one)["status"] == "ACTIVE"
    refusal = service.act(one, "migrate", {"host": host_of(service, one)}, expect=400)
    assert "same host" in refusal["badRequest"]["message"]
    service.act(one, "migrate", {"host": "nowhere"}, expect=400)


@pytest.mark.parametrize("paused", [False, True])
def test_a_live_migration_takes_devices_along(
    service: Service, *, paused: bool
) -> None:
    """The guest never stops; its mdev has the same name on the other side."""
    one = booted(service, "one")
    first = host_of(service, one)
    if paused:
        service.act(one, "pause")
        now(service, one)
    service.act(one, "os-migrateLive", {"host": None, "block_migration": "auto"})
    shown = now(service, one)
    assert shown["status"] == ("PAUSED" if paused else "ACTIVE")
    assert shown["OS-EXT-SRV-ATTR:host"] != first
    [move] = moves(service, one)
    assert (move["migration_type"], move["status"]) == ("live-migration", "completed")
    assert not service.embedded.simulated[first].kernel.mdevs()


@pytest.mark.parametrize(
    ("flavor", "reason"),
    [
        ("fixed", "alias fixed does not say"),
        ("whole", "alias v100 does not say"),
    ],
)
def test_a_live_migration_is_refused_before_anything_moves(
    service: Service, flavor: str, reason: str
) -> None:
    one = booted(service, flavor)
    body = {"host": None, "block_migration": "auto"}
    refusal = service.act(one, "os-migrateLive", body, expect=400)
    assert reason in refusal["badRequest"]["message"]
    assert moves(service, one) == []


def test_a_live_migration_can_be_seen_and_aborted(service: Service) -> None:
    """What was reserved there is given back."""
    for host in service.embedded.simulated.values():
        host.carrier.seconds = 600
    one = booted(service, "one")
    first = host_of(service, one)
    service.act(one, "os-migrateLive", {"host": None, "block_migration": "auto"})
    path = f"/v2.1/servers/{one}/migrations"
    service.until(
        lambda _: any(
            each["status"] == "running"
            for each in service.call("GET", path)["migrations"]
        )
    )
    [move] = service.call("GET", path)["migrations"]
    number = move["id"]
    assert service.call("GET", f"{path}/{number}")["migration"] == move
    service.call("DELETE", f"{path}/{number}", expect=202)
    shown = now(service, one)
    assert (shown["status"], shown["OS-EXT-SRV-ATTR:host"]) == ("ACTIVE", first)
    assert [each["status"] for each in moves(service, one)] == ["cancelled"]
    service.call("GET", f"{path}/{number}", expect=404)
    service.call("DELETE", f"{path}/{number}", expect=400)
    service.check_agreement()


def test_a_slow_live_migration_can_be_forced_to_complete(service: Service) -> None:
    for host in service.embedded.simulated.values():
        host.carrier.seconds = 600
    one = booted(service, "one")
    service.act(one, "os-migrateLive", {"host": None, "block_migration": "auto"})
    path = f"/v2.1/servers/{one}/migrations"
    service.until(
        lambda _: any(
            each["status"] == "running"
            for each in service.call("GET", path)["migrations"]
        )
    )
    [move] = service.call("GET", path)["migrations"]
    hurry = f"{path}/{move['id']}/action"
    service.call("POST", hurry, {"force_complete": None}, expect=202)
    assert now(service, one)["status"] == "ACTIVE"
    assert [each["status"] for each in moves(service, one)] == ["completed"]
    service.call("POST", hurry, {"force_complete": None}, expect=400)


def test_an_evacuation_leaves_the_old_side_until_the_host_is_back(
    service: Service,
) -> None:
    """A living host is not evacuated; a returning one gives up guest and devices."""
    one = booted(service, "one")
    old = host_of(service, one)
    refusal = service.act(one, "evacuate", {}, expect=400)
    assert "still in use" in refusal["badRequest"]["message"]
    force_down(service, old, down=True)
    service.act(one, "evacuate", {}, expect=200)
    assert host_of(service, one) != old
    assert now(service, one)["status"] == "ACTIVE"
    simulated = service.embedded.simulated[old]
    assert one in simulated.tools.guests.running()
    assert simulated.kernel.mdevs()
    assert [each["status"] for each in moves(service, one)] == ["done"]
    service.check_agreement()
    force_down(service, old, down=False)
    service.until(lambda _: not simulated.kernel.mdevs())
    service.until(lambda _: moves(service, one)[0]["status"] == "completed")
    assert one not in simulated.tools.guests.running()


def test_bad_bodies_are_refused(service: Service) -> None:
    """400, and the server is untouched."""
    one = booted(service, "one")
    for action, value in (
        ("resize", None),
        ("resize", {}),
        ("resize", {"flavorRef": None}),
        ("resize", {"flavorRef": "nope"}),
        ("resize", {"flavorRef": "one"}),
        ("resize", {"flavorRef": "three", "x": 1}),
        ("migrate", {"host": 5}),
        ("migrate", "host"),
        ("os-migrateLive", {}),
        ("os-migrateLive", {"host": None, "block_migration": "perhaps"}),
        ("os-migrateLive", {"host": "nowhere", "block_migration": False}),
        ("evacuate", {"host": ""}),
        ("evacuate", {"onSharedStorage": True}),
        ("evacuate", []),
    ):
        service.act(one, action, value, expect=400)
    assert service.show(one)["status"] == "ACTIVE"


def test_a_resize_obeys_the_quota_for_what_is_more(service: Service) -> None:
    """A resize to what is less is always allowed."""
    one = booted(service, "one")
    project = service.show(one)["tenant_id"]
    path = f"/v2.1/os-quota-sets/{project}"
    service.call("PUT", path, {"quota_set": {"ram": 100, "force": True}})
    service.flavor("large", {"pci_passthrough:alias": "vGPU:1"}, ram=128)
    refusal = service.act(one, "resize", {"flavorRef": "large"}, expect=403)
    assert "ram" in refusal["forbidden"]["message"]
    service.call("DELETE", path, expect=202)
    assert resize(service, one, "large")["status"] == "VERIFY_RESIZE"
