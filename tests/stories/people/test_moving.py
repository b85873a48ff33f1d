"""The commands of docs/how-to/move-servers.md, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.clients.listening import listening
from tests.stories.people.people import Person
from tests.stories.service import open_service

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.openstack_command import Openstack


def test_servers_are_moved_by_the_real_command(
    tmp_path: Path, openstack_command: Openstack
) -> None:
    service = open_service(tmp_path, ["a=small", "b=small"], [], [])
    service.flavor("tiny", {})
    service.flavor("large", {})
    with service.embedded, listening(service.embedded.app) as url:
        admin = Person(openstack_command, url, "admin", "one", "admin")
        boot = ("--flavor", "tiny", "--image", "tiny", "--nic", "none")

        def ask(*words: str) -> None:
            # The client looks every five seconds with --wait.
            admin.ask(*words)
            service.wait()

        ask("server", "create", *boot, "one")
        ask("server", "resize", "--flavor", "large", "one")
        ask("server", "resize", "confirm", "one")
        assert "large" in admin.json("server", "show", "one")["flavor"]["name"]
        ask("server", "migrate", "one")
        ask("server", "resize", "revert", "one")
        ask("server", "migrate", "--live-migration", "one")
        host = admin.json("server", "show", "one")["OS-EXT-SRV-ATTR:host"]
        there = (host, "nova-compute")
        ask("compute", "service", "set", "--down", *there)
        ask("server", "evacuate", "one")
        ask("server", "start", "one")
        shown = admin.json("server", "show", "one")
        assert shown["status"] == "ACTIVE"
        assert shown["OS-EXT-SRV-ATTR:host"] != host
        ask("compute", "service", "set", "--up", *there)
        service.embedded.beat()
        listed = admin.json("server", "migration", "list")
        told = [(one["Type"], one["Status"]) for one in reversed(listed)]
        assert told == [
            ("resize", "confirmed"),
            ("migration", "reverted"),
            ("live-migration", "completed"),
            ("evacuation", "completed"),
        ]
        service.check_agreement()
