"""``sundog device hold`` and ``release``: quiet, like all that went well."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.edges.cli.conftest import Terminal

WHERE = "/v1/devices/gpu1/0000:84:00.0"


def test_a_device_is_held_and_released(
    terminal: Terminal, asked: list[tuple[str, object]]
) -> None:
    words = ("gpu1", "0000:84:00.0")
    held = terminal.type("device", "hold", *words, "--reason", "fan is loud")
    assert held == (0, "", "")
    assert terminal.type("device", "release", *words) == (0, "", "")
    assert asked == [
        (f"{WHERE}/hold", {"reason": "fan is loud"}),
        (f"{WHERE}/release", {}),
    ]
