"""The simulated kernel behaves as hardware does, whatever the order of writes."""

from __future__ import annotations

import errno
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sundog.core.devices.pci_address import PciAddress
from sundog.edges.simulation.functions import room
from sundog.edges.simulation.host_file import parse_host, read_host_file
from sundog.edges.simulation.host_model import (
    Fault,
    FaultKind,
    MdevModel,
    Sharing,
    TypeModel,
)
from sundog.edges.simulation.kernel import SimulatedKernel
from sundog.edges.simulation.shipped import shipped_host

if TYPE_CHECKING:
    from sundog.edges.simulation.host_model import FunctionModel

P40 = PciAddress.parse("0000:17:00.0")
A100 = PciAddress.parse("0000:b1:00.0")
T4 = PciAddress.parse("0000:ca:00.0")
NIC = PciAddress.parse("0000:3b:00.0")
MISSING = PciAddress.parse("0000:01:00.0")
EXPECTED = {errno.ENOENT, errno.ENOSPC, errno.EBUSY, errno.ERANGE}
UUIDS = [UUID(int=number) for number in range(1, 60)]


@pytest.fixture
def kernel() -> SimulatedKernel:
    """Boot the host with every way of cutting up a card."""
    return SimulatedKernel(read_host_file(shipped_host("mixed")))


def function(kernel: SimulatedKernel, address: PciAddress) -> FunctionModel:
    return next(each for each in kernel.functions() if each.address == address)


def available(kernel: SimulatedKernel, address: PciAddress) -> dict[str, int]:
    return dict(function(kernel, address).available)


def refused(number: int) -> pytest.RaisesExc[OSError]:
    return pytest.raises(OSError, check=lambda error: error.errno == number)


def test_mixed_types_share_the_cards_memory(kernel: SimulatedKernel) -> None:
    """Each mdev lowers what all types still make; its removal gives it back."""
    full = {"nvidia-46": 24, "nvidia-47": 12, "nvidia-50": 4, "nvidia-53": 1}
    assert available(kernel, P40) == full
    kernel.create_mdev(P40, "nvidia-50", UUIDS[0])
    assert available(kernel, P40) == {
        "nvidia-46": 18,
        "nvidia-47": 9,
        "nvidia-50": 3,
        "nvidia-53": 0,
    }
    kernel.create_mdev(P40, "nvidia-46", UUIDS[1])
    assert available(kernel, P40)["nvidia-50"] == 2
    with refused(errno.ENOSPC):
        kernel.create_mdev(P40, "nvidia-53", UUIDS[2])
    kernel.remove_mdev(UUIDS[0])
    kernel.remove_mdev(UUIDS[1])
    assert available(kernel, P40) == full


def test_one_type_at_a_time(kernel: SimulatedKernel) -> None:
    """The first mdev drops the other types to none until the card is empty."""
    kernel.create_mdev(T4, "nvidia-232", UUIDS[0])
    assert available(kernel, T4) == {"nvidia-230": 0, "nvidia-232": 3}
    kernel.remove_mdev(UUIDS[0])
    assert available(kernel, T4) == {"nvidia-230": 16, "nvidia-232": 4}


def test_each_vf_takes_one_mdev_and_all_share_the_card(
    kernel: SimulatedKernel,
) -> None:
    """An SR-IOV card makes mdevs on its VFs only, as many as fit in all."""
    vfs = function(kernel, A100).vfs
    assert len(vfs) == 16
    assert available(kernel, A100) == {}
    for number, vf in enumerate(vfs[:5]):
        assert available(kernel, vf)["nvidia-470"] == 1
        kernel.create_mdev(vf, "nvidia-470", UUIDS[number])
        assert set(available(kernel, vf).values()) == {0}
        with refused(errno.ENOSPC):
            kernel.create_mdev(vf, "nvidia-470", UUIDS[20])
    assert set(available(kernel, vfs[0]).values()) == {0}
    assert set(available(kernel, vfs[9]).values()) == {0}
    kernel.remove_mdev(UUIDS[0])
    assert available(kernel, vfs[9]) == {
        "nvidia-468": 0,
        "nvidia-470": 1,
        "nvidia-471": 0,
    }
    with refused(errno.ENOENT):
        kernel.create_mdev(A100, "nvidia-470", UUIDS[9])
    with refused(errno.EBUSY):
        kernel.set_vfs(A100, 0)


def test_types_without_sizes_share_by_instances() -> None:
    """One of four instances takes a quarter of the card."""
    types = tuple(TypeModel(id=f"t{count}", instances=count) for count in (1, 2, 3, 4))
    mdev = MdevModel(types=types, sharing=Sharing.MIXED)
    assert room(mdev, ["t4", "t2"]) == (("t1", 0), ("t2", 0), ("t3", 0), ("t4", 1))


