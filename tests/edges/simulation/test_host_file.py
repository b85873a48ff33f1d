"""A host file is read whole, or refused with every problem at once."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sundog.core.devices.pci_address import PciAddress
from sundog.core.errors import BadConfigurationError, NotFoundError
from sundog.edges.simulation import host_file
from sundog.edges.simulation.host_file import parse_host, read_host_file
from sundog.edges.simulation.host_model import (
    CardModel,
    CellModel,
    Fault,
    FaultKind,
    HostModel,
    MdevModel,
    Sharing,
    TypeModel,
    VfsModel,
)
from sundog.edges.simulation.shipped import shipped_host, shipped_hosts

ROOT = Path(__file__).parents[3]
SHORT = """
name = "h"
[[cells]]
cpus = "0-1"
memory_mb = 1024
"""
CARD = """
[[cards]]
address = "17:00.0"
vendor = "10de"
product = "1eb8"
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(BadConfigurationError) as caught:
        parse_host(text)
    return caught.value.problems


def test_the_shortest_host() -> None:
    """A name and a cell make a host; everything else has a default."""
    assert parse_host(SHORT) == HostModel(
        name="h",
        cells=(
            CellModel(
                id=0,
                socket=0,
                cores=(frozenset({0}), frozenset({1})),
                memory_mb=1024,
            ),
        ),
    )


def test_the_documented_example() -> None:
    """The example in the module's documentation means what it says."""
    text = dedent((host_file.__doc__ or "").partition("::\n")[2])
    vfs = VfsModel(count=8, at_boot=8, product="154c", netdev="ens1f0v{n}")
    mdev = MdevModel(
        sharing=Sharing.MIXED,
        memory_mb=16384,
        types=(
            TypeModel(id="nvidia-222", name="GRID T4-1B", size_mb=1024, instances=16),
        ),
    )
    cards = tuple(
        CardModel(
            address=PciAddress.parse(address),
            vendor="10de",
            product="1eb8",
            node=0,
            vfs=vfs,
            mdev=mdev,
        )
        for address in ("0000:17:00.0", "0000:65:00.0")
    )
    assert parse_host(text) == HostModel(
        name="small",
        disk_gb=200,
        libvirt_version=9_000_000,
        cpu_shared_set=frozenset(range(4)),
        cpu_dedicated_set=frozenset(range(4, 8)),
        cells=(
            CellModel(
                id=0,
                socket=0,
                cores=tuple(frozenset({n, n + 4}) for n in range(4)),
                memory_mb=16384,
                reserved_mb=1024,
                pages=((2048, 2048), (1048576, 4)),
            ),
        ),
        cards=cards,
        faults=(Fault(kind=FaultKind.CREATE_FAILS, card=cards[0].address, times=1),),
    )


def test_the_how_to_is_a_host_file() -> None:
    """The page that explains the keys uses all of them, and can be used itself."""
    page = (ROOT / "docs" / "how-to" / "host-files.md").read_text()
    host = parse_host(page.split("```toml\n")[1].split("```")[0])
    assert (len(host.cells), len(host.cards), len(host.faults)) == (2, 4, 1)
    for kind in FaultKind:
        assert kind.value in page


@pytest.mark.parametrize("name", shipped_hosts())
def test_shipped_hosts_are_sound(name: str) -> None:
    """Each carries its own name, says what it is, and has cards."""
    host = read_host_file(shipped_host(name))
    assert host.name == name
    assert host.description
    assert host.cards
    assert host.cpu_shared_set
    assert host.cpu_dedicated_set


