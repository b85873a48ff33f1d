"""Which host CPUs the pinned vCPUs of one guest cell get, by thread policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from sundog.core.requests.guest_request import ThreadPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.choosing.host_room import CellRoom, Core


def pins_fit(cell: CellRoom, count: int, policy: ThreadPolicy) -> bool:
    """Tell whether ``count`` vCPUs can be pinned on a cell.

    ``require`` uses only cores with several threads that are wholly free, filled one
    after the other (the last may stay partly idle); ``isolate`` takes a wholly free
    core for each vCPU.
    """
    match policy:
        case ThreadPolicy.PREFER:
            return count <= cell.pins_free
        case ThreadPolicy.REQUIRE:
            return count <= cell.sibling_cpus
        case ThreadPolicy.ISOLATE:
            return count <= cell.whole_cores
        case _:
            assert_never(policy)


def pick_pins(
    cell: CellRoom, vcpus: Sequence[int], policy: ThreadPolicy
) -> tuple[tuple[tuple[int, int], ...], frozenset[int]]:
    """Pin vCPUs that are known to fit; returns (vCPU, CPU) pairs and blocked CPUs."""
    cores = list(cell.cores)
    if policy is ThreadPolicy.ISOLATE:
        whole = sorted(core for core in cores if core.is_whole)[: len(vcpus)]
        pins = tuple(
            (vcpu, core.free[0]) for vcpu, core in zip(vcpus, whole, strict=True)
        )
        return pins, frozenset(cpu for core in whole for cpu in core.free[1:])
    if policy is ThreadPolicy.REQUIRE:
        cores = [core for core in cores if core.is_whole and core.size > 1]
    return tuple(zip(vcpus, _pack(cores, len(vcpus)), strict=True)), frozenset()


def _pack(cores: list[Core], count: int) -> list[int]:
    """Take the largest sets of free siblings that the rest fills, else split one."""
    chosen: list[int] = []
    while len(chosen) < count:
        rest = count - len(chosen)
        core = min(cores, key=lambda core: _waste(core, rest))
        chosen += core.free[:rest]
        cores.remove(core)
    return chosen


def _waste(core: Core, rest: int) -> tuple[int, int, tuple[int, ...]]:
    size = len(core.free)
    return (0, -size, core.free) if size <= rest else (1, size, core.free)