def test_sriov_numvfs(kernel: SimulatedKernel) -> None:
    """VFs come and go as a whole, at the places that SR-IOV gives them."""
    assert function(kernel, NIC).vfs == ()
    kernel.set_vfs(NIC, 9)
    places = function(kernel, NIC).vfs
    assert [str(place) for place in (places[0], places[7], places[8])] == [
        "0000:3b:02.0",
        "0000:3b:02.7",
        "0000:3b:03.0",
    ]
    vf = function(kernel, places[3])
    assert (vf.netdev, vf.driver) == ("ens1f0v3", "iavf")
    with refused(errno.EBUSY):
        kernel.set_vfs(NIC, 4)
    kernel.set_vfs(NIC, 0)
    assert function(kernel, NIC).vfs == ()
    with refused(errno.ERANGE):
        kernel.set_vfs(NIC, 17)
    with refused(errno.ENOENT):
        kernel.set_vfs(T4, 1)


def test_a_function_with_a_guests_driver_has_no_network_device(
    kernel: SimulatedKernel,
) -> None:
    """Binding vfio-pci takes the interface away; unbinding gives nothing back."""
    kernel.bind(NIC, "vfio-pci")
    assert (function(kernel, NIC).driver, function(kernel, NIC).netdev) == (
        "vfio-pci",
        "",
    )
    kernel.bind(NIC, "i40e")
    assert function(kernel, NIC).netdev == "ens1f0"
    with refused(errno.ENOENT):
        kernel.bind(MISSING, "x")


def test_refusals_have_sysfs_numbers(kernel: SimulatedKernel) -> None:
    """A card, type or mdev that is not there, and a name that is taken."""
    kernel.create_mdev(P40, "nvidia-46", UUIDS[0])
    with refused(errno.EEXIST):
        kernel.create_mdev(P40, "nvidia-46", UUIDS[0])
    for parent, type_id in ((MISSING, "nvidia-46"), (P40, "x"), (NIC, "nvidia-46")):
        with refused(errno.ENOENT):
            kernel.create_mdev(parent, type_id, UUIDS[1])
    with refused(errno.ENOENT):
        kernel.remove_mdev(UUIDS[1])


def test_a_reboot_forgets_what_was_made(kernel: SimulatedKernel) -> None:
    """mdevs, drivers and VFs beyond the boot configuration are gone; so are groups."""
    kernel.create_mdev(P40, "nvidia-46", UUIDS[0])
    kernel.set_vfs(NIC, 4)
    kernel.set_vfs(A100, 0)
    kernel.bind(NIC, "vfio-pci")
    before, groups = kernel.boot_id(), function(kernel, T4).group
    kernel.reboot()
    assert kernel.boot_id() != before
    assert kernel.mdevs() == ()
    assert function(kernel, NIC).vfs == ()
    assert function(kernel, NIC).driver == "i40e"
    assert len(function(kernel, A100).vfs) == 16
    assert function(kernel, T4).group != groups


def test_a_card_that_vanishes_comes_back_empty(kernel: SimulatedKernel) -> None:
    """Its VFs and mdevs go with it; the others go on."""
    vf = function(kernel, A100).vfs[0]
    kernel.create_mdev(vf, "nvidia-468", UUIDS[0])
    kernel.create_mdev(P40, "nvidia-46", UUIDS[1])
    kernel.ask_fault(Fault(kind=FaultKind.VANISHES, card=A100))
    assert {each.card.address for each in kernel.functions()} & {A100} == set()
    assert kernel.node_device(vf.node_device) is None
    assert [each.uuid for each in kernel.mdevs()] == [UUIDS[1]]
    with refused(errno.ENOENT):
        kernel.remove_mdev(UUIDS[0])
    kernel.clear_faults()
    assert function(kernel, A100).vfs == ()
    assert [each.uuid for each in kernel.mdevs()] == [UUIDS[1]]


@pytest.mark.parametrize("asked_late", [False, True])
def test_a_fault_strikes_after_some_scans_and_for_some_times(
    *, asked_late: bool
) -> None:
    """A card vanishes for two readings after one good one, in a file or on demand."""
    host = read_host_file(shipped_host("small"))
    card = host.cards[0].address
    kernel = SimulatedKernel(host)
    if asked_late:
        kernel.node_devices()
        kernel.node_devices()
    kernel.ask_fault(Fault(kind=FaultKind.VANISHES, card=card, after_scans=1, times=2))
    seen = [
        any(card.node_device in text for text in kernel.node_devices())
        for _ in range(5)
    ]
    assert seen == [True, False, False, True, True]