def test_five_hosts_are_shipped() -> None:
    """A name that is not one of them is refused with those that are."""
    names = ("mixed", "small", "snc", "two-socket-8-cards", "vgpu-17")
    assert shipped_hosts() == names
    with pytest.raises(NotFoundError, match="there are mixed, small"):
        shipped_host("../small")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "name: is missing"),
        ("", "cells: are missing; write at least one [[cells]]"),
        ('name = "a b"', "name: must be 1 to 63 letters, digits, dots and dashes"),
        ("name = 3", "name: must be a line of text, not 3"),
        ('name = "' + "a" * 300 + '"', "name: must have 1 to 255 characters"),
        ('disk_gb = "x"' + SHORT, "disk_gb: must be a whole number, not 'x'"),
        ("disk_gb = true" + SHORT, "disk_gb: must be a whole number, not True"),
        ("disk_gb = -1" + SHORT, "disk_gb: must be from 0 to 1000000000, not -1"),
        ("disk = 1" + SHORT, "disk: is not a key here; did you mean disk_gb?"),
        ('libvirt = "9"' + SHORT, "libvirt: '9' is not a version like 9.0.0"),
        ("cells = 3", "cells[1]: must be a table, not 3"),
        (SHORT + "cores = 2", "cells[1].cores: is not a key here (known: cpus, "),
        (
            SHORT.replace('"0-1"', '"0-1,1"'),
            "cells[1].cpus: '0-1,1' names a CPU twice",
        ),
        (
            SHORT.replace('"0-1"', '"0-x"'),
            "cells[1].cpus: '0-x' is not a CPU list like 0-3,8",
        ),
        (SHORT.replace('"0-1"', '"3-1"'), "cells[1].cpus: '3-1' must go up, and"),
        (SHORT + "threads = 4", "cells[1].threads: 2 CPUs do not make cores of 4"),
        (SHORT + "pages = { 2M = 513 }", "cells[1].memory_mb: 1024 does not hold the"),
        (SHORT + "pages = { 2X = 1 }", "cells[1].pages.2X: is not a page size like 2M"),
        (SHORT + "[[cells", "it is not TOML: "),
        (
            SHORT + '[[cells]]\ncpus = "1"\nmemory_mb = 1',
            "cells: CPU 1 is in cell 0 and in cell 1",
        ),
        (
            'cpu_shared_set = "0-1"\ncpu_dedicated_set = "1"' + SHORT,
            "cpu_dedicated_set: shares CPU 1 with cpu_shared_set",
        ),
        ('cpu_shared_set = "7"' + SHORT, "cpu_shared_set: CPU 7 is in no cell"),
        (SHORT + "[[cards]]", "cards[1].address: is missing; write one, or a list"),
        (SHORT + "[[cards]]", "cards[1].vendor: is missing"),
        (SHORT + CARD + "node = 1", "cards[1].node: there is no cell 1"),
        (SHORT + CARD + CARD, "cards: two functions are at 0000:17:00.0"),
        (
            SHORT + CARD.replace("17:00.0", "zz"),
            "cards[1].address: 'zz' is not a PCI address like 0000:84:00.0",
        ),
        (
            SHORT + CARD.replace("10de", "nvidia"),
            "cards[1].vendor: 'nvidia' is not a PCI id of 4 hex digits",
        ),
        (SHORT + CARD + 'class = "3d"', "cards[1].class: '3d' is not a PCI class"),
        (
            SHORT + CARD + "mdev = { on_vfs = true }",
            "cards[1].mdev.on_vfs: needs vfs; write vfs = { count",
        ),
        (SHORT + CARD + "mdev = {}", "cards[1].mdev.types: are missing; write at"),
        (
            SHORT + CARD + "mdev = { on_vfs = 1 }",
            "cards[1].mdev.on_vfs: must be true or false, not 1",
        ),
        (
            SHORT + CARD + 'mdev = { sharing = "fair" }',
            "cards[1].mdev.sharing: must be one of mixed, one-type, not 'fair'",
        ),
        (
            SHORT + CARD + "[cards.mdev]\nmemory_mb = 10\n[[cards.mdev.types]]\n"
            'id = "t"\nsize_mb = 6\ninstances = 2',
            "cards[1].mdev.memory_mb: 10 does not hold the 2 instances of 6 that t",
        ),
        (
            SHORT + CARD + "[cards.mdev]\n[[cards.mdev.types]]\n"
            'id = "t"\ninstances = 2\n[[cards.mdev.types]]\nid = "t"\ninstances = 2',
            "cards[1].mdev.types: name an id twice",
        ),
        (
            SHORT + CARD + "vgpu = { memory_mb = 10 }",
            "cards[1].vgpu.types: are missing; write at least one",
        ),
        (SHORT + CARD + "vgpu = {}", "cards[1].vgpu: needs vfs; write vfs = { count"),
        (
            SHORT + CARD + "mdev = {}\nvgpu = {}",
            "cards[1].vgpu: stands beside mdev; a card makes one or the other",
        ),
        (
            SHORT + CARD + "[cards.vgpu]\nmemory_mb = 10\n[[cards.vgpu.types]]\n"
            'id = 1\nname = "L4-1Q"\nsize_mb = 11',
            "cards[1].vgpu.memory_mb: 10 does not hold one L4-1Q",
        ),
        (
            SHORT + CARD + "[cards.vgpu]\n[[cards.vgpu.types]]\nid = 1\n"
            "[[cards.vgpu.types]]\nid = 1",
            "cards[1].vgpu.types: name an id twice",
        ),
        (
            SHORT + CARD + 'vfs = { count = 2, product = "154c", netdev = "eth" }',
            "cards[1].vfs.netdev: must hold {n}, which stands for the VF's number",
        ),
        (
            SHORT.replace("memory_mb", "distances = [10, 21]\nmemory_mb"),
            "cells: cell 0 has not a distance for each cell",
        ),
        (
            SHORT.replace("memory_mb", "distances = [10.5]\nmemory_mb"),
            "cells[1].distances: must be numbers from 10 to 254, one for each cell",
        ),
        (
            SHORT + CARD + 'vfs = { count = 2, at_boot = 3, product = "154c" }',
            "cards[1].vfs.at_boot: must be from 0 to 2, not 3",
        ),
        (
            SHORT
            + CARD.replace("17:00.0", "ff:1f.7")
            + 'vfs = { count = 2, product = "154c" }',
            "cards: 0000:ff:1f.7: VF 0 falls off the last bus",
        ),
        (
            SHORT + CARD + "[[cards]]\n" + f"address = {['1:0.0'] * 256}\n"
            'vendor = "10de"\nproduct = "1eb8"',
            "cards: must be at most 256, not 257",
        ),
        (
            SHORT + '[[faults]]\nkind = "boom"\ncard = "17:00.0"',
            "faults[1].kind: must be one of create-fails, ",
        ),
        (SHORT + '[[faults]]\ncard = "17:00.0"', "faults[1].card: must be one of none"),
        (
            "faults = [" + "{}," * 65 + "]" + SHORT,
            "faults: must have at most 64 entries, not 65",
        ),
    ],
)
def test_a_problem_names_its_key_and_the_way_out(text: str, expected: str) -> None:
    """One line for each problem, with the place, the value and what would do."""
    found = problems(text)
    assert any(each.startswith(expected) for each in found), found
    assert all("\n" not in each for each in found)


