"""Changes lead from any provider tree to any other, in Placement's order."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from sundog.core.hosts.provider_tree import Inventory, Provider, ProviderTree
from sundog.core.hosts.tree_changes import Change, Create, Move, Remove, apply, diff

INVENTORIES = st.dictionaries(
    st.sampled_from(["VCPU", "VGPU", "CUSTOM_X"]),
    st.integers(1, 9).map(Inventory.of),
    max_size=2,
)
TRAITS = st.frozensets(st.sampled_from(["CUSTOM_A", "CUSTOM_B"]))
ROOT = UUID(int=1)


@st.composite
def trees(draw: st.DrawFn) -> ProviderTree:
    """Draw trees of up to seven providers under one root, or an empty one."""
    numbers = draw(st.permutations(range(2, 8)))[: draw(st.integers(0, 6))]
    above = [ROOT]
    providers = []
    for number in numbers:
        providers.append(
            Provider(
                uuid=UUID(int=number),
                name=draw(st.sampled_from(["first", "second"])) + str(number),
                parent=draw(st.sampled_from(above)),
                inventories=draw(INVENTORIES),
                traits=draw(TRAITS),
            )
        )
        above.append(UUID(int=number))
    if not providers and draw(st.booleans()):
        return ProviderTree()
    return ProviderTree.of([Provider(uuid=ROOT, name="host"), *providers])


def _parents(tree: ProviderTree) -> dict[UUID, UUID | None]:
    return {uuid: provider.parent for uuid, provider in tree.providers.items()}


def _accept(change: Change, parents: dict[UUID, UUID | None]) -> None:
    """Refuse what Placement would refuse."""
    match change:
        case Create(uuid, _, parent):
            assert uuid not in parents
            assert parent is None or parent in parents
            parents[uuid] = parent
        case Move(uuid, _, parent):
            above = parent
            while above is not None:
                assert above != uuid, "a loop"
                above = parents[above]
            parents[uuid] = parent
        case Remove(uuid):
            assert uuid not in parents.values(), "it has children"
            del parents[uuid]
        case _:
            assert change.uuid in parents


@settings(max_examples=200, derandomize=True, deadline=None)
@given(trees(), trees())
def test_changes_lead_from_one_tree_to_the_other(
    a: ProviderTree, b: ProviderTree
) -> None:
    """``apply(diff(a, b), a) == b``, each step one that Placement accepts."""
    changes = diff(a, b)
    assert apply(changes, a) == b
    parents = _parents(a)
    for change in changes:
        _accept(change, parents)
    assert parents == _parents(b)


@settings(max_examples=50, derandomize=True, deadline=None)
@given(trees())
def test_equal_trees_need_no_change(tree: ProviderTree) -> None:
    """A tree is reached from itself without a change."""
    assert diff(tree, ProviderTree(dict(tree.providers))) == ()


def test_providers_come_parents_first_and_go_children_first() -> None:
    """Built from nothing and taken down to nothing, parents outlive children."""
    root = Provider(uuid=ROOT, name="z")
    child = Provider(uuid=UUID(int=2), name="a", parent=ROOT)
    tree = ProviderTree.of([child, root])
    assert [each.uuid for each in diff(ProviderTree(), tree)] == [ROOT, child.uuid]
    assert [each.uuid for each in diff(tree, ProviderTree())] == [child.uuid, ROOT]


def test_parent_and_child_may_change_places() -> None:
    """A swap moves the new parent away first, so that no loop is made."""
    root = Provider(uuid=ROOT, name="host")
    upper = Provider(uuid=UUID(int=2), name="upper", parent=ROOT)
    lower = Provider(uuid=UUID(int=3), name="lower", parent=upper.uuid)
    swapped = [root, replace(lower, parent=ROOT), replace(upper, parent=lower.uuid)]
    changes = diff(ProviderTree.of([root, upper, lower]), ProviderTree.of(swapped))
    assert [each.uuid for each in changes] == [lower.uuid, upper.uuid]


def test_an_empty_tree_has_no_root() -> None:
    """A host that is not in Placement yet is the empty tree."""
    assert ProviderTree().root is None
