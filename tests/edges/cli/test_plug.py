"""``sundog attach`` and ``sundog detach``: they wait, and tell how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.edges.cli.conftest import WHY

if TYPE_CHECKING:
    from tests.edges.cli.conftest import Terminal

WHERE = "/v1/servers/ml-2/devices"


def test_a_device_is_attached_and_the_server_is_drawn(
    terminal: Terminal, asked: list[tuple[str, object]]
) -> None:
    """What was asked for goes to the service as it was written."""
    status, out, err = terminal.type("attach", "ml-2", "fpga:1")
    assert (status, err) == (0, "")
    assert out == terminal.type("devices", "--server", "ml-2")[1]
    assert asked == [(WHERE, {"devices": "fpga:1"})]


def test_a_device_is_detached(
    terminal: Terminal, asked: list[tuple[str, object]]
) -> None:
    """A slot is one part of the path, whatever signs it has."""
    assert terminal.type("detach", "ml-2", "fpga#2+1/0")[0] == 0
    assert asked == [(f"{WHERE}/fpga%232%2B1/0", None)]


def test_a_guest_that_keeps_its_device_is_a_line(terminal: Terminal) -> None:
    """The command fails, as what it asked for did."""
    answer = terminal.type("detach", "ml-2", "fpga+1/9")
    assert answer == (1, "", f"sundog: {WHY}\n")


def test_a_server_that_is_not_there_is_a_line(terminal: Terminal) -> None:
    """The service's word is told."""
    status, out, err = terminal.type("devices", "--server", "no")
    assert (status, out) == (1, "")
    assert err.startswith("sundog: ")
