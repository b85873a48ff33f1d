"""Host files: a simulated host in TOML.

A short one::

    name = "small"
    disk_gb = 200
    libvirt = "9.0.0"
    cpu_shared_set = "0-3"
    cpu_dedicated_set = "4-7"

    [[cells]]                      # numbered from 0 in order
    socket = 0
    cpus = "0-7"
    threads = 2                    # 0-7 in 2 threads a core: 0+4, 1+5, 2+6, 3+7
    memory_mb = 16384
    reserved_mb = 1024             # kept for the host
    pages = { 2M = 2048, 1G = 4 }  # how many; they are part of memory_mb

    [[cards]]
    address = ["0000:17:00.0", "0000:65:00.0"]  # one card each, otherwise alike
    vendor = "10de"
    product = "1eb8"
    node = 0                       # leave it out when the firmware does not tell
    mdev = { sharing = "mixed", memory_mb = 16384, types = [
      { id = "nvidia-222", name = "GRID T4-1B", size_mb = 1024, instances = 16 },
    ] }
    vfs = { count = 8, product = "154c", netdev = "ens1f0v{n}" }

    [[faults]]
    kind = "create-fails"
    card = "0000:17:00.0"
    times = 1
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Final

from sundog.core.errors import BadConfigurationError
from sundog.edges.simulation.card_tables import read_cards
from sundog.edges.simulation.host_model import CellModel, Fault, FaultKind, HostModel
from sundog.edges.simulation.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from sundog.edges.simulation.host_model import CardModel

MOST_BYTES: Final = 1_000_000
MOST_PROBLEMS: Final = 50
MOST_CELLS: Final = 64
MOST_CPUS: Final = 4096
MOST_FAULTS: Final = 64
_MOST_MB: Final = 64 * 1024 * 1024
_MOST_PAGES: Final = 2**30
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?", re.ASCII)
_VERSION: Final = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})", re.ASCII)
_UNREACHABLE: Final = 255
_PAGE: Final = re.compile(r"([1-9][0-9]{0,8})([KMG])", re.ASCII)
_KIB: Final = {"K": 1, "M": 1024, "G": 1024 * 1024}
_NO_CPUS: Final[tuple[int, ...]] = ()
_RANGE: Final = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", re.ASCII)


def read_host_file(path: Path) -> HostModel:
    """Read a host file; raises BadConfigurationError with all of its problems."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadConfigurationError(
            f"{path}: cannot be read: {error.strerror}"
        ) from error
    if len(data) > MOST_BYTES:
        raise BadConfigurationError(f"{path}: is larger than {MOST_BYTES} bytes")
    try:
        return parse_host(data.decode())
    except UnicodeDecodeError as error:
        raise BadConfigurationError(f"{path}: is not UTF-8 text") from error
    except BadConfigurationError as error:
        raise BadConfigurationError(
            *(f"{path}: {problem}" for problem in error.problems)
        ) from error


