"""People sign in with the ordinary environment of the real ``openstack`` command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.clients.listening import listening
from tests.stories.people.people import Person, write_users
from tests.stories.service import Service, open_service

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.openstack_command import Openstack


def opened(tmp_path: Path) -> Service:
    """Open a service where people sign in."""
    words = {"identity.users_file": write_users(tmp_path)}
    return open_service(tmp_path, ["h1=small"], [], [], **words)


def test_who_was_added_by_the_real_command_stays(
    tmp_path: Path, openstack_command: Openstack
) -> None:
    """Also through a restart, and until taken away."""
    service = opened(tmp_path)
    with service.embedded, listening(service.embedded.app) as url:
        admin = Person(openstack_command, url, "admin", "one", "admin")
        admin.json("project", "create", "gamma")
        admin.json("user", "create", "--password", "three", "carl")
        added = admin.run(
            "role", "add", "--project", "gamma", "--user", "carl", "member"
        )
        assert added.returncode == 0, added.stderr
    service = opened(tmp_path)
    with service.embedded, listening(service.embedded.app) as url:
        carl = Person(openstack_command, url, "carl", "three", "gamma")
        assert carl.json("server", "list") == []
        admin = Person(openstack_command, url, "admin", "one", "admin")
        assert admin.run("user", "delete", "carl").returncode == 0
        assert "requires authentication" in carl.run("server", "list").stderr


def test_the_ordinary_environment_works(
    tmp_path: Path, openstack_command: Openstack
) -> None:
    service = opened(tmp_path)
    with service.embedded, listening(service.embedded.app) as url:
        admin = Person(openstack_command, url, "admin", "one", "admin")
        alice = Person(openstack_command, url, "alice", "two", "alpha")
        size = ("--ram", "64", "--vcpus", "1", "--disk", "0")
        admin.json("flavor", "create", *size, "tiny")
        boot = ("--flavor", "tiny", "--image", "tiny", "--nic", "none")
        made = alice.json("server", "create", *boot, "mine")
        assert admin.json("server", "list") == []
        (listed,) = admin.json("server", "list", "--all-projects")
        assert listed["ID"] == made["id"]
        # Placement stands behind the same tokens.
        assert admin.json("resource", "provider", "list")
        refused = alice.run("flavor", "create", *size, "more")
        assert "Policy doesn't allow POST /flavors" in refused.stderr
        assert "h1" in admin.sundog("show")[1]
        status, _, told = alice.sundog("show")
        assert (status, "Policy doesn't allow" in told) == (1, True)
        stranger = Person(openstack_command, url, "alice", "wrong", "alpha")
        assert "requires authentication" in stranger.run("server", "list").stderr
        assert "does not let user 'alice' into" in stranger.sundog("show")[2]
