"""A connection is opened when it is needed, and anew when it broke."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

import libvirt
import pytest

from sundog.core.errors import UnavailableError
from sundog.edges.libvirt.guest_xml import TEST_DRIVER
from sundog.edges.libvirt.guests import LibvirtGuests
from sundog.edges.libvirt.live.lasting_connection import LastingConnection


class _Breaking(LastingConnection):
    """A lasting connection whose daemon may go away."""

    def break_off(self) -> None:
        """Let the connection of now be dead."""
        alive = self._connection
        self._connection = _Dead(alive)


class _Dead:
    """A connection whose socket is closed."""

    def __init__(self, connection: object) -> None:
        self._connection = connection

    def isAlive(self) -> int:  # noqa: N802  libvirt's name
        return 0

    def close(self) -> None:
        raise libvirt.libvirtError("the daemon is gone")


def test_a_connection_that_broke_is_opened_anew() -> None:
    """Whoever follows events hears of each connection once."""
    followed: list[object] = []
    lasting = _Breaking("test:///default")
    lasting.follow(followed.append)
    assert followed == []
    assert lasting.getHostname()
    assert lasting.getHostname()
    assert len(followed) == 1
    late: list[object] = []
    lasting.follow(late.append)
    assert late == followed
    lasting.break_off()
    assert lasting.getHostname()
    assert len(followed) == len(late) == 2
    assert followed[0] is not followed[1]
    lasting.close()
    lasting.close()
    assert lasting.version() >= 9_000_000
    assert len(followed) == 3


def test_a_connection_that_cannot_be_followed_is_closed() -> None:
    """The next call opens another."""
    followed: list[libvirt.virConnect] = []

    def follow(connection: libvirt.virConnect) -> None:
        followed.append(connection)
        if len(followed) == 1:
            raise libvirt.libvirtError("no events now")

    lasting = LastingConnection("test:///default")
    lasting.follow(follow)
    with pytest.raises(UnavailableError):
        lasting.getHostname()
    with pytest.raises(libvirt.libvirtError):
        followed[0].getHostname()
    assert lasting.getHostname()
    assert len(followed) == 2


def test_a_daemon_that_is_away_is_one_line() -> None:
    """Whatever is asked, and whatever keeps it from being opened."""
    uri = "qemu+unix:///system?socket=/nonexistent/libvirt-sock"
    for lasting in (LastingConnection(uri), LastingConnection("test:///nonexistent")):
        lasting.probe()
        for ask in (lasting.version, lambda: lasting.getCapabilities()):  # noqa: B023, PLW0108  asked at once
            with pytest.raises(UnavailableError, match=r"^libvirt at [^\n]+$"):
                ask()


@pytest.mark.parametrize(
    "uri",
    [
        "qemu",
        "://",
        "qemu://[::1/system",
        "qemu+bogus:///system",
        "qemu:///system?mode=odd",
        "test:///",
    ],
)
def test_a_uri_that_no_daemon_could_help_is_told(uri: str) -> None:
    """In libvirt's own words."""
    with pytest.raises(ValueError, match=r"URI|invalid argument"):
        LastingConnection(uri).probe()


def test_a_daemon_that_is_away_is_no_refusal() -> None:
    """Nothing is known of the guests then: whoever asks may come again later."""
    connection = LastingConnection("qemu+unix:///system?socket=/nonexistent/socket")
    guests = LibvirtGuests(connection, TEST_DRIVER)
    for ask in (guests.running, partial(guests.stop, uuid4())):
        with pytest.raises(UnavailableError, match="Failed to connect socket"):
            ask()
