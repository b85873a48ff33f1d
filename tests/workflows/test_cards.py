"""What a card showed is kept for the times when it does not show it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from tests.fakes.shelf import FakeShelf

from sundog.core.devices.card_notes import CardNotes, NotedType
from sundog.core.devices.device import (
    DeviceKind,
    Mdev,
    MdevType,
    PciFunction,
    VgpuPart,
)
from sundog.core.devices.pci_address import PciAddress
from sundog.core.hosts.host_snapshot import HostFacts
from sundog.edges.storage.store import open_store
from sundog.workflows.devices.cards import CardBook, NoMemory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sundog.workflows.projects.shelf import Shelf

CARD = PciAddress.parse("0000:17:00.0")
EIGHT = MdevType(id="1152", name="L40S-8Q", available=1, size_mb=8192)
WHOLE = MdevType(id="1156", name="L40S-48Q", available=1, size_mb=49152)


def vf(number: int, *types: MdevType, current: str = "") -> PciFunction:
    return PciFunction(
        address=replace(CARD, function=4 + number),
        vendor_id="10de",
        product_id="26b9",
        kind=DeviceKind.VF,
        parent=CARD,
        vgpu=VgpuPart(current=current, types=types),
    )


def facts(*functions: PciFunction, host: str = "h1") -> HostFacts:
    return HostFacts(name=host, uuid=UUID(int=1), cells=(), functions=functions)


EMPTY = facts(vf(0, EIGHT, WHOLE), vf(1, EIGHT, WHOLE))
USED = facts(vf(0, MdevType(id="1152"), current="1152"), vf(1, EIGHT))


def totals(found: HostFacts) -> list[tuple[str, int | None]]:
    return [(kind.id, kind.total) for kind in found.functions[1].types]


def test_a_card_is_known_over_a_restart(tmp_path: Path) -> None:
    """Seen empty once, it is known when it is used; another host's is not."""
    with open_store(f"sqlite:///{tmp_path}/sundog.db") as store:
        assert totals(CardBook(store.cards).complete(EMPTY)) == [
            ("1152", 6),
            ("1156", 1),
        ]
    with open_store(f"sqlite:///{tmp_path}/sundog.db") as store:
        book = CardBook(store.cards)
        assert totals(book.complete(USED)) == [("1152", 6), ("1156", 1)]
        assert totals(book.complete(replace(USED, name="h2"))) == [("1152", 2)]


def test_only_what_is_new_is_written() -> None:
    """A scan that tells what is known already costs no write."""
    shelf: FakeShelf[CardNotes] = FakeShelf()
    writes = []

    class Counting:
        """A shelf that counts its writes."""

        def __getattr__(self, name: str) -> object:
            return getattr(shelf, name)

        def change(
            self,
            owner: str,
            key: str,
            edit: Callable[[CardNotes | None], CardNotes | None],
        ) -> CardNotes | None:
            writes.append((owner, key))
            return shelf.change(owner, key, edit)

    counting: Shelf[CardNotes] = Counting()  # type: ignore[assignment]  # it passes the rest on
    book = CardBook(counting)
    for found in (EMPTY, USED, EMPTY, facts()):
        book.complete(found)
    # An empty card that lists nothing is not ready rather than without types.
    assert totals(book.complete(facts(vf(0), vf(1)))) == [("1152", 6), ("1156", 1)]
    assert writes == [("h1", str(CARD))]
    assert shelf.list() == [
        CardNotes(
            host="h1",
            address=str(CARD),
            types=(
                NotedType(id="1152", name="L40S-8Q", size_mb=8192),
                NotedType(id="1156", name="L40S-48Q", size_mb=49152),
            ),
        )
    ]


T4 = PciFunction(
    address=PciAddress.parse("0000:31:00.0"),
    vendor_id="10de",
    product_id="1eb8",
    kind=DeviceKind.PCI,
    mdev_types=(
        MdevType(id="a", available=3, total=4),
        MdevType(id="b", available=0, total=2),
    ),
)
MDEV = Mdev(uuid=UUID(int=1), type_id="a", parent=T4.address)


def test_a_mode_is_learnt_once_and_told_ever_after() -> None:
    """Until the card shows the contrary; a card without vGPUs is noted too."""
    shelf: FakeShelf[CardNotes] = FakeShelf()
    book = CardBook(shelf)
    empty = facts(T4)
    assert book.complete(empty).one_type == {}
    assert not book.learn(empty)
    assert book.learn(replace(empty, mdevs=(MDEV,)))
    assert not book.learn(replace(empty, mdevs=(MDEV,)))
    assert CardBook(shelf).complete(empty).one_type == {T4.address: True}
    assert CardBook(shelf).complete(replace(empty, name="h2")).one_type == {}
    mixes = tuple(replace(kind, available=1) for kind in T4.mdev_types)
    mixed = facts(replace(T4, mdev_types=mixes))
    assert book.learn(replace(mixed, mdevs=(MDEV,)))
    assert book.complete(empty).one_type == {T4.address: False}


def test_a_vgpus_mode_and_types_are_noted_together() -> None:
    """A card of one size lists the size that is set, and nothing else."""
    book = CardBook(FakeShelf())
    small = MdevType(id="1147", name="L40S-1Q", available=1, size_mb=1024)
    empty = facts(vf(0, small, EIGHT, WHOLE), vf(1, small, EIGHT, WHOLE))
    book.complete(empty)
    assert book.learn(USED)
    told = book.complete(empty)
    assert told.one_type == {CARD: True}
    assert totals(told) == [("1147", 48), ("1152", 6), ("1156", 1)]


def test_without_a_memory_a_scan_is_what_it_is() -> None:
    """A host of its own may do without."""
    assert NoMemory().complete(USED) == USED
    assert not NoMemory().learn(USED)
