"""Simulated vGPUs share their card as the driver has them do it."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.libvirt.vgpu_folder import VgpuFiles, creatable, current
from sundog.edges.simulation.host_file import read_host_file
from sundog.edges.simulation.host_model import Fault, FaultKind
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host

MIXED = PciAddress.parse("0000:17:00.0")
ONE_SIZE = PciAddress.parse("0000:b1:00.0")
L4 = PciAddress.parse("0000:ca:00.0")
SIZES = {
    1147: 1,
    1148: 2,
    1150: 4,
    1152: 8,
    1153: 12,
    1154: 16,
    1155: 24,
    1156: 48,
    1161: 8,
}
HOST = read_host_file(shipped_host("vgpu-17"))


@pytest.fixture
def kernel() -> SimulatedKernel:
    return SimulatedKernel(HOST)


def vfs(kernel: SimulatedKernel, card: PciAddress) -> tuple[PciAddress, ...]:
    return next(each for each in kernel.functions() if each.address == card).vfs


def folder(kernel: SimulatedKernel, vf: PciAddress) -> VgpuFiles:
    found = kernel.vgpu_files(vf)
    assert found is not None
    return VgpuFiles(*found)


def lists(kernel: SimulatedKernel, vf: PciAddress) -> set[int]:
    return {int(each) for each in creatable(folder(kernel, vf))}


def refused(number: int) -> pytest.RaisesExc[OSError]:
    return pytest.raises(OSError, check=lambda error: error.errno == number)


def test_the_list_shrinks_with_what_siblings_are(kernel: SimulatedKernel) -> None:
    """Beside 24 of 48 GiB nothing larger than 24 is listed; on a set VF nothing."""
    one, two, *_ = vfs(kernel, MIXED)
    assert lists(kernel, one) == set(SIZES)
    kernel.set_vgpu_type(one, "1155")
    assert lists(kernel, one) == set()
    assert current(folder(kernel, one)) == "1155"
    assert lists(kernel, two) == set(SIZES) - {1156}
    with refused(errno.EIO):
        kernel.set_vgpu_type(two, "1156")
    kernel.set_vgpu_type(one, "0")
    assert lists(kernel, two) == set(SIZES)


def test_without_the_mode_the_first_decides_the_size(kernel: SimulatedKernel) -> None:
    """Of either series; the mode cannot be changed beside a vGPU."""
    one, two, *_ = vfs(kernel, ONE_SIZE)
    kernel.set_vgpu_type(one, "1152")
    assert lists(kernel, two) == {1152, 1161}
    with refused(errno.EBUSY):
        kernel.mix_sizes(ONE_SIZE, on=True)
    kernel.set_vgpu_type(one, "0")
    kernel.mix_sizes(ONE_SIZE, on=True)
    kernel.set_vgpu_type(one, "1152")
    assert lists(kernel, two) == set(SIZES) - {1156}


def test_enabling_vfs_ends_the_mode_without_a_word(kernel: SimulatedKernel) -> None:
    """Set before, it is gone; set afterwards it holds, until the next boot."""
    kernel.set_vfs(L4, 24)
    one, two, *_ = vfs(kernel, L4)
    kernel.set_vgpu_type(one, "905")
    assert lists(kernel, two) == {905}
    with refused(errno.EBUSY):
        kernel.set_vfs(L4, 0)
    kernel.set_vgpu_type(one, "0")
    kernel.mix_sizes(L4, on=True)
    kernel.set_vfs(L4, 24)
    kernel.set_vgpu_type(one, "905")
    assert 910 in lists(kernel, two)


def test_refusals_have_sysfs_numbers(kernel: SimulatedKernel) -> None:
    """A PF has no folder, nor has a VF of another driver; an id must be known."""
    one = vfs(kernel, MIXED)[0]
    for nowhere in (MIXED, PciAddress.parse("0000:31:00.0")):
        assert kernel.vgpu_files(nowhere) is None
        with refused(errno.ENOENT):
            kernel.set_vgpu_type(nowhere, "1152")
    with refused(errno.ENOENT):
        kernel.mix_sizes(PciAddress.parse("0000:31:00.0"), on=True)
    with refused(errno.EINVAL):
        kernel.set_vgpu_type(one, "7")
    kernel.set_vgpu_type(one, "1152")
    with refused(errno.EBUSY):
        kernel.set_vgpu_type(one, "1152")
    kernel.bind(one, "vfio-pci")
    assert kernel.vgpu_files(one) is None


def test_a_reboot_and_a_fall_from_the_bus_leave_no_type(
    kernel: SimulatedKernel,
) -> None:
    """The mode is again what the host file says."""
    one, two, *_ = vfs(kernel, ONE_SIZE)
    kernel.mix_sizes(ONE_SIZE, on=True)
    kernel.set_vgpu_type(one, "1152")
    kernel.reboot()
    assert current(folder(kernel, one)) == ""
    kernel.set_vgpu_type(one, "1152")
    assert lists(kernel, two) == {1152, 1161}
    kernel.ask_fault(Fault(kind=FaultKind.VANISHES, card=ONE_SIZE))
    assert kernel.vgpu_files(one) is None
    kernel.clear_faults()
    kernel.set_vfs(ONE_SIZE, 32)
    assert lists(kernel, one) == set(SIZES)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    card=st.sampled_from([MIXED, ONE_SIZE]),
    writes=st.lists(
        st.tuples(st.integers(0, 31), st.sampled_from([0, *sorted(SIZES)])),
        max_size=40,
    ),
    lost=st.booleans(),
)
def test_a_write_does_what_the_list_says_and_never_oversells(
    card: PciAddress,
    writes: list[tuple[int, int]],
    lost: bool,  # noqa: FBT001 - Hypothesis passes what it drew by name
) -> None:
    """In any order, with the mode lost or not."""
    kernel = SimulatedKernel(HOST)
    if lost:
        kernel.ask_fault(Fault(kind=FaultKind.MODE_LOST, card=card))
    places = vfs(kernel, card)
    for number, type_id in writes:
        vf = places[number]
        before = current(folder(kernel, vf))
        allowed = type_id == 0 or type_id in lists(kernel, vf)
        try:
            kernel.set_vgpu_type(vf, str(type_id))
        except OSError:
            assert not allowed
        else:
            assert allowed
            before = str(type_id) if type_id else ""
        assert current(folder(kernel, vf)) == before
        sizes = [
            SIZES[int(each)]
            for place in places
            if (each := current(folder(kernel, place)))
        ]
        assert sum(sizes) <= 48
        assert (card == MIXED and not lost) or len(set(sizes)) <= 1
