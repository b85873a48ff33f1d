"""A guest request, prepared once so that many hosts can be tried against it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sundog.core.choosing.fitting.card_modes import Kind, Profile, profile_of
from sundog.core.devices.device import DeviceKind
from sundog.core.hosts.pages import SMALL_PAGE_KB
from sundog.core.requests.guest_request import (
    CpuPolicy,
    DeviceRequest,
    DeviceWant,
    GuestCell,
    GuestRequest,
    NumaPolicy,
    PageChoice,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sundog.core.choosing.card_room import CardRoom, CardShape, Face
    from sundog.core.choosing.host_room import HostRoom
    from sundog.core.choosing.taste import Taste

BINDING_POLICIES = (NumaPolicy.REQUIRED, NumaPolicy.SOCKET)


class Need(NamedTuple):
    """What a guest cell takes of its host cell: floating vCPUs, pins, MiB."""

    shared: int
    pinned: int
    memory: int


class Least(NamedTuple):
    """What a host must have free at least, in sum; memory in MiB.

    ``most_pins`` must be in one cell, for a guest of one cell with ``near`` devices.
    """

    most_pins: int
    near: int
    pins: int
    shared: int
    memory: int


@dataclass(frozen=True, slots=True)
class Demand:
    """Devices that are asked for alike; ``slots`` names each (slot, alias)."""

    wants: tuple[DeviceWant, ...]
    policy: NumaPolicy
    slots: tuple[tuple[str, str], ...]

    @property
    def count(self) -> int:
        """How many devices."""
        return len(self.slots)


class Unit(NamedTuple):
    """Demands (by number) that need cards of their own, or all the same one card."""

    demands: tuple[int, ...]
    one_card: bool


class Ask:
    """A request with what was learnt of it on the way.

    It remembers, by shape, what each card can do for the request: alike cards on
    all hosts are looked at once.
    """

    def __init__(self, request: GuestRequest, taste: Taste) -> None:
        """Prepare a request."""
        self.request = request
        self.taste = taste
        self.cells = guest_cells(request)
        self.needs = tuple(
            Need(len(c.cpus - c.dedicated), len(c.dedicated), c.memory_mb)
            for c in self.cells
        )
        wanted = [device for device in request.devices if device.count > 0]
        sizes: Counter[str] = Counter()
        for device in wanted:
            sizes[_unit_of(device)] += device.count
        self.isolate = request.isolate_groups and len(sizes) > 1
        self.one_a_card = self.isolate and max(sizes.values()) == 1
        self.units, self.demands = self._demands(wanted, sizes)
        self.no_choice = (-1,) * len(self.demands)
        self.strict = tuple(
            number
            for number, demand in enumerate(self.demands)
            if demand.policy is NumaPolicy.REQUIRED
        )
        self.total = sum(demand.count for demand in self.demands)
        self.least = self._least()
        self.kinds: list[Kind] = []
        self._kind_numbers: dict[Kind, int] = {}
        self._choices: dict[Face, tuple[int, ...] | None] = {}
        self._profiles: dict[CardShape, Profile | None] = {}
        self._strange: dict[CardShape, frozenset[tuple[Face, int]]] = {}

    def _demands(
        self, wanted: Iterable[DeviceRequest], sizes: Mapping[str, int]
    ) -> tuple[tuple[Unit, ...], tuple[Demand, ...]]:
        """Merge requests that ask alike, unless they are of different units."""
        merged: dict[object, list[DeviceRequest]] = {}
        units: dict[str, list[int]] = {}
        one_card: set[str] = set()
        for device in wanted:
            name = _unit_of(device)
            if sizes[name] > 1 and (device.group or device.same_card):
                one_card.add(name)
            own = name in one_card or (self.isolate and not self.one_a_card)
            key = (device.wants, self._policy(device), name if own else None)
            if own and key not in merged:
                units.setdefault(name, []).append(len(merged))
            merged.setdefault(key, []).append(device)
        parted = tuple(
            Unit(tuple(demands), name in one_card) for name, demands in units.items()
        )
        return parted, tuple(
            Demand(
                alike[0].wants,
                self._policy(alike[0]),
                tuple(
                    (slot, device.alias) for device in alike for slot in device.slots
                ),
            )
            for alike in merged.values()
        )

    def _policy(self, device: DeviceRequest) -> NumaPolicy:
        """Let a guest that floats only prefer: it has no cells to be bound to."""
        return device.policy if self.cells else NumaPolicy.PREFERRED

    def _least(self) -> Least:
        request, needs = self.request, self.needs
        if not needs:
            return Least(0, 0, 0, request.vcpus, request.memory_mb)
        near = 0
        if len(needs) == 1:
            near = max((self.demands[d].count for d in self.strict), default=0)
        pins = [need.pinned for need in needs]
        shared, memory = sum(n.shared for n in needs), sum(n.memory for n in needs)
        return Least(max(pins), near, sum(pins), shared, memory)

    def choice(self, face: Face) -> tuple[int, ...] | None:
        """Tell which want of each demand a face serves (-1: none); None if useless."""
        if face not in self._choices:
            wants = tuple(_first_match(d.wants, face) for d in self.demands)
            self._choices[face] = wants if any(w >= 0 for w in wants) else None
        return self._choices[face]

    def profile(self, card: CardRoom) -> Profile | None:
        """Tell what a card can do for the request; None when nothing."""
        if card.shape not in self._profiles:
            number = len(self._profiles)
            self._profiles[card.shape] = profile_of(self, card, number)
        return self._profiles[card.shape]

    def kind_number(self, kind: Kind) -> int:
        """Give a kind of supply a number, the same wherever it is met."""
        number = self._kind_numbers.setdefault(kind, len(self.kinds))
        if number == len(self.kinds):
            self.kinds.append(kind)
        return number

    def strange(self, card: CardRoom) -> frozenset[tuple[Face, int]]:
        """List a card's free devices that the request does not ask for."""
        if card.shape not in self._strange:
            self._strange[card.shape] = frozenset(
                (offer.face, offer.mask)
                for group in card.functions
                for offer in group.offers
                if self.choice(offer.face) is None
            )
        return self._strange[card.shape]

    def page_sizes(self, room: HostRoom) -> tuple[int, ...]:
        """List the page sizes in KiB to try on a host, best first."""
        choice = self.request.page_size
        if choice in (None, PageChoice.SMALL):
            return (SMALL_PAGE_KB,)
        huge = sorted({size for c in room.cells for size, _ in c.pages}, reverse=True)
        match choice:
            case PageChoice.LARGE:
                return tuple(huge)
            case PageChoice.ANY:
                return (*huge, SMALL_PAGE_KB)
            case _:
                return (choice,)


