"""Guests' ends are heard from libvirt itself, over whatever connection is alive."""

from __future__ import annotations

from queue import Queue
from uuid import UUID

import pytest

from sundog.edges.libvirt.live.guest_watch import GuestWatch
from sundog.edges.libvirt.live.lasting_connection import LastingConnection

ONE, TWO = UUID(int=1), UUID(int=2)
GUEST = """
<domain type='test'><name>{uuid}</name><uuid>{uuid}</uuid>
<memory unit='MiB'>64</memory><os><type arch='i686'>hvm</type></os></domain>"""


@pytest.fixture
def heard() -> Queue[UUID | str]:
    """Gather what is told, from libvirt's own thread."""
    return Queue()


@pytest.fixture
def connection() -> LastingConnection:
    """Speak to libvirt's test driver."""
    return LastingConnection("test:///default")


def test_the_end_of_a_guest_is_told(
    heard: Queue[UUID | str], connection: LastingConnection
) -> None:
    """Its start and its pause are not; after a stop nothing is told."""
    watch = GuestWatch(connection, heard.put, lambda: heard.put("missed"))
    one = connection.createXML(GUEST.format(uuid=ONE))
    one.suspend()
    one.resume()
    one.destroy()
    connection.createXML(GUEST.format(uuid=TWO)).shutdown()
    assert [heard.get(timeout=30) for _ in range(2)] == [ONE, TWO]
    watch.stop()
    connection.createXML(GUEST.format(uuid=ONE)).destroy()
    connection.close()
    assert connection.getHostname()
    assert heard.empty()


def test_a_new_connection_says_that_ends_may_be_missed(
    heard: Queue[UUID | str], connection: LastingConnection
) -> None:
    """And its own events are heard again."""
    GuestWatch(connection, heard.put, lambda: heard.put("missed"))
    assert connection.getHostname()
    assert heard.empty()
    connection.close()
    connection.createXML(GUEST.format(uuid=ONE)).destroy()
    assert [heard.get(timeout=30) for _ in range(2)] == ["missed", ONE]
