"""What the payload tells on its serial line, and what the host's /proc tells of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FUNCTION = re.compile(r"guest: pci (\w\w):")
_PAIR = re.compile(r"([a-z-]+)=(\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A PCI function as the guest sees it; ``facts`` are its other words."""

    bus: str
    id: str
    cell: int
    facts: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a guest told."""

    cpus: int
    cells: dict[int, int]
    functions: tuple[Function, ...]
    done: bool

    def with_id(self, vendor_and_product: str) -> list[Function]:
        """Return the functions of a product: ``8086:10ca``."""
        return [each for each in self.functions if each.id == vendor_and_product]


def read_report(console: str) -> Report:
    """Read the last report in a console's log, and what was plugged since.

    A line that has not ended yet is not read.
    """
    ended = console.rpartition("\n")[0]
    lines = ended.rpartition("guest: up ")[2].splitlines()
    functions: list[Function] = []
    cells, cpus = {}, 0
    for line in lines:
        facts = dict(_PAIR.findall(line))
        if line.startswith("cpus="):
            cpus = int(facts["cpus"])
        elif found := re.match(r"guest: cell (\d+) ", line):
            cells[int(found[1])] = int(facts["cpus"])
        elif found := re.match(r"guest: unplugged (\w\w):", line):
            functions = [each for each in functions if each.bus != found[1]]
        elif (found := _FUNCTION.match(line)) and "id" in facts:
            functions.append(
                Function(
                    bus=found[1],
                    id=facts.pop("id"),
                    cell=int(facts.pop("cell")),
                    facts=facts,
                )
            )
    return Report(
        cpus=cpus,
        cells=cells,
        functions=tuple(functions),
        done="guest: done" in lines,
    )
