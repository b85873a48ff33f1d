"""Rules that would offer a card in another way than servers hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.devices.device import DeviceKind
from sundog.core.devices.device_spec import first_match
from sundog.core.hosts.vfs import vfs_wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sundog.core.devices.device import PciFunction
    from sundog.core.devices.device_spec import DeviceSpec
    from sundog.core.devices.pci_address import PciAddress
    from sundog.core.hosts.host_snapshot import Holding, HostFacts


def switches(
    facts: HostFacts, specs: Sequence[DeviceSpec], held: Sequence[Holding]
) -> tuple[str, ...]:
    """Return why rules cannot be taken now: a line for each held device.

    A held PF of which VFs would be made or offered instead, and a held VF whose PF
    would be offered instead. What only leaves the whitelist is none: it stays until
    it is freed.
    """
    functions = {function.address: function for function in facts.functions}
    wanted = vfs_wanted(facts.functions, specs)
    found = []
    for holding in held:
        for share in holding.assignment.devices:
            function = functions.get(share.address)
            if function is None or share.is_made:
                continue
            other = "; ".join(_instead(function, functions, specs, wanted))
            if other:
                found.append(
                    f"{facts.name}: server {holding.consumer} holds {share.address} as "
                    f"a {share.kind.value}, but {other}; delete the server first, or "
                    "leave the rule as it was"
                )
    return tuple(found)


def _instead(
    function: PciFunction,
    functions: Mapping[PciAddress, PciFunction],
    specs: Sequence[DeviceSpec],
    wanted: Mapping[PciAddress, int],
) -> Iterator[str]:
    """Say what rules would do with a card of which a function is held."""
    if wanted.get(function.address):
        yield f"sriov_numvfs would make {wanted[function.address]} VFs of it"
    parent = functions.get(function.parent) if function.parent is not None else None
    if _is_offered(function, parent, specs):
        return
    if function.kind is DeviceKind.PF:
        vfs = [one for one in functions.values() if one.parent == function.address]
        if any(_is_offered(one, function, specs) for one in vfs):
            yield "its VFs would be offered instead"
    elif parent is not None and _is_offered(parent, None, specs):
        yield f"its PF {parent.address} would be offered instead"


def _is_offered(
    function: PciFunction, parent: PciFunction | None, specs: Sequence[DeviceSpec]
) -> bool:
    spec = first_match(specs, function, parent)
    return spec is not None and not spec.offers_types
