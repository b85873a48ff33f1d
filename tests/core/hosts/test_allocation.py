"""An assignment is charged to the providers of the cells, cards and disk it takes."""

from __future__ import annotations

from tests.core.hosts.tree_hosts import (
    CELL_0,
    CELL_1,
    GPU,
    GPU_PROVIDER,
    HOST,
    NIC_PROVIDER,
    PF,
    function,
    holding,
    host,
    mixed_gpu,
    nic,
    share,
    vf,
)

from sundog.core.choosing.assignment import CellShare
from sundog.core.devices.device import DeviceKind
from sundog.core.hosts.allocation import allocation_of


def test_pins_and_blocked_cpus_are_pcpus_and_floating_ones_vcpus() -> None:
    """Small pages are memory, huge pages are counted, the last one whole."""
    cells = (
        CellShare(host_cell=0, guest_cell=None, shared_cpus=2, memory_mb=300),
        CellShare(
            host_cell=1,
            guest_cell=0,
            pins=((0, 6), (1, 7)),
            blocked=frozenset({5}),
            memory_mb=301,
            page_kb=2048,
        ),
    )
    held = holding(cells=cells, disk_gb=7)
    assert allocation_of(held.assignment, host()) == {
        HOST: {"DISK_GB": 7},
        CELL_0: {"VCPU": 2, "MEMORY_MB": 300},
        CELL_1: {"PCPU": 3, "CUSTOM_HUGEPAGES_2048KB": 151},
    }


def test_shares_of_one_cell_add_up_and_nothing_is_charged_as_zero() -> None:
    """Two guest cells on one host cell are one amount."""
    cells = tuple(CellShare(host_cell=0, guest_cell=n, shared_cpus=1) for n in (0, 1))
    assert allocation_of(holding(cells=cells).assignment, host()) == {
        CELL_0: {"VCPU": 2}
    }


def test_devices_are_charged_their_cost_where_the_card_has_a_budget() -> None:
    """Two mixed mdevs, a VF, and a VF of a card that is no longer offered."""
    gpu, port = mixed_gpu(), nic()
    devices = (
        share(gpu.devices[0], GPU, 0),
        share(gpu.devices[1], GPU, 1),
        share(port.devices[1], PF, 2),
    )
    held = holding(*devices)
    assert allocation_of(held.assignment, host(gpu, port)) == {
        GPU_PROVIDER: {"CUSTOM_SMALL": 1, "CUSTOM_LARGE": 1, "CUSTOM_CARD_BUDGET": 5},
        NIC_PROVIDER: {"CUSTOM_PCI_15B3_101E": 1, "CUSTOM_CARD_BUDGET": 1},
    }
    left = holding(share(function(vf(1), DeviceKind.VF), PF))
    assert allocation_of(left.assignment, host()) == {
        NIC_PROVIDER: {"CUSTOM_PCI_15B3_101E": 1}
    }


def test_a_host_that_counts_no_disk_charges_none() -> None:
    """Otherwise Placement would refuse every guest with a disk."""
    assert allocation_of(holding(disk_gb=7).assignment, host(disk_gb=0)) == {}