def guest_cells(request: GuestRequest) -> tuple[GuestCell, ...]:
    """List the guest cells to be fitted; none when the guest floats.

    A guest without cells whose devices are bound to its cells, whose vCPUs are
    pinned, or whose pages are chosen is one cell.
    """
    bound = (
        any(d.policy in BINDING_POLICIES and d.count for d in request.devices)
        or request.cpu_policy is CpuPolicy.DEDICATED
        or request.page_size is not None
    )
    if request.cells or not bound:
        return request.cells
    cpus = frozenset(range(request.vcpus))
    pinned = request.cpu_policy is CpuPolicy.DEDICATED
    return (
        GuestCell(
            id=0,
            cpus=cpus,
            dedicated=cpus if pinned else frozenset(),
            memory_mb=request.memory_mb,
        ),
    )


def _unit_of(device: DeviceRequest) -> str:
    """Name what shares a card and is isolated as one: a group, or a request alone."""
    return f"group {device.group}" if device.group else f"request {device.id}"


def _first_match(wants: tuple[DeviceWant, ...], face: Face) -> int:
    found = (index for index, want in enumerate(wants) if serves(face, want))
    return next(found, -1)


def serves(face: Face, want: DeviceWant) -> bool:
    """Tell whether a device of this face is what a want describes."""
    if want.kind is None:
        kind_fits = face.kind != DeviceKind.PF.value
    else:
        kind_fits = face.kind == want.kind.value
    return (
        kind_fits
        and (want.vendor_id is None or want.vendor_id.lower() == face.vendor)
        and (want.product_id is None or want.product_id.lower() == face.product)
        and want.type_id in (None, face.type_id, face.type_name)
        and want.resource_class in (None, face.resource_class)
        and want.traits.issubset(face.traits)
        and want.forbidden_traits.isdisjoint(face.traits)
        and (want.live_migratable is None or int(want.live_migratable) == face.live)
    )
