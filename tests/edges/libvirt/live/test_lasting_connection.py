"""A connection is opened when it is needed, and anew when it broke."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import libvirt
import pytest

from sundog.core.errors import UnavailableError
from sundog.edges.libvirt.guest_xml import TEST_DRIVER
from sundog.edges.libvirt.guests import LibvirtGuests
from sundog.edges.libvirt.live.lasting_connection import OPENER, LastingConnection

if TYPE_CHECKING:
    from pathlib import Path


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


class _Slow(LastingConnection):
    """A lasting connection, with no patience, to a daemon that may say its word."""

    def __init__(self) -> None:
        super().__init__("test:///default", patience_seconds=0)
        self.may_answer = threading.Event()

    def _open(self) -> Any:
        self.may_answer.wait()
        return super()._open()


def await_openers() -> None:
    for thread in threading.enumerate():
        if thread.name == OPENER:
            thread.join(timeout=60)


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


def test_a_daemon_that_says_nothing_is_away(tmp_path: Path) -> None:
    """As one that is stopped; it is asked once, and closing waits for nobody."""
    path = tmp_path / "libvirt-sock"
    with closing(socket.socket(socket.AF_UNIX)) as mute:
        mute.bind(str(path))
        mute.listen()
        uri = f"qemu+unix:///system?socket={path}"
        lasting = LastingConnection(uri, patience_seconds=0)
        for _ in range(3):
            with pytest.raises(UnavailableError, match="no word on a new connection"):
                lasting.getCapabilities()
        lasting.probe()
        asked, _ = mute.accept()
        mute.settimeout(0)
        with asked, pytest.raises(BlockingIOError):
            mute.accept()
        lasting.close()
    await_openers()


@pytest.fixture(name="late")
def _late() -> tuple[_Slow, list[object]]:
    """Return one that was asked in vain, and the connections it told of."""
    followed: list[object] = []
    lasting = _Slow()
    lasting.follow(followed.append)
    with pytest.raises(UnavailableError):
        lasting.getHostname()
    return lasting, followed


def test_a_word_that_comes_late_is_taken(late: tuple[_Slow, list[object]]) -> None:
    """By the next who asks; nobody who waited for it in vain asks again."""
    lasting, followed = late
    lasting.may_answer.set()
    await_openers()
    assert lasting.getHostname()
    assert len(followed) == 1


def test_what_was_closed_while_it_was_opened_stays_closed(
    late: tuple[_Slow, list[object]],
) -> None:
    lasting, followed = late
    lasting.close()
    lasting.may_answer.set()
    await_openers()
    assert followed == []


def test_a_daemon_that_is_away_is_no_refusal() -> None:
    """Nothing is known of the guests then: whoever asks may come again later."""
    connection = LastingConnection("qemu+unix:///system?socket=/nonexistent/socket")
    guests = LibvirtGuests(connection, TEST_DRIVER)
    for ask in (guests.running, partial(guests.stop, uuid4())):
        with pytest.raises(UnavailableError, match="Failed to connect socket"):
            ask()
