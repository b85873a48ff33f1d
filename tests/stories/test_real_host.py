"""A real host is driven like a simulated one, as far as libvirt's test driver goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.edges.sysfs.tree import tree_of

from sundog.core.errors import BadConfigurationError, UnavailableError
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host
from sundog.edges.simulation.test_driver import write_test_host
from sundog.settings.read import read_settings
from sundog.settings.tree import LibvirtSettings
from sundog.wiring.embedded import build_embedded

if TYPE_CHECKING:
    from pathlib import Path

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
    """Its cards are offered by the whitelist and stand in Placement's tree."""
    kernel = SimulatedKernel(read_host_file(shipped_host("two-socket-8-cards")))
    tree_of(kernel, tmp_path / "root")
    uri = write_test_host(kernel, tmp_path)
    hosts = {"simulation.host_file": ["sim1=two-socket-8-cards"]}
    with build_embedded(settings(tmp_path, uri, **hosts)) as service:
        service.start()
        shown = {}
        for name in ("metal1", "sim1"):
            state = service.conductor.fleet.state(name)
            assert state is not None
            shown[name] = state.snapshot.cards
            tree = service.conductor.ledger.providers(state.snapshot.uuid)
            assert f"{name}_0000:17:00.0" in tree.values()
        assert shown["metal1"] == shown["sim1"]
        assert len(shown["metal1"]) == 8
        assert (tmp_path / "state" / "instances").is_dir()


def test_a_daemon_that_is_away_stops_the_start_with_one_line(tmp_path: Path) -> None:
    """Nothing of the service stays open: the next start gets on."""
    uri = f"qemu+unix:///system?socket={tmp_path}/libvirt-sock"
    for _ in range(2):
        with pytest.raises(UnavailableError, match=r"^libvirt at qemu\+unix:[^\n]+$"):
            build_embedded(settings(tmp_path, uri))


def test_two_hosts_of_one_name_are_refused(tmp_path: Path) -> None:
    """The real host's name may not be simulated, too."""
    wanted = settings(
        tmp_path, "test:///default", **{"simulation.host_file": ["metal1=small"]}
    )
    with pytest.raises(BadConfigurationError, match="metal1 is simulated, too"):
        build_embedded(wanted)
