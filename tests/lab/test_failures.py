"""What fails while Sundog works, on a real kernel under a real libvirtd."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from lab.topology import ONE_TYPE_CELL
from tests.stories.devices.device_stories import (
    a_server_just_made_runs_again_after_a_loss_of_power,
    boot,
    held,
    pinned,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.lab_ground import LabGround

_SECONDS = 300.0


def _wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS
    while not what():
        assert time.monotonic() < end
        time.sleep(3)


def test_a_loss_of_power_right_after_a_boot(ground: LabGround) -> None:
    """Whatever the kernel had not written by then was written for us."""
    a_server_just_made_runs_again_after_a_loss_of_power(ground, "slice")


@pytest.mark.parametrize(
    "made", ["/sys/bus/mdev/devices/*", "/run/libvirt/qemu/sundog-*.pid"]
)
def test_killed_in_the_middle_of_a_boot(ground: LabGround, made: str) -> None:
    """With its mdev made, and with its guest started, before Sundog could say so.

    The server is in ERROR or runs, and holds what the records say; then nothing.
    """
    [one] = ground.api.create(pinned(ground, "slice"))
    _wait_for(lambda: ground.host.agent.run(f"ls {made}").status == 0)
    ground.host.kill_sundog()
    ground.host.start_sundog()
    assert ground.api.show(one)["status"] in {"ERROR", "ACTIVE"}
    ground.check_agreement()
    ground.api.delete([one])
    ground.check_agreement()
    ground.check_nothing_left()


def test_libvirtd_restarted_under_a_guest(ground: LabGround) -> None:
    """The guest goes on, Sundog finds the daemon again and stops the guest."""
    server = boot(ground, "slice")
    process = ground.host.agent.read("cat /run/libvirt/qemu/sundog-*.pid")
    ground.host.agent.read(
        "kill $(cat /run/libvirtd.pid) && while pidof libvirtd; do sleep 0.2; done;"
        " libvirtd -d && until virsh -q version; do sleep 0.5; done"
    )
    assert ground.host.agent.read("cat /run/libvirt/qemu/sundog-*.pid") == process
    _wait_for(lambda: not ground.api.call("GET", "/v1/audit")["disagreements"])
    ground.check_guest(server["id"])
    again = boot(ground, "vf")
    assert again["status"] == "ACTIVE", again.get("fault")
    ground.api.delete([server["id"], again["id"]])
    ground.check_agreement()
    ground.check_nothing_left()


def test_libvirtd_stops_and_says_nothing(ground: LabGround) -> None:
    """Its socket takes connections all the same: the host is down until it goes on."""
    server = boot(ground, "slice")
    ground.host.agent.read("kill -STOP $(cat /run/libvirtd.pid)")
    try:
        _wait_for(
            lambda: "no word on a new connection" in _host(ground)["status_reason"]
        )
        assert _host(ground)["state"] == "down"
        assert ground.api.show(server["id"])["status"] == "ACTIVE"
    finally:
        ground.host.agent.read("kill -CONT $(cat /run/libvirtd.pid)")
    _wait_for(lambda: _host(ground)["state"] == "up")
    ground.check_guest(server["id"])
    ground.check_agreement()
    ground.api.delete([server["id"]])
    ground.check_nothing_left()


def test_the_kernel_refuses_a_creation(ground: LabGround) -> None:
    """The fault names it; once the card is well again a server has its slice."""
    cards = "/sys/bus/pci/drivers/sundog_card/0000:*/card"
    ground.host.agent.read(f"for card in {cards}; do echo -1 >$card/refuse; done")
    refused = boot(ground, "slice")
    ground.host.agent.read(f"for card in {cards}; do echo 0 >$card/refuse; done")
    assert refused["status"] == "ERROR"
    told = "refused to make an mdev of sundog_card-2g: Input/output error"
    assert told in refused["fault"]["message"]
    assert held(ground, refused["id"]) == []
    ground.api.delete([refused["id"]])
    ground.check_agreement()
    _wait_for(lambda: _slices(ground) > 0)
    server = boot(ground, "slice")
    assert server["status"] == "ACTIVE", server.get("fault")
    ground.api.delete([server["id"]])
    ground.check_nothing_left()


def test_the_module_is_unloaded_under_a_scan(ground: LabGround) -> None:
    """The cards' slices vanish from what is offered, and come back with them."""
    before = _slices(ground)
    assert before
    ground.host.agent.read("rmmod sundog_card")
    _wait_for(lambda: _slices(ground) == 0)
    assert boot(ground, "vf")["status"] == "ACTIVE"
    ground.host.agent.read(
        "modprobe sundog_card; cd /sys/bus/pci/drivers/sundog_card;"
        " for card in 0000:*; do"
        f" [ $(cat $card/numa_node) != {ONE_TYPE_CELL} ] || echo 0 >$card/card/mixed;"
        " done"
    )
    # A driver that was gone took its VFs with it: they are enabled anew.
    _wait_for(lambda: _slices(ground) == before)
    ground.api.delete([one["id"] for one in ground.api.wait()])
    ground.check_agreement()
    ground.check_nothing_left()


def _host(ground: LabGround) -> dict[str, Any]:
    [host] = ground.api.call("GET", "/v1/hosts")["hosts"]
    return dict(host)


def _slices(ground: LabGround) -> int:
    rows = ground.api.call("GET", "/v1/devices")["devices"]
    slices = [row["device"] for row in rows if row["device"]["kind"] == "type-MDEV"]
    return sum(device["free"] for device in slices)