def test_a_fault_of_the_host_file_strikes() -> None:
    """What the file asks for is there from the first boot on."""
    text = shipped_host("small").read_text()
    text += '[[faults]]\nkind = "create-fails"\ncard = "0000:17:00.0"\ntimes = 2\n'
    kernel = SimulatedKernel(parse_host(text))
    for _ in range(2):
        with refused(errno.EIO):
            kernel.create_mdev(P40, "nvidia-230", UUIDS[0])
    kernel.create_mdev(P40, "nvidia-230", UUIDS[0])


def test_explicit_iommu_groups_are_shared() -> None:
    """Functions of one group list each other."""
    text = shipped_host("small").read_text().replace('driver = "nvidia"', "")
    text = text.replace("node = 0", "node = 0\niommu_group = 7")
    text = text.replace("node = 1", "node = 1\niommu_group = 7")
    kernel = SimulatedKernel(parse_host(text))
    assert {each.group for each in kernel.functions()} == {7}
    one, other = kernel.functions()
    assert one.group_members == other.group_members == (one.address, other.address)


def test_threads_never_oversell_a_card(kernel: SimulatedKernel) -> None:
    """Sixty writers at once get exactly what fits."""

    def create(uuid: UUID) -> bool:
        try:
            kernel.create_mdev(P40, "nvidia-46", uuid)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, UUIDS)) == 24


class AnyOrder(RuleBasedStateMachine):
    """Writes in any order: the invariants of the cards hold after each."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = SimulatedKernel(
            read_host_file(shipped_host("mixed")), new_id=lambda: UUIDS[0]
        )
        self.made = 0

    def _try(self, write: object, *arguments: object) -> None:
        assert callable(write)
        try:
            write(*arguments)
        except OSError as error:
            if error.errno not in EXPECTED:
                raise

    @rule(place=st.integers(0, 40), kind=st.integers(0, 3))
    def create(self, place: int, kind: int) -> None:
        """Make an mdev; the kernel's word before must be what it does."""
        makers = [each for each in self.kernel.functions() if each.available]
        maker = makers[place % len(makers)]
        type_id, fits = maker.available[kind % len(maker.available)]
        self.made += 1
        uuid = uuid5(UUIDS[0], str(self.made))
        before = len(self.kernel.mdevs())
        self._try(self.kernel.create_mdev, maker.address, type_id, uuid)
        assert len(self.kernel.mdevs()) == before + (fits > 0)

    @rule(place=st.integers(0, 100))
    def remove(self, place: int) -> None:
        """Remove one that is there."""
        there = self.kernel.mdevs()
        if there:
            self._try(self.kernel.remove_mdev, there[place % len(there)].uuid)

    @rule(card=st.sampled_from([A100, NIC, T4]), count=st.integers(0, 17))
    def set_vfs(self, card: PciAddress, count: int) -> None:
        """Write sriov_numvfs."""
        self._try(self.kernel.set_vfs, card, count)

    @rule(card=st.sampled_from([A100, P40, NIC]), back=st.booleans())
    def vanish(self, card: PciAddress, *, back: bool) -> None:
        """Drop a card from the bus, perhaps bring it back."""
        self.kernel.ask_fault(Fault(kind=FaultKind.VANISHES, card=card))
        if back:
            self.kernel.clear_faults()

    @rule()
    def reboot(self) -> None:
        """Boot anew."""
        self.kernel.reboot()

    @invariant()
    def no_card_is_oversold(self) -> None:
        """Check that mdevs never exceed their card, nor a VF its one mdev."""
        cards = {card.address: card for card in self.kernel.host.cards}
        taken: Counter[PciAddress] = Counter()
        types: dict[PciAddress, set[str]] = {}
        parents: Counter[PciAddress] = Counter()
        for each in self.kernel.mdevs():
            mdev = cards[each.card].mdev
            assert mdev is not None
            taken[each.card] += mdev.cost(each.type_id)
            types.setdefault(each.card, set()).add(each.type_id)
            parents[each.parent] += 1
            assert taken[each.card] <= mdev.budget
            assert mdev.sharing is Sharing.MIXED or len(types[each.card]) == 1
            assert not mdev.on_vfs or parents[each.parent] == 1
        places = {each.address for each in self.kernel.functions()}
        assert {each.parent for each in self.kernel.mdevs()} <= places


AnyOrder.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, derandomize=True, deadline=None
)
test_in_any_order = AnyOrder.TestCase
