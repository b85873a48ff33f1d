"""A report writes what differs, by generation, and leaves alone what others wrote."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from sundog.core.errors import ClaimConflictError
from sundog.core.hosts.provider_tree import (
    Inventory,
    Provider,
    ProviderTree,
    provider_uuid,
)
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.sessions import inside_session
from sundog.workflows.ports import Owner

if TYPE_CHECKING:
    from tests.fakes.placement_front import Front

    from sundog.edges.placement.calls import Calls

OWNER = Owner(project_id="demo", user_id="ann")


def _root(*traits: str, **inventories: Inventory) -> Provider:
    uuid = uuid4()
    return Provider(
        uuid=uuid,
        name=f"host-{uuid}",
        inventories=inventories or {"DISK_GB": Inventory.of(10)},
        traits=frozenset({"CUSTOM_OWNER_SUNDOG", *traits}),
    )


def _with(root: Provider, **inventories: Inventory) -> ProviderTree:
    return ProviderTree.of([replace(root, inventories=inventories)])


def _inventories(calls: Calls, uuid: UUID) -> dict[str, int]:
    listed = calls.get(f"/resource_providers/{uuid}/inventories")["inventories"]
    return {name: fields["total"] for name, fields in listed.items()}


def _traits(calls: Calls, uuid: UUID) -> set[str]:
    return set(calls.get(f"/resource_providers/{uuid}/traits")["traits"])


def _add_trait(calls: Calls, uuid: UUID, trait: str) -> None:
    path = f"/resource_providers/{uuid}/traits"
    listed = calls.get(path)
    assert calls.call("PUT", f"/traits/{trait}").ok
    assert calls.call("PUT", path, {**listed, "traits": [*listed["traits"], trait]}).ok


def test_a_tree_that_is_already_so_costs_one_reading(
    ledger: PlacementLedger, front: Front
) -> None:
    tree = ProviderTree.of([_root()])
    ledger.report(tree)
    ledger.report(tree)
    front.asked.clear()
    ledger.report(tree)
    assert front.asked == ["GET /resource_providers"]


def test_another_process_that_reports_the_same_writes_nothing(
    ledger: PlacementLedger, front: Front
) -> None:
    tree = ProviderTree.of([_root("CUSTOM_GOLD", CUSTOM_SLICE=Inventory.of(2))])
    ledger.report(tree)
    front.asked.clear()
    PlacementLedger(inside_session(front)).report(tree)
    assert front.writes == []


def test_what_others_wrote_to_our_providers_stays(
    ledger: PlacementLedger, others: Calls
) -> None:
    root = _root("CUSTOM_MDEV_TYPE_OLD", VGPU=Inventory.of(1))
    ledger.report(ProviderTree.of([root]))
    _add_trait(others, root.uuid, "CUSTOM_OPERATORS")
    path = f"/resource_providers/{root.uuid}/inventories"
    added = {"resource_class": "NET_BW_EGR_KILOBIT_PER_SEC", "total": 7}
    generation = others.get(path)["resource_provider_generation"]
    body = {**added, "resource_provider_generation": generation}
    assert others.call("POST", path, body).ok
    later = replace(
        root,
        inventories={"DISK_GB": Inventory.of(5)},
        traits=frozenset({"CUSTOM_OWNER_SUNDOG"}),
    )
    ledger.report(ProviderTree.of([later]))
    assert _inventories(others, root.uuid) == {
        "DISK_GB": 5,
        "NET_BW_EGR_KILOBIT_PER_SEC": 7,
    }
    assert _traits(others, root.uuid) == {"CUSTOM_OWNER_SUNDOG", "CUSTOM_OPERATORS"}


def test_providers_of_others_in_our_tree_stay(
    ledger: PlacementLedger, others: Calls
) -> None:
    root = _root()
    ledger.report(ProviderTree.of([root]))
    theirs = uuid4()
    body = {
        "uuid": str(theirs),
        "name": f"theirs-{theirs}",
        "parent_provider_uuid": str(root.uuid),
    }
    assert others.call("POST", "/resource_providers", body).ok
    ledger.report(_with(root, DISK_GB=Inventory.of(11)))
    assert others.call("GET", f"/resource_providers/{theirs}").ok


def test_classes_and_traits_that_the_rules_gave_go_when_they_no_longer_do(
    ledger: PlacementLedger, others: Calls
) -> None:
    root = _root("CUSTOM_GOLDEN", CUSTOM_GOLD=Inventory.of(1))
    ledger.report(ProviderTree.of([root]))
    assert "CUSTOM_GOLDEN" in _traits(others, root.uuid)
    plain = replace(
        root, inventories={}, traits=frozenset({"CUSTOM_OWNER_SUNDOG", "HW_NUMA_ROOT"})
    )
    ledger.report(ProviderTree.of([plain]))
    assert _inventories(others, root.uuid) == {}
    assert _traits(others, root.uuid) == {"CUSTOM_OWNER_SUNDOG", "HW_NUMA_ROOT"}


def test_a_standard_trait_that_placement_does_not_know_is_left_out(
    ledger: PlacementLedger, others: Calls, front: Front
) -> None:
    tree = ProviderTree.of([root := _root("HW_FROM_THE_FUTURE")])
    ledger.report(tree)
    assert _traits(others, root.uuid) == {"CUSTOM_OWNER_SUNDOG"}
    front.asked.clear()
    ledger.report(tree)
    assert {"PUT /traits/HW_FROM_THE_FUTURE"} >= set(front.writes)


def test_a_host_renamed_keeps_its_provider(
    ledger: PlacementLedger, others: Calls
) -> None:
    root = _root()
    ledger.report(ProviderTree.of([root]))
    ledger.report(ProviderTree.of([replace(root, name=f"new-{root.uuid}")]))
    answer = others.get(f"/resource_providers/{root.uuid}")
    assert answer["name"] == f"new-{root.uuid}"


def test_a_change_between_reading_and_writing_is_read_again(
    ledger: PlacementLedger, others: Calls, front: Front
) -> None:
    """The other's trait is there afterwards, and so is our inventory."""
    root = _root()
    ledger.report(ProviderTree.of([root]))
    meddled: list[str] = []

    def meddle(asked: str) -> None:
        if asked.startswith("PUT") and not meddled:
            meddled.append(asked)
            _add_trait(others, root.uuid, "CUSTOM_JUST_NOW")

    front.before = meddle
    ledger.report(_with(root, DISK_GB=Inventory.of(12)))
    assert _inventories(others, root.uuid) == {"DISK_GB": 12}
    assert "CUSTOM_JUST_NOW" in _traits(others, root.uuid)


