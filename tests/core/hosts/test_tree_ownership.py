"""What others put on a host's tree in Placement stays; what is ours is settled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from tests.core.hosts.tree_hosts import (
    CELL_0,
    CELL_1,
    GPU_PROVIDER,
    HOST,
    host,
    one_type_gpu,
)

from sundog.core.hosts.called_tree import call_for
from sundog.core.hosts.provider_tree import Inventory, Provider, ProviderTree
from sundog.core.hosts.tree_ownership import Found, losing, settled

WITH_GPU = call_for(host(one_type_gpu()), [])
BARE = call_for(host(), [])
OTHERS = UUID(int=99)


def _with(tree: ProviderTree, *providers: Provider) -> ProviderTree:
    return ProviderTree({**tree.providers, **ProviderTree.of(providers).providers})


def _found(tree: ProviderTree, **rest: Any) -> Found:
    return replace(Found(tree=tree, used={}), **rest)


def test_a_tree_as_wanted_or_not_yet_there_settles_as_wanted() -> None:
    """Nothing is invented."""
    assert settled(_found(WITH_GPU), WITH_GPU) == WITH_GPU
    assert settled(_found(ProviderTree()), WITH_GPU) == WITH_GPU


def test_traits_and_classes_of_others_stay_on_our_providers() -> None:
    """Ours go when they are no longer wanted, others' never."""
    gpu = WITH_GPU.providers[GPU_PROVIDER]
    touched = replace(
        gpu,
        inventories={
            "VGPU": Inventory.of(1),
            "CUSTOM_PCI_OLD": Inventory.of(1),
            "CUSTOM_LICENCE": Inventory.of(3),
        },
        traits=frozenset({"CUSTOM_MDEV_TYPE_OLD", "CUSTOM_OPERATORS", "OWNER_CYBORG"}),
    )
    made = settled(_found(_with(WITH_GPU, touched)), WITH_GPU)
    assert made.providers[GPU_PROVIDER] == replace(
        gpu,
        inventories={**gpu.inventories, "CUSTOM_LICENCE": Inventory.of(3)},
        traits=gpu.traits | {"CUSTOM_OPERATORS", "OWNER_CYBORG"},
    )


def test_names_that_we_wrote_before_are_ours() -> None:
    """A rule's own class and trait go when the rule no longer gives them."""
    gpu = WITH_GPU.providers[GPU_PROVIDER]
    touched = replace(
        gpu,
        inventories={**gpu.inventories, "CUSTOM_GOLD": Inventory.of(1)},
        traits=gpu.traits | {"CUSTOM_GOLDEN"},
    )
    found = _found(
        _with(WITH_GPU, touched), written=frozenset({"CUSTOM_GOLD", "CUSTOM_GOLDEN"})
    )
    assert settled(found, WITH_GPU) == WITH_GPU


def test_a_class_that_is_held_stays_reserved_until_freed() -> None:
    """Placement refuses to drop it, and nobody may take more of it."""
    wanted = replace(WITH_GPU.providers[GPU_PROVIDER], inventories={})
    made = settled(
        _found(WITH_GPU, used={GPU_PROVIDER: {"VGPU": 1}}), _with(WITH_GPU, wanted)
    )
    assert made.providers[GPU_PROVIDER].inventories == {
        "VGPU": Inventory.of(4, reserved=4)
    }


def test_a_provider_that_is_held_stays_reserved_until_freed() -> None:
    """Then it goes, at a later report."""
    assert settled(_found(WITH_GPU), BARE) == BARE
    made = settled(_found(WITH_GPU, used={GPU_PROVIDER: {"VGPU": 1}}), BARE)
    assert made.providers[GPU_PROVIDER].inventories == {
        "VGPU": Inventory.of(4, reserved=4)
    }


def test_providers_of_others_stay_with_what_bears_them() -> None:
    """A cell of ours that another's provider hangs under is kept, empty."""
    theirs = Provider(
        uuid=OTHERS,
        name="h1_cell1_bandwidth",
        parent=CELL_1,
        inventories={"NET_BW_EGR_KILOBIT_PER_SEC": Inventory.of(1000)},
    )
    one_cell = call_for(host(cells=host().cells[:1]), [])
    made = settled(_found(_with(BARE, theirs)), one_cell)
    assert made.providers[OTHERS] == theirs
    assert made.providers[CELL_1].inventories == {}
    assert set(made.providers) == {HOST, CELL_0, CELL_1, OTHERS}


def test_nothing_is_ours_when_nothing_is_wanted() -> None:
    """An empty tree names no root, so that no provider is known as its own."""
    assert settled(_found(WITH_GPU), ProviderTree()) == WITH_GPU


def test_providers_that_lose_something_are_told() -> None:
    """Only of those must the usage be read."""
    wanted = replace(BARE.providers[CELL_0], inventories={})
    assert losing(WITH_GPU, WITH_GPU) == ()
    assert set(losing(WITH_GPU, _with(BARE, wanted))) == {CELL_0, GPU_PROVIDER}