def test_all_problems_are_told_at_once() -> None:
    """Whoever writes a file mends it in one round."""
    text = SHORT.replace("1024", "-1") + CARD.replace("10de", "x") + "node = 5"
    assert problems("disk_gb = -1" + text) == (
        "cells[1].memory_mb: must be from 0 to 67108864, not -1",
        "cards[1].vendor: 'x' is not a PCI id of 4 hex digits",
        "cards[1].node: there is no cell 5",
        "disk_gb: must be from 0 to 1000000000, not -1",
    )


def test_many_problems_are_told_in_part() -> None:
    """A file that is wrong all over does not flood the terminal."""
    found = problems(SHORT + "[[cells]]\n" * 63)
    assert len(found) == 51
    assert found[-1] == "and 13 problems more"


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """Missing, binary, too large or wrong: each line begins with the path."""
    path = tmp_path / "host.toml"
    for data, reason in (
        (None, "cannot be read: No such file"),
        (b"\xff", "is not UTF-8 text"),
        (b"#" * 1_000_001, "is larger than 1000000 bytes"),
        (b"a = ", "it is not TOML"),
        (b"[" * 100_000, "it is not TOML"),
    ):
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(BadConfigurationError) as caught:
            read_host_file(path)
        assert str(caught.value).startswith(f"{path}: {reason}")


KEYS = [
    "name",
    "cells",
    "cards",
    "cpus",
    "memory_mb",
    "threads",
    "pages",
    "address",
    "vendor",
    "vfs",
    "mdev",
    "types",
    "id",
    "count",
    "product",
    "sharing",
    "instances",
    "faults",
    "card",
    "kind",
    "2M",
]
TOML = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["0-3", "17:00.0", "10de", "0000:17:00.0", "mixed"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=8,
        )
    ),
    max_leaves=30,
)


@given(TOML)
@settings(max_examples=150, derandomize=True)
def test_no_content_crashes_the_reader(data: object) -> None:
    """Whatever a file holds, it is a host or a list of problems."""
    found: list[str] = []
    host = host_file.host_of(data, found)
    assert bool(found) or host.cells
    assert all("\n" not in each for each in found)
