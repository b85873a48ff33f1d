"""What every shelf does, the fake one and the database's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from tests.fakes.shelf import FakeShelf

from sundog.core.errors import ConflictError
from sundog.core.projects.keypair import KeyKind, Keypair
from sundog.edges.storage.shelf_table import ShelfTable
from sundog.edges.storage.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sundog.workflows.projects.shelf import Shelf

KEY = Keypair(
    name="k",
    user_id="u1",
    kind=KeyKind.X509,
    public_key="ssh-rsa Ä",
    fingerprint="00:ff",
    created=datetime(2026, 1, 31, 12, 0, 1, 5, tzinfo=UTC),
)


@pytest.fixture(params=["fake", "database"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf[Keypair]]:
    if request.param == "fake":
        yield FakeShelf(_is_over)
        return
    with open_store(f"sqlite:///{tmp_path}/sundog.db") as store:
        yield ShelfTable(store.database, "keypair", Keypair, _is_over)


def _is_over(key: Keypair) -> bool:
    return key.fingerprint == "over"


def test_a_thing_comes_back_as_it_was(shelf: Shelf[Keypair]) -> None:
    assert shelf.get("u1", "k") is None
    assert shelf.change("u1", "k", lambda _: KEY) == KEY
    assert shelf.get("u1", "k") == KEY
    assert shelf.get("u2", "k") is None


def test_things_are_listed_by_owner_and_key(shelf: Shelf[Keypair]) -> None:
    for owner, key in (("b", "1"), ("a", "2"), ("a", "B"), ("a", "a")):
        shelf.change(owner, key, lambda _, n=owner + key: replace(KEY, name=n))  # type: ignore[misc] # mypy cannot tell the default's type
    assert [one.name for one in shelf.list()] == ["a2", "aB", "aa", "b1"]
    assert [one.name for one in shelf.list("b")] == ["b1"]
    assert shelf.list("c") == []


def test_what_is_over_is_told_apart(shelf: Shelf[Keypair]) -> None:
    """As it was written last: it may end, and may begin anew."""
    over = replace(KEY, fingerprint="over")
    for key, one in (("2", KEY), ("1", over), ("3", over), ("4", KEY)):
        shelf.change("a", key, lambda _, one=one: replace(one, name="new"))  # type: ignore[misc] # mypy cannot tell the default's type
    shelf.change("a", "4", lambda _: replace(over, name="ended"))
    shelf.change("a", "3", lambda _: replace(KEY, name="anew"))
    assert [one.name for one in shelf.unfinished()] == ["new", "anew"]
    assert len(shelf.list()) == 4


def test_an_edit_sees_what_is_there_and_may_remove_it(shelf: Shelf[Keypair]) -> None:
    shelf.change("u1", "k", lambda _: KEY)
    seen: list[Keypair | None] = []

    def edit(old: Keypair | None) -> Keypair:
        seen.append(old)
        return replace(KEY, fingerprint="11")

    changed = shelf.change("u1", "k", edit)
    assert seen == [KEY]
    assert changed == shelf.get("u1", "k")
    assert shelf.change("u1", "k", lambda _: None) is None
    assert shelf.get("u1", "k") is None
    assert shelf.change("u1", "k", lambda _: None) is None


def test_an_edit_that_fails_changes_nothing(shelf: Shelf[Keypair]) -> None:
    shelf.change("u1", "k", lambda _: KEY)

    def fail(_: Keypair | None) -> Keypair:
        raise ConflictError("no")

    with pytest.raises(ConflictError):
        shelf.change("u1", "k", fail)
    assert shelf.get("u1", "k") == KEY
