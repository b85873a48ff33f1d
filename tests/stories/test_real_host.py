"""A real host is driven like a simulated one, as far as libvirt's test driver goes."""

from __future__ import annotations

from dataclasses import replace
from logging import INFO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.edges.sysfs.tree import Tree, tree_of
from werkzeug.test import Client

from sundog.core.errors import BadConfigurationError, UnavailableError
from sundog.core.hosts.checkup import Mark
from sundog.edges.libvirt.live.host_lock import hold_host
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host
from sundog.settings.read import read_settings
from sundog.settings.tree import LibvirtSettings
from sundog.wiring.capture import capture_host
from sundog.wiring.doctor import examine_host
from sundog.wiring.embedded import build_embedded

if TYPE_CHECKING:
    from sundog.settings.tree import Settings


def settings(folder: Path, uri: str, **more: object) -> Settings:
    """Drive what is at ``uri`` as the host metal1; its kernel's files are a folder."""
    said = read_settings(
        [],
        {
            "state_path": folder / "state",
            "host": "metal1",
            "pci.device_spec": ['{"vendor_id": "10de", "mdev_type": "*"}'],
            **more,
        },
    )
    libvirt = LibvirtSettings(connection_uri=uri, root=folder / "root")
    return replace(said, libvirt=libvirt)


def test_a_real_host_is_reported_beside_a_simulated_one(tmp_path: Path) -> None:
    """It has its cells in Placement's tree; the test driver has no PCI devices."""
    Tree(tmp_path / "root")
    hosts = {"simulation.host_file": ["sim1=small"]}
    with build_embedded(settings(tmp_path, "test:///default", **hosts)) as service:
        service.start()
        assert set(service.agents) == {"metal1", "sim1"}
        state = service.conductor.fleet.state("metal1")
        assert state is not None
        assert [cell.id for cell in state.snapshot.cells] == [0, 1]
        assert state.snapshot.libvirt_version >= 9_000_000
        tree = service.conductor.ledger.providers(state.snapshot.uuid)
        assert len(tree) == 3
        assert (tmp_path / "state" / "instances").is_dir()


def test_the_service_starts_while_the_daemon_is_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One line says so; the host is down with libvirt's word until it comes."""
    Tree(tmp_path / "root")
    kernel = SimulatedKernel(read_host_file(shipped_host("small")))
    uri = write_test_host(kernel, tmp_path)
    file = Path(uri.removeprefix("test://"))
    away = file.rename(tmp_path / "away.xml")
    with build_embedded(settings(tmp_path, uri)) as service:
        service.start()
        service.beat()
        [line] = [one.getMessage() for one in caplog.records if one.levelno > INFO]
        assert line.startswith(f"Host metal1: libvirt at {uri}: XML error: ")
        answer = Client(service.app).get("/v1/hosts").json
        assert answer is not None
        [host] = answer["hosts"]
        assert (host["name"], host["state"], host["status"]) == (
            *("metal1", "down", "disabled"),
        )
        assert f"it does not answer: libvirt at {uri}: " in host["status_reason"]
        away.rename(file)
        service.beat()
        # The test driver has no cells when it is given devices; but it is reached.
        told = service.conductor.fleet.unseen["metal1"]
        assert "no NUMA cell" in told


@pytest.mark.parametrize("uri", ["qemu", "qemu+bogus:///system"])
def test_a_uri_that_can_never_be_connected_to_is_refused(
    tmp_path: Path, uri: str
) -> None:
    """In one line; nothing of the service stays open: the next start gets on."""
    for _ in range(2):
        with pytest.raises(BadConfigurationError) as refused:
            build_embedded(settings(tmp_path, uri))
        [line] = refused.value.problems
        assert line.startswith(f"[libvirt] connection_uri = {uri}: ")
        assert line.endswith("; write qemu:///system for this host's own libvirt")


def test_a_host_has_one_agent(tmp_path: Path) -> None:
    """A second is refused, in whatever folder it keeps its state."""
    tree = Tree(tmp_path / "root")
    wanted, line = settings(tmp_path, "test:///default"), r"is this host's agent"
    with build_embedded(wanted), pytest.raises(BadConfigurationError, match=line):
        hold_host(tree.root)
    let_go = hold_host(tree.root)
    with pytest.raises(BadConfigurationError, match=line):
        build_embedded(wanted)
    let_go()
    build_embedded(wanted).close()


def test_two_hosts_of_one_name_are_refused(tmp_path: Path) -> None:
    """The real host's name may not be simulated, too."""
    wanted = settings(
        tmp_path, "test:///default", **{"simulation.host_file": ["metal1=small"]}
    )
    with pytest.raises(BadConfigurationError, match="metal1 is simulated, too"):
        build_embedded(wanted)


def test_the_doctor_checks_what_the_rules_need(tmp_path: Path) -> None:
    """A folder is no host to give mdevs from: it lacks VFIO, but not its libvirt."""
    kernel = SimulatedKernel(read_host_file(shipped_host("small")))
    tree_of(kernel, tmp_path / "root")
    wanted = settings(tmp_path, write_test_host(kernel, tmp_path))
    checks = examine_host(wanted)
    marks = {check.about: check.mark for check in checks}
    assert marks["mediated devices"] is Mark.OK
    assert marks["VFIO"] is Mark.BAD
    assert marks["IOMMU"] is Mark.NOTE
    # The test driver has no cells when it is given devices.
    (devices,) = [check for check in checks if check.about == "devices"]
    assert (devices.mark, "no NUMA cell" in devices.found) == (Mark.BAD, True)
    away = settings(tmp_path, f"qemu+unix:///system?socket={tmp_path}/libvirt-sock")
    (libvirt,) = [c for c in examine_host(away) if c.about == "libvirt"]
    assert libvirt.found.startswith("at qemu+unix:///system")


def test_the_doctor_scans_as_the_service_does(tmp_path: Path) -> None:
    """Its last line says what is read and offered."""
    Tree(tmp_path / "root")
    scanned = examine_host(settings(tmp_path, "test:///default"))[-1]
    assert (scanned.about, scanned.mark) == ("devices", Mark.OK)
    assert scanned.found == "0 functions are read, 0 devices of 0 cards are offered"


def test_a_host_without_cells_is_not_captured(tmp_path: Path) -> None:
    """A host file would tell a host that is not there."""
    kernel = SimulatedKernel(read_host_file(shipped_host("small")))
    tree_of(kernel, tmp_path / "root")
    with pytest.raises(UnavailableError, match=r"cells of host .* no NUMA cell"):
        capture_host(settings(tmp_path, write_test_host(kernel, tmp_path)))
