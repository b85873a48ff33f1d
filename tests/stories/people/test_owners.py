"""Who may do what with a server's devices, by the ``sundog`` command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.clients.listening import listening
from tests.stories.people.people import Person, write_users
from tests.stories.plugs.parts import ALIASES, RULES
from tests.stories.service import Service, open_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.clients.openstack_command import Openstack


@pytest.fixture(name="service")
def _service(tmp_path: Path) -> Iterator[Service]:
    words = {"identity.users_file": write_users(tmp_path)}
    service = open_service(tmp_path, ["a=small"], RULES, ALIASES, **words)
    with service.embedded:
        yield service


def test_devices_are_their_servers_owners(
    service: Service, openstack_command: Openstack
) -> None:
    """A reader looks, a stranger sees nothing, a lock binds all but the admin."""
    with listening(service.embedded.app) as url:
        admin = Person(openstack_command, url, "admin", "one", "admin")
        alice = Person(openstack_command, url, "alice", "two", "alpha")
        rita = Person(openstack_command, url, "rita", "three", "alpha")
        bob = Person(openstack_command, url, "bob", "four", "beta")
        size = ("--ram", "64", "--vcpus", "1", "--disk", "0")
        admin.json("flavor", "create", *size, "tiny")
        boot = ("--flavor", "tiny", "--image", "tiny", "--nic", "none", "--wait")
        made = alice.json("server", "create", *boot, "one")
        status, out, _ = alice.sundog("attach", "one", "vGPU")
        assert (status, "vGPU+1/0" in out) == (0, True)
        looked = rita.sundog("devices", "--server", "one")
        assert (looked[0], "vGPU+1/0" in looked[1], " on a" in looked[1]) == (
            0,
            True,
            False,
        )
        assert " on a" in admin.sundog("devices", "--server", made["id"])[1]
        status, _, told = rita.sundog("attach", "one", "vGPU")
        assert (status, "Policy doesn't allow" in told) == (1, True)
        for name in ("one", made["id"]):
            status, _, told = bob.sundog("detach", name, "vGPU+1/0")
            assert (status, "could not be found" in told) == (1, True)
        assert alice.run("server", "lock", "one").returncode == 0
        status, _, told = alice.sundog("detach", "one", "vGPU+1/0")
        assert (status, "is locked" in told) == (1, True)
        status, out, _ = admin.sundog("detach", "one", "vGPU+1/0")
        assert (status, "no devices" in out) == (0, True)
        assert admin.sundog("audit")[0] == 0