def test_retries_are_bounded(ledger: PlacementLedger, front: Front) -> None:
    root = _root()
    ledger.report(ProviderTree.of([root]))
    front.before = lambda asked: "409 Conflict" if asked.startswith("PUT") else None
    front.asked.clear()
    with pytest.raises(ClaimConflictError, match=r"4 times, .* as the test says"):
        ledger.report(_with(root, DISK_GB=Inventory.of(12)))
    assert len(front.writes) == 4


def test_a_name_that_another_provider_has_is_told(ledger: PlacementLedger) -> None:
    """A reinstalled host of the same name and a new uuid meets its old provider."""
    root = _root()
    ledger.report(ProviderTree.of([root]))
    with pytest.raises(ClaimConflictError, match=rf"{root.name}.*name"):
        ledger.report(ProviderTree.of([replace(root, uuid=uuid4())]))


def test_a_provider_removed_meanwhile_is_no_conflict(
    ledger: PlacementLedger, others: Calls, front: Front
) -> None:
    root = _root()
    name = f"{root.name}_card"
    from_name = Provider(
        uuid=provider_uuid(root.uuid, name), name=name, parent=root.uuid
    )
    ledger.report(ProviderTree.of([root, from_name]))
    path = f"/resource_providers/{from_name.uuid}"

    def remove_first(asked: str) -> None:
        if asked == f"DELETE {path}":
            assert others.call("DELETE", path).ok

    front.before = remove_first
    ledger.report(ProviderTree.of([root]))
    assert not others.call("GET", path).ok


def test_a_claim_that_met_another_writer_is_written_again(
    ledger: PlacementLedger, front: Front
) -> None:
    """Only while its consumer holds nothing, and at most four times."""
    root = _root()
    ledger.report(ProviderTree.of([root]))
    conflicts = ["409 Conflict"] * 3
    front.body = b'{"errors": [{"code": "placement.concurrent_update"}]}'

    def conflict(asked: str) -> str | None:
        write = asked.startswith(("PUT", "DELETE"))
        return conflicts.pop() if write and conflicts else None

    front.before = conflict
    consumer = uuid4()
    ledger.claim(consumer, {root.uuid: {"DISK_GB": 1}}, OWNER)
    conflicts += ["409 Conflict"] * 3
    ledger.release(consumer)
    assert ledger.allocation(consumer) == {}
    conflicts += ["409 Conflict"] * 8
    with pytest.raises(ClaimConflictError):
        ledger.claim(consumer, {root.uuid: {"DISK_GB": 1}}, OWNER)
    assert len(conflicts) == 4
    with pytest.raises(ClaimConflictError, match="did not release"):
        ledger.release(consumer)
    assert conflicts == []