def parse_host(text: str) -> HostModel:
    """Read a host file's text; raises BadConfigurationError with all problems."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadConfigurationError(f"it is not TOML: {error}") from error
    problems: list[str] = []
    host = host_of(data, problems)
    if len(problems) > MOST_PROBLEMS:
        more = len(problems) - MOST_PROBLEMS
        problems[MOST_PROBLEMS:] = [f"and {more} problems more"]
    if problems:
        raise BadConfigurationError(*problems)
    return host


def host_of(data: object, problems: list[str]) -> HostModel:
    """Read what a file holds; the host is usable only when no problem was added."""
    return _host(Table(data, "", problems))


def cpu_numbers(text: str) -> tuple[int, ...]:
    """Read ``0-3,8`` in the order written; raises ValueError."""
    numbers: list[int] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{text!r:.60} is not a CPU list like 0-3,8")
        first = int(match[1])
        last = int(match[2] or first)
        if not first <= last < MOST_CPUS:
            raise ValueError(
                f"{part.strip()!r} must go up, and CPUs are 0 to {MOST_CPUS - 1}"
            )
        numbers += range(first, last + 1)
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"{text!r:.60} names a CPU twice")
    return tuple(numbers)


def _host(table: Table) -> HostModel:
    name = table.text("name")
    if name and not _NAME.fullmatch(name):
        table.problem("name", "must be 1 to 63 letters, digits, dots and dashes")
    cells = tuple(
        _cell(number, each)
        for number, each in enumerate(table.tables("cells", MOST_CELLS))
    )
    if not cells:
        table.problem("cells", "are missing; write at least one [[cells]]")
    cards = read_cards(table, frozenset(cell.id for cell in cells))
    host = HostModel(
        name=name,
        description=table.text("description", ""),
        disk_gb=table.number("disk_gb", 0, 10**9, 500),
        libvirt_version=_version(table, "libvirt", "9.0.0"),
        qemu_version=_version(table, "qemu", "8.2.2"),
        cells=cells,
        cards=cards,
        faults=_faults(table, cards),
        cpu_shared_set=_cpu_set(table, "cpu_shared_set"),
        cpu_dedicated_set=_cpu_set(table, "cpu_dedicated_set"),
    )
    table.done()
    _check_cpus(table, host)
    for cell in cells:
        if cell.distances and len(cell.distances) != len(cells):
            table.problem("cells", f"cell {cell.id} has not a distance for each cell")
    return host


def _cell(number: int, table: Table) -> CellModel:
    has_cpus = table.has("cpus") or not number
    cpus = table.parsed("cpus", cpu_numbers, _NO_CPUS) if has_cpus else _NO_CPUS
    threads = table.number("threads", 1, 8, 1)
    if len(cpus) % threads:
        table.problem("threads", f"{len(cpus)} CPUs do not make cores of {threads}")
        threads = 1
    cores = len(cpus) // threads
    cell = CellModel(
        id=number,
        socket=table.number("socket", 0, MOST_CELLS, 0),
        cores=tuple(frozenset(cpus[core::cores]) for core in range(cores)),
        memory_mb=table.number("memory_mb", 0, _MOST_MB),
        reserved_mb=table.number("reserved_mb", 0, _MOST_MB, 0),
        pages=_pages(table),
        distances=_distances(table),
    )
    table.done()
    huge_mb = sum(size * count for size, count in cell.pages) // 1024
    if huge_mb + cell.reserved_mb > cell.memory_mb:
        table.problem(
            "memory_mb",
            f"{cell.memory_mb} does not hold the pages ({huge_mb}) and reserved_mb "
            f"({cell.reserved_mb})",
        )
    return cell


def _distances(table: Table) -> tuple[int, ...]:
    """Read how far the cells are, in order; from 10 (itself) to 254."""
    found = [
        item
        for item in table.items("distances", MOST_CELLS)
        if isinstance(item, int) and 10 <= item < _UNREACHABLE  # noqa: PLR2004  said above
    ]
    if len(found) != len(table.items("distances", MOST_CELLS)):
        table.problem("distances", "must be numbers from 10 to 254, one for each cell")
    return tuple(found)


def _pages(table: Table) -> tuple[tuple[int, int], ...]:
    pages = table.table("pages")
    if pages is None:
        return ()
    found = []
    for key in pages.keys()[:8]:
        match = _PAGE.fullmatch(key)
        count = pages.number(key, 0, _MOST_PAGES)
        if match is None:
            pages.problem(key, "is not a page size like 2M or 1G")
        else:
            found.append((int(match[1]) * _KIB[match[2]], count))
    return tuple(sorted(found))


def _version(table: Table, key: str, default: str) -> int:
    text = table.text(key, default)
    match = _VERSION.fullmatch(text)
    if match is None:
        table.problem(key, f"{text!r} is not a version like {default}")
        return 0
    major, minor, release = map(int, match.groups())
    return major * 1_000_000 + minor * 1_000 + release


def _cpu_set(table: Table, key: str) -> frozenset[int] | None:
    if not table.has(key):
        return None
    return frozenset(table.parsed(key, cpu_numbers, _NO_CPUS))


def _faults(table: Table, cards: tuple[CardModel, ...]) -> tuple[Fault, ...]:
    by_text = {str(card.address): card.address for card in cards}
    faults = []
    for each in table.tables("faults", MOST_FAULTS):
        kinds = [kind.value for kind in FaultKind]
        kind = each.choice("kind", kinds, FaultKind.CREATE_FAILS.value)
        card = by_text.get(each.text("card").lower())
        times = each.number("times", 1, 10**6) if each.has("times") else None
        after = each.number("after_scans", 0, 10**6, 0)
        each.done()
        if card is None:
            each.problem("card", f"must be one of {', '.join(by_text) or 'none'}")
            continue
        faults.append(
            Fault(kind=FaultKind(kind), card=card, times=times, after_scans=after)
        )
    return tuple(faults)


def _check_cpus(table: Table, host: HostModel) -> None:
    owner: dict[int, int] = {}
    for cell in host.cells:
        if twice := cell.cpus & owner.keys():
            cpu = min(twice)
            table.problem(
                "cells", f"CPU {cpu} is in cell {owner[cpu]} and in cell {cell.id}"
            )
        owner |= dict.fromkeys(cell.cpus, cell.id)
    shared = host.cpu_shared_set or frozenset()
    dedicated = host.cpu_dedicated_set or frozenset()
    if both := shared & dedicated:
        table.problem(
            "cpu_dedicated_set", f"shares CPU {min(both)} with cpu_shared_set"
        )
    for key, cpus in (("cpu_shared_set", shared), ("cpu_dedicated_set", dedicated)):
        if unknown := cpus - owner.keys():
            table.problem(key, f"CPU {min(unknown)} is in no cell")
