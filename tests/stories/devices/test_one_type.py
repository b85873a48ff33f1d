"""A card that makes one type at a time is known, told of, or learnt by one refusal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.stories.service import Service, open_service

if TYPE_CHECKING:
    from pathlib import Path

TYPES = ["nvidia-232", "nvidia-233"]
ALIASES = [
    json.dumps({"name": name, "device_type": "type-MDEV", "mdev_type": type_id})
    for name, type_id in zip(("quarter", "half"), TYPES, strict=True)
]
VGPUS = ["NVIDIA L40S-8Q", "NVIDIA L40S-8A", "NVIDIA L40S-24Q"]
VGPU_ALIASES = [
    json.dumps({"name": name[7:], "device_type": "type-VGPU", "vgpu_type": name})
    for name in VGPUS
]


def small(folder: Path, **rule: Any) -> Service:
    """Run a host with one T4, which makes one type at a time and does not say so."""
    rules = [json.dumps({"product_id": "1eb8", "mdev_type": TYPES, **rule})]
    return open_service(folder, ["a=small"], rules, ALIASES)


def flavors(service: Service) -> None:
    for name in ("quarter", "half"):
        service.flavor(name, {"pci_passthrough:alias": f"{name}:1"})
    service.flavor("both", {"pci_passthrough:alias": "half:1,quarter:1"})


def outcome(service: Service, flavor: str) -> tuple[str, str]:
    """Ask for a server; returns how it ended and why."""
    [one] = service.create(flavor)
    service.wait()
    server = service.show(one)
    return server["status"], server.get("fault", {}).get("message", "")


def cards(service: Service) -> list[dict[str, Any]]:
    [host] = service.call("GET", "/v1/hosts")["hosts"]
    cells = [cell for socket in host["sockets"] for cell in socket["cells"]]
    return [card for cell in cells for card in cell["cards"]]


def test_one_refusal_is_enough_over_a_restart(tmp_path: Path) -> None:
    """The host is asked once; then the chooser knows, and nothing is held back."""
    service = small(tmp_path)
    with service.embedded:
        flavors(service)
        assert not cards(service)[0]["one_type"]
        status, why = outcome(service, "both")
        assert status == "ERROR"
        assert "makes no more mdev" in why
        status, why = outcome(service, "both")
        assert status == "ERROR"
        assert "makes no more mdev" not in why
        assert cards(service)[0]["one_type"]
        reasons = [d["reason"] for card in cards(service) for d in card["devices"]]
        assert not any(reasons)
        service.check_agreement()
    again = small(tmp_path)
    with again.embedded:
        assert cards(again)[0]["one_type"]
        assert "makes no more mdev" not in outcome(again, "both")[1]
        assert outcome(again, "half")[0] == "ACTIVE"
        assert outcome(again, "quarter")[0] == "ERROR"
        again.check_agreement()


def test_who_was_refused_takes_another_card_of_the_same_host(tmp_path: Path) -> None:
    """What the refusal taught is used for the server that met it, too."""
    rule = json.dumps({"product_id": "1eb8", "mdev_type": TYPES})
    alias = json.dumps({"name": "any", "device_type": "type-MDEV"})
    service = open_service(tmp_path, ["a=two-socket-8-cards"], [rule], [alias])
    with service.embedded:
        service.flavor("any", {"pci_passthrough:alias": "any:1"})
        ids = service.create("any", 3)
        service.wait()
        servers = [service.show(one) for one in ids]
        assert [s.get("fault") for s in servers if s["status"] != "ACTIVE"] == []
        service.check_agreement()


def test_a_rule_may_say_it_before(tmp_path: Path) -> None:
    """Then not even the first request is tried on the host."""
    service = small(tmp_path, one_type=True)
    with service.embedded:
        flavors(service)
        assert cards(service)[0]["one_type"]
        status, why = outcome(service, "both")
        assert status == "ERROR"
        assert "makes no more mdev" not in why
        assert outcome(service, "quarter")[0] == "ACTIVE"


def test_a_rule_that_denies_it_is_told_what_was_seen(tmp_path: Path) -> None:
    """The operator's word is followed where the card shows nothing, and doubted."""
    service = small(tmp_path, one_type=False)
    with service.embedded:
        flavors(service)
        assert "makes no more mdev" in outcome(service, "both")[1]
        service.embedded.beat()
        [host] = service.call("GET", "/v1/hosts")["hosts"]
        told = [problem["reason"] for problem in host["problems"]]
        assert any("says one_type false" in reason for reason in told)


@pytest.mark.parametrize(("rule", "is_mixed"), [({}, False), ({"one_type": False}, 1)])
def test_vgpus_are_of_one_size_unless_the_rule_says_otherwise(
    tmp_path: Path, rule: dict[str, Any], is_mixed: int
) -> None:
    """As the driver starts a card; two series of one size stand together anyway."""
    spec = {"product_id": "26b9", "address": "*:17:*.*", "vgpu_type": VGPUS, **rule}
    service = open_service(tmp_path, ["a=vgpu-17"], [json.dumps(spec)], VGPU_ALIASES)
    with service.embedded:
        service.flavor("mixed", {"pci_passthrough:alias": "L40S-24Q:1,L40S-8Q:1"})
        service.flavor("series", {"pci_passthrough:alias": "L40S-8A:1,L40S-8Q:1"})
        service.flavor("24", {"pci_passthrough:alias": "L40S-24Q:1"})
        status, why = outcome(service, "mixed")
        assert status == ("ACTIVE" if is_mixed else "ERROR")
        assert "refused" not in why
        if not is_mixed:
            assert outcome(service, "series")[0] == "ACTIVE"
            # The card mixes sizes: it shows so as soon as one is set.
            assert outcome(service, "24")[0] == "ACTIVE"
            assert not cards(service)[0]["one_type"]
        service.check_agreement()
