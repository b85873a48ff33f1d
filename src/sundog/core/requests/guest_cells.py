"""``hw:numa_nodes``, ``hw:numa_cpus.N`` and ``hw:numa_mem.N``: the guest's cells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sundog.core.errors import BadRequestError
from sundog.core.requests.cpu_choice import MOST_VCPUS, parse_cpus
from sundog.core.requests.guest_request import GuestCell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sundog.core.requests.spec_source import Setting, SpecSource

MOST_CELLS: Final = 64
_MOST_MB: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChoice:
    """What is said of guest cells, each setting well formed on its own.

    ``nodes`` is None where nothing is said; ``cpus`` and ``memory_mb`` go by cell.
    """

    nodes: int | None
    cpus: Mapping[int, frozenset[int]]
    memory_mb: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestSize:
    """What is to be split into cells; ``pinned`` None means all vCPUs."""

    vcpus: int
    memory_mb: int
    pinned: frozenset[int] | None


def read_cell_choice(source: SpecSource) -> CellChoice:
    """Read each setting; raises ForbiddenError if flavor and image both set one."""
    flavor, image = source.flavor("numa_nodes"), source.image("numa_nodes")
    if flavor and image:
        raise image.forbid(flavor)
    nodes = flavor or image
    return CellChoice(
        nodes=nodes.number(1, MOST_CELLS) if nodes else None,
        cpus={
            cell: parse_cpus(setting)
            for cell, setting in _numbered(source, "numa_cpus").items()
        },
        memory_mb={
            cell: setting.number(1, _MOST_MB)
            for cell, setting in _numbered(source, "numa_mem").items()
        },
    )


def _numbered(source: SpecSource, name: str) -> dict[int, Setting]:
    flavor = _by_cell(source.flavor_settings(), f"hw:{name}.")
    image = _by_cell(source.image_settings(), f"hw_{name}.")
    if flavor and image:
        raise next(iter(image.values())).forbid(next(iter(flavor.values())))
    return flavor or image


def _by_cell(settings: Iterable[Setting], prefix: str) -> dict[int, Setting]:
    found: dict[int, Setting] = {}
    for setting in settings:
        if not setting.key.startswith(prefix):
            continue
        number = setting.key.removeprefix(prefix)
        if not re.fullmatch(r"0|[1-9][0-9]?", number, re.ASCII) or (
            int(number) >= MOST_CELLS
        ):
            raise setting.refuse(
                f"names no guest cell; write {prefix}0 to {prefix}{MOST_CELLS - 1}"
            )
        found[int(number)] = setting
    return found


def make_cells(
    choice: CellChoice, size: GuestSize, *, needed: bool
) -> tuple[GuestCell, ...]:
    """Split a guest into cells; none if no topology is asked for or ``needed``.

    A topology that is needed but not asked for is one cell, as in Nova.
    """
    if choice.nodes is None and not needed:
        if choice.cpus or choice.memory_mb:
            raise BadRequestError(
                "hw:numa_cpus.N and hw:numa_mem.N need hw:numa_nodes; set it to the "
                "number of guest cells"
            )
        return ()
    nodes = choice.nodes or 1
    if size.vcpus > MOST_VCPUS:
        raise BadRequestError(
            f"a guest of {size.vcpus} vCPUs cannot have NUMA cells; use at most "
            f"{MOST_VCPUS} vCPUs"
        )
    if choice.cpus or choice.memory_mb:
        return _as_told(choice, nodes, size)
    return _split_evenly(nodes, size)


def _split_evenly(nodes: int, size: GuestSize) -> tuple[GuestCell, ...]:
    if size.vcpus % nodes or size.memory_mb % nodes:
        raise BadRequestError(
            f"hw:numa_nodes={str(nodes)!r} does not divide {size.vcpus} vCPUs and "
            f"{size.memory_mb} MiB evenly; set hw:numa_cpus.N and hw:numa_mem.N for "
            "each cell, or another number of cells"
        )
    each = size.vcpus // nodes
    return tuple(
        _cell(
            cell,
            frozenset(range(cell * each, (cell + 1) * each)),
            size.memory_mb // nodes,
            size.pinned,
        )
        for cell in range(nodes)
    )


def _as_told(choice: CellChoice, nodes: int, size: GuestSize) -> tuple[GuestCell, ...]:
    for key, told in (("numa_cpus", choice.cpus), ("numa_mem", choice.memory_mb)):
        if set(told) != set(range(nodes)):
            raise BadRequestError(
                f"hw:{key}.N is set for the cells {sorted(told)}, but a guest with "
                f"hw:numa_nodes={str(nodes)!r} has the cells 0 to {nodes - 1}; set it "
                "for each of them and no other"
            )
    seen: set[int] = set()
    for cell, cpus in sorted(choice.cpus.items()):
        _check_cpus(cell, cpus, seen, size.vcpus)
        seen |= cpus
    if len(seen) != size.vcpus:
        lost = min(set(range(size.vcpus)) - seen)
        raise BadRequestError(
            f"hw:numa_cpus.N leaves out vCPU {lost}; give each of the {size.vcpus} "
            "vCPUs to a cell"
        )
    total = sum(choice.memory_mb.values())
    if total != size.memory_mb:
        raise BadRequestError(
            f"hw:numa_mem.N adds up to {total} MiB, but the flavor has "
            f"{size.memory_mb} MiB; make them equal"
        )
    return tuple(
        _cell(cell, choice.cpus[cell], choice.memory_mb[cell], size.pinned)
        for cell in range(nodes)
    )


def _check_cpus(cell: int, cpus: frozenset[int], seen: set[int], vcpus: int) -> None:
    where = f"hw:numa_cpus.{cell}"
    if not cpus:
        raise BadRequestError(f"{where} is empty; give the cell at least one vCPU")
    if max(cpus) >= vcpus:
        raise BadRequestError(
            f"{where} has vCPU {max(cpus)}, but the flavor has the vCPUs 0 to "
            f"{vcpus - 1}; leave it out"
        )
    if cpus & seen:
        raise BadRequestError(
            f"{where} has vCPU {min(cpus & seen)}, which another cell has too; "
            "leave it out of one of them"
        )


def _cell(
    cell: int, cpus: frozenset[int], memory_mb: int, pinned: frozenset[int] | None
) -> GuestCell:
    return GuestCell(
        id=cell,
        cpus=cpus,
        dedicated=cpus if pinned is None else cpus & pinned,
        memory_mb=memory_mb,
    )
