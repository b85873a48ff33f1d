"""A host for libvirt's own test driver, on which a simulated host's guests run."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from sundog.edges.simulation.node_xml import computer_xml

if TYPE_CHECKING:
    from pathlib import Path

    from sundog.edges.simulation.kernel import SimulatedKernel


def write_test_host(kernel: SimulatedKernel, folder: Path) -> str:
    """Write the driver's file into ``folder`` and return the URI that opens it.

    The driver keeps the node devices as they were when the connection was opened;
    whoever wants them as they are reads the kernel.
    """
    path = folder / f"{kernel.host.name}.test-driver.xml"
    path.write_text(test_host_xml(kernel))
    return f"test://{path.resolve()}"


def test_host_xml(kernel: SimulatedKernel) -> str:
    """Print the host as the test driver reads it: processors, memory, devices."""
    cells = kernel.host.cells
    cores = [core for cell in cells for core in cell.cores]
    cpus = sum(len(core) for core in cores)
    threads = max((len(core) for core in cores), default=1)
    node = Element("node")
    cpu = SubElement(node, "cpu")
    for tag, number in (
        ("mhz", 2000),
        ("active", max(1, cpus)),
        ("nodes", len(cells)),
        ("sockets", 1),
        ("cores", max(1, len(cores) // len(cells))),
        ("threads", threads),
    ):
        SubElement(cpu, tag).text = str(number)
    SubElement(cpu, "model").text = "x86_64"
    memory_kib = 1024 * sum(cell.memory_mb for cell in cells)
    SubElement(node, "memory").text = str(memory_kib)
    for text in (computer_xml(kernel.host.name), *kernel.node_devices()):
        node.append(fromstring(text))  # noqa: S314  the text is our own
    return tostring(node, encoding="unicode")
