"""What a simulated guest says on its console: what it would find when it boots.

Libvirt's test driver runs nothing, so the guest's definition speaks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, fromstring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

_OWN: Final = "{urn:sundog:guest:1}"


class SimulatedConsoles:
    """The consoles of a host's guests."""

    def __init__(self, definition: Callable[[UUID], str | None]) -> None:
        """Read guests' definitions, in libvirt's XML; None is not there."""
        self._definition = definition

    def console(self, consumer: UUID) -> str | None:
        """Return all that a guest said, None where there is no guest."""
        text = self._definition(consumer)
        if text is None:
            return None
        return "\n".join(_lines(fromstring(text)))  # noqa: S314  libvirt's own text


def _lines(domain: Element) -> Iterator[str]:
    name = domain.findtext(f"metadata/{_OWN}server/{_OWN}name", "guest")
    yield "Simulated guest: libvirt's test driver runs no kernel; it would find this."
    yield f"Machine {domain.findtext('os/type', 'hvm')}, {_cpus(domain)}"
    yield f"Memory {_mib(domain)} MiB"
    cells = domain.findall("cpu/numa/cell")
    if not cells:
        yield "NUMA: no cells"
    for cell in cells:
        yield f"NUMA: cell {cell.get('id')} with CPUs {cell.get('cpus')}"
    devices = domain.findall(f"metadata/{_OWN}server/{_OWN}device")
    if not devices:
        yield "PCI: no devices of the host"
    for device in devices:
        kind = " ".join(filter(None, [device.get("kind"), device.get("type")]))
        yield f"PCI: {device.get('slot')} is a {kind} of {device.get('address')}"
    yield ""
    yield f"{name} login: "


def _cpus(domain: Element) -> str:
    count = domain.findtext("vcpu", "1").strip()
    return f"{count} CPU{'' if count == '1' else 's'}"


def _mib(domain: Element) -> int:
    memory = domain.find("memory")
    kib = int(memory.text or 0) if memory is not None else 0
    return kib // 1024
