"""The NUMA policies, as the table of policies has them."""

from __future__ import annotations

from itertools import permutations

import pytest
from tests.core.choosing.plain_hosts import (
    asked,
    cell,
    floating,
    gpu,
    host,
    nic,
    parent,
    pinned,
)

from sundog.core.choosing.choose_host import fit_host
from sundog.core.requests.guest_request import DeviceWant, NumaPolicy

REQUIRED, SOCKET, PREFERRED, LEGACY = NumaPolicy
# Cells 0 and 1 are one socket, as with SNC; cell 2 is another. Only cell 0 has CPUs.
SNC = (
    cell(0, socket=0),
    cell(1, socket=0, dedicated=0),
    cell(2, socket=1, dedicated=0),
)


@pytest.mark.parametrize(
    ("nodes", "allowed"),
    [
        ((0,), {REQUIRED, SOCKET, LEGACY, PREFERRED}),
        ((), {LEGACY, PREFERRED}),
        ((1,), {SOCKET, PREFERRED}),
        ((2,), {PREFERRED}),
        ((9,), {PREFERRED}),
        ((1, 0), {REQUIRED, SOCKET, LEGACY, PREFERRED}),
    ],
)
@pytest.mark.parametrize("policy", NumaPolicy)
def test_a_policy_allows_its_columns(
    policy: NumaPolicy, nodes: tuple[int, ...], allowed: set[NumaPolicy]
) -> None:
    """Same cell, unknown node, same socket, other socket: each by its table."""
    state = host(gpu(1, *nodes), cells=SNC)
    assert (fit_host(pinned(asked(policy)), state) is not None) == (policy in allowed)


def test_an_unknown_socket_is_no_socket() -> None:
    """Cells that do not tell their socket do not share one."""
    cells = (cell(0, socket=None), cell(1, socket=None, dedicated=0))
    assert fit_host(pinned(asked(SOCKET)), host(gpu(1, 1), cells=cells)) is None


def test_preferred_takes_the_nearest() -> None:
    """Same cell is best, then an unknown node, then the socket, then the rest."""
    cards = [gpu(4, 0), gpu(3), gpu(2, 1), gpu(1, 2)]
    while cards:
        found = fit_host(pinned(asked(PREFERRED)), host(*cards, cells=SNC))
        assert found is not None
        assert found.devices[0].address == cards.pop(0).address


@pytest.mark.parametrize("policies", list(permutations((PREFERRED, REQUIRED))))
def test_the_order_of_policies_does_not_matter(
    policies: tuple[NumaPolicy, ...],
) -> None:
    """What prefers does not take the only device from what requires."""
    state = host(gpu(1, 0), gpu(2, 1), cells=(cell(0), cell(1, dedicated=0)))
    requests = [asked(policy, 1, policy.value) for policy in policies]
    found = fit_host(pinned(*requests), state)
    assert found is not None
    buses = {share.slot: share.address.bus for share in found.devices}
    assert buses == {"required/0": 1, "preferred/0": 2}


def test_a_floating_guest_that_requires_gets_a_cell() -> None:
    """Without a topology, ``required`` makes one: the cell of the device."""
    found = fit_host(floating(asked(REQUIRED)), host(gpu(1, 1)))
    assert found is not None
    assert found.has_topology
    assert [(s.host_cell, s.guest_cell) for s in found.cells] == [(1, 0)]
    assert found.devices[0].guest_cell == 0


def test_a_floating_guest_is_charged_near_its_device() -> None:
    """``legacy`` floats; the cell of the device is charged first."""
    found = fit_host(floating(asked(LEGACY)), host(gpu(1, 1)))
    assert found is not None
    assert not found.has_topology
    assert [share.host_cell for share in found.cells] == [1]
    assert found.devices[0].guest_cell is None


def test_a_floating_guest_is_split_when_no_cell_holds_it() -> None:
    """More vCPUs than a cell shares come from several, the near one first."""
    found = fit_host(floating(asked(), vcpus=6), host(gpu(1, 1)))
    assert found is not None
    amounts = [(s.host_cell, s.shared_cpus, s.memory_mb) for s in found.cells]
    assert amounts == [(1, 4, 1024), (0, 2, 0)]


def test_a_guest_without_devices_avoids_device_cells() -> None:
    """The cell with a free GPU is left to guests that need it."""
    found = fit_host(pinned(), host(gpu(1, 0)))
    assert found is not None
    assert found.cells[0].host_cell == 1


def test_unrelated_devices_do_not_attract() -> None:
    """A guest with a NIC goes to the NIC beside which no GPU is free."""
    want = nic(9).devices[1]
    assert want.resource_class == "CUSTOM_NIC"
    request = pinned(asked(REQUIRED, want=_like(want.resource_class)))
    found = fit_host(request, host(nic(1, 0), gpu(2, 0), nic(3, 1)))
    assert found is not None
    assert found.cells[0].host_cell == 1


def test_the_least_versatile_card_is_taken() -> None:
    """A type comes from the card that can make nothing else."""
    cards = (parent(1, 0, a=2, b=4), parent(2, 0, a=2))
    request = pinned(asked(REQUIRED, want=_type("a")))
    found = fit_host(request, host(*cards))
    assert found is not None
    assert found.devices[0].card == cards[1].address


def _like(resource_class: str) -> DeviceWant:
    return DeviceWant(resource_class=resource_class)


def _type(name: str) -> DeviceWant:
    return DeviceWant(type_id=name)
