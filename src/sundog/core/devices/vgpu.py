"""vGPUs of the vendor-VFIO kind: a type that is set on a VF.

The driver lists on each VF what may be set there now, and the list shrinks as
siblings are set: a type that fits no more is on no list. So what a card can make is
what its VFs list together, and what they have listed before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from sundog.core.devices.device import DeviceKind, Mdev, MdevType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sundog.core.devices.device import PciFunction
    from sundog.core.devices.pci_address import PciAddress

_VGPUS: Final = UUID("4be8b4a0-5c2f-5a47-9a0a-5f2b6d0c7e31")


def vgpu_uuid(function: PciAddress, type_id: str) -> UUID:
    """Name the vGPU that a VF is; the same wherever it is asked."""
    return uuid5(_VGPUS, f"{function} {type_id}")


def set_vgpus(
    functions: Iterable[PciFunction], whole: Collection[PciAddress] = ()
) -> tuple[Mdev, ...]:
    """Return the vGPUs that are set now, whoever set them.

    VFs in ``whole`` are handed out as functions, whatever their type is.
    """
    return tuple(
        Mdev(
            uuid=vgpu_uuid(function.address, function.vgpu.current),
            type_id=function.vgpu.current,
            parent=function.address,
            iommu_group=function.iommu_group,
            kind=DeviceKind.VGPU,
        )
        for function in functions
        if function.vgpu and function.vgpu.current and function.address not in whole
    )


def types_of_cards(
    functions: Iterable[PciFunction],
) -> dict[PciAddress, tuple[MdevType, ...]]:
    """Return the vGPU types that the VFs of each card tell together, by its PF."""
    found: defaultdict[PciAddress, list[MdevType]] = defaultdict(list)
    for function in functions:
        if function.parent is not None and function.vgpu is not None:
            found[function.parent] += function.vgpu.types
    return {card: merged(types) for card, types in found.items()}


def merged(types: Iterable[MdevType]) -> tuple[MdevType, ...]:
    """Return each type once, in the order of ids; one that tells its name, if any."""
    found: dict[str, MdevType] = {}
    for kind in types:
        if kind.id not in found or not found[kind.id].name:
            found[kind.id] = kind
    return tuple(sorted(found.values(), key=lambda kind: (len(kind.id), kind.id)))


def learnt(
    functions: Iterable[PciFunction], known: Mapping[PciAddress, Sequence[MdevType]]
) -> dict[PciAddress, tuple[MdevType, ...]]:
    """Return what is worth knowing of each card's types when its VFs list fewer.

    What was known stays, unless no VF is set and some list something: then that is
    all that the card makes.
    """
    found = tuple(functions)
    used = {
        function.parent
        for function in found
        if function.vgpu is None or function.vgpu.current
    }
    notes = {}
    for card, types in types_of_cards(found).items():
        before = known.get(card, ()) if card in used or not types else ()
        notes[card] = tuple(
            MdevType(id=kind.id, name=kind.name, size_mb=kind.size_mb)
            for kind in merged((*types, *before))
            if kind.name
        )
    return notes


def with_known_types(
    functions: Iterable[PciFunction],
    known: Mapping[PciAddress, Sequence[MdevType]] | None = None,
) -> tuple[PciFunction, ...]:
    """Let each VF tell all types of its card; those that it does not list: none now.

    ``known`` has what cards told before, by their PFs.
    """
    found = tuple(functions)
    used: Counter[tuple[PciAddress | None, str]] = Counter(
        (function.parent, function.vgpu.current) for function in found if function.vgpu
    )
    every = {}
    for card, types in types_of_cards(found).items():
        before = [replace(kind, available=0) for kind in (known or {}).get(card, ())]
        here = Counter({id_: n for (at, id_), n in used.items() if at == card})
        every[card] = _shared(merged((*types, *before)), here)
    # VFs of a card mostly list the same; what they tell is worked out once.
    done: dict[tuple[PciAddress, tuple[MdevType, ...]], tuple[MdevType, ...]] = {}

    def completed(function: PciFunction) -> PciFunction:
        card, part = function.parent, function.vgpu
        if card is None or part is None:
            return function
        key = card, part.types
        if key not in done:
            own = {kind.id: kind.available for kind in part.types}
            done[key] = tuple(
                replace(kind, available=own.get(kind.id, 0)) for kind in every[card]
            )
        return replace(function, vgpu=replace(part, types=done[key]))

    return tuple(completed(function) for function in found)


def _shared(types: Sequence[MdevType], used: Counter[str]) -> tuple[MdevType, ...]:
    """Tell of each type how many an empty card makes, by the card's framebuffer.

    That is the largest type's, for NVIDIA's drivers have one that takes it all; or
    what is used and could be used beside it, where that type was never listed.
    """
    sizes = {kind.id: kind.size_mb or 0 for kind in types}
    now = max((sizes[kind.id] for kind in types if kind.available), default=0)
    now += sum(sizes.get(type_id, 0) * count for type_id, count in used.items())
    card_mb = max([now, *sizes.values()])
    return tuple(
        replace(kind, total=card_mb // kind.size_mb, card_mb=card_mb)
        if kind.size_mb
        else kind
        for kind in types
    )
