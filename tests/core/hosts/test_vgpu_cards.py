"""A host offers its VFs as vGPUs, and knows whose is whose."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.core.hosts.vgpu_hosts import (
    ANY,
    CARD,
    ONE,
    PF,
    ROOT,
    TYPES,
    asking,
    card_of,
    held,
    only_card,
    snapshot,
)

from sundog.core.choosing.choose_host import check, fit_host
from sundog.core.devices.device import DeviceKind, VgpuPart
from sundog.core.hosts.called_tree import call_for
from sundog.core.hosts.card_inventory import CARD_BUDGET
from sundog.core.hosts.host_snapshot import HostState
from sundog.core.hosts.provider_tree import Inventory, card_name, provider_uuid
from sundog.core.hosts.whitelist import GONE, LEFT
from sundog.core.requests.guest_request import (
    DeviceRequest,
    DeviceWant,
    GuestRequest,
    NumaPolicy,
)

if TYPE_CHECKING:
    from sundog.core.choosing.assignment import DeviceShare


def test_each_vf_is_offered_as_every_type_of_its_rule() -> None:
    """The PF of the same rule is not; classes are by name, one budget for all."""
    card = only_card(snapshot(card_of()))
    assert (card.address, card.product, card.budget) == (CARD, "L40S", 49152)
    assert {device.kind for device in card.devices} == {DeviceKind.VGPU}
    assert len(card.devices) == 24
    first = card.devices[0]
    assert (first.type_id, first.type_name, first.cost) == (
        "1152",
        "NVIDIA L40S-8Q",
        8192,
    )
    assert (first.total, first.available) == (1, 1)
    assert first.resource_class == "CUSTOM_NVIDIA_L40S_8Q"
    assert "CUSTOM_VGPU_TYPE_1152" in first.tags.traits


def test_one_type_is_of_the_class_vgpu() -> None:
    """Or of the rule's; by number or by name."""
    for rule in ('{"vgpu_type": 1152}', '{"vgpu_type": ["NVIDIA L40S-8Q"]}'):
        card = only_card(snapshot(card_of(), rule))
        assert {device.resource_class for device in card.devices} == {"VGPU"}
        assert {device.type_id for device in card.devices} == {"1152"}
        assert (card.budget, card.devices[0].cost) == (49152, 8192)
    named = only_card(snapshot(card_of(), '{"vgpu_type": "*", "resource_class": "G"}'))
    assert {device.resource_class for device in named.devices} == {"CUSTOM_G"}


def test_mixed_types_fill_the_card_to_the_last_mb() -> None:
    """24 and 3 of 8 fit and nothing more; 7 of 8 do not, although there are 8 VFs."""
    state = HostState(snapshot=snapshot(card_of()))
    full = fit_host(asking(q24=1, q8=3), state)
    assert full is not None
    assert len({share.address for share in full.devices}) == 4
    busy = replace(state, holdings=(held(full),))
    assert fit_host(asking(q8=1), busy) is None
    assert fit_host(asking(q8=6), state) is not None
    assert fit_host(asking(q8=7), state) is None
    assert fit_host(asking(q48=1), state) is not None
    assert fit_host(asking(q48=1, q8=1), state) is None


def test_the_number_of_vfs_bounds_the_card_too() -> None:
    """Two VFs are two vGPUs, however small."""
    state = HostState(snapshot=snapshot(card_of(vfs=2)))
    assert fit_host(asking(q8=2), state) is not None
    assert fit_host(asking(q8=3), state) is None


def test_what_is_held_is_counted_once_whether_or_not_a_scan_saw_it() -> None:
    """Before and after its type shows on the VF, the same is left."""
    empty = HostState(snapshot=snapshot(card_of()))
    mine = held(fit_host(asking(q24=1), empty))
    seen = snapshot(card_of("1155", left_mb=24576), held=(mine,))
    assert [vgpu.kind for vgpu in seen.mdevs] == [DeviceKind.VGPU]
    for state in (
        replace(empty, holdings=(mine,)),
        HostState(snapshot=seen, holdings=(mine,)),
    ):
        assert fit_host(asking(q8=3), state) is not None
        assert fit_host(asking(q8=4), state) is None
        assert fit_host(asking(q24=1), state) is not None


def test_the_kernels_word_wins_over_the_budget() -> None:
    """One size at a time: what is on no list any more is not offered."""
    functions = [
        replace(f, vgpu=VgpuPart(types=TYPES[:1])) if f.vgpu and n > 1 else f
        for n, f in enumerate(card_of("1152"))
    ]
    state = HostState(snapshot=snapshot(functions))
    assert fit_host(asking(q8=1), state) is not None
    assert fit_host(asking(q24=1), state) is None


def test_a_vf_that_others_set_is_theirs() -> None:
    """Its framebuffer is gone for us, its VF is not offered, and nothing says ours."""
    functions = card_of("1155", left_mb=24576)
    state = HostState(snapshot=snapshot(functions))
    found = fit_host(asking(q8=3), state)
    assert found is not None
    assert functions[1].address not in {share.address for share in found.devices}
    assert fit_host(asking(q8=4), state) is None
    ours = replace(found.devices[0], address=functions[1].address, type_id="1155")
    claimed = replace(found, devices=(replace(ours, cost=24576),))
    assert check(claimed, state)
    # Only who holds it already may go on with what is there.
    assert check(claimed, state, ONE) == ""


def test_a_type_of_others_that_no_rule_offers_leaves_the_kernels_word() -> None:
    """What it costs nobody says, but what may still be set was free."""
    rule = '{"vgpu_type": ["1152", "1155"], "one_type": false}'
    functions = card_of("9999", left_mb=24576)
    state = HostState(snapshot=snapshot(functions, rule))
    assert fit_host(asking(q24=1), state) is not None
    assert fit_host(asking(q24=1, q8=1), state) is None


def test_a_pf_excludes_its_vgpus_and_the_other_way_round() -> None:
    """The PF costs the whole card."""
    rules = ('{"address": "*:17:00.0"}', ANY)
    whole = GuestRequest(
        vcpus=1,
        memory_mb=64,
        devices=(
            DeviceRequest(
                id="p",
                alias="p",
                count=1,
                policy=NumaPolicy.LEGACY,
                wants=(DeviceWant(kind=DeviceKind.PF),),
            ),
        ),
    )
    state = HostState(snapshot=snapshot(card_of(), *rules))
    given = replace(state, holdings=(held(fit_host(whole, state)),))
    assert fit_host(asking(q8=1), given) is None
    sliced = replace(state, holdings=(held(fit_host(asking(q8=1), state)),))
    assert fit_host(whole, sliced) is None
    others = HostState(snapshot=snapshot(card_of("1152", left_mb=40960), *rules))
    assert fit_host(whole, others) is None


def test_a_vf_that_is_offered_whole_may_be_set_already() -> None:
    """As Nova has it: somebody set its type, and the rule hands the VF out."""
    rules = ('{"address": "*:17:00.4", "managed": "no"}', ANY)
    of = snapshot(card_of("1152", left_mb=40960), *rules)
    assert of.mdevs == ()
    vfs = [d for d in only_card(of).devices if d.kind is DeviceKind.VF]
    assert [str(vf.address) for vf in vfs] == ["0000:17:00.4"]
    request = asking(q8=1)
    plain = replace(
        request,
        devices=(replace(request.devices[0], wants=(DeviceWant(kind=DeviceKind.VF),)),),
    )
    assert fit_host(plain, HostState(snapshot=of)) is not None


def test_placement_has_a_class_for_each_type_and_the_budget() -> None:
    """What others set is kept back of both; what is ours is not."""
    provider = provider_uuid(ROOT, card_name("h1", CARD))
    empty = snapshot(card_of())
    inventories = call_for(empty, []).providers[provider].inventories
    assert inventories == {
        "CUSTOM_NVIDIA_L40S_8Q": Inventory.of(6),
        "CUSTOM_NVIDIA_L40S_24Q": Inventory.of(2),
        "CUSTOM_NVIDIA_L40S_48Q": Inventory.of(1),
        CARD_BUDGET: Inventory.of(49152),
    }
    mine = held(fit_host(asking(q24=1), HostState(snapshot=empty)))
    seen = snapshot(card_of("1155", left_mb=24576), held=(mine,))
    assert call_for(seen, [mine]).providers[provider].inventories == inventories
    others = call_for(seen, []).providers[provider].inventories
    assert others[CARD_BUDGET] == Inventory.of(49152, reserved=24576)
    assert others["CUSTOM_NVIDIA_L40S_24Q"] == Inventory.of(2, reserved=1)
    assert others["CUSTOM_NVIDIA_L40S_48Q"] == Inventory.of(1, reserved=1)


@pytest.mark.parametrize("cap", [1, 4])
def test_max_instances_caps_a_card_and_never_removes_it(cap: int) -> None:
    """Of six that fit, as many as the cap are given, and Placement has as many."""
    rule = f'{{"vgpu_type": 1152, "max_instances": {cap}}}'
    of = snapshot(card_of(), rule)
    state = HostState(snapshot=of)
    assert fit_host(asking(q8=cap), state) is not None
    assert fit_host(asking(q8=cap + 1), state) is None
    provider = provider_uuid(ROOT, card_name("h1", CARD))
    assert call_for(of, []).providers[provider].inventories["VGPU"].total == cap


def test_a_held_type_that_left_the_whitelist_is_kept_until_freed() -> None:
    """Its cost stays what it was claimed at; one that is on no VF is gone."""
    mine = held(fit_host(asking(q24=1), HostState(snapshot=snapshot(card_of()))))
    rule = '{"vgpu_type": 1152}'
    of = snapshot(card_of("1155", left_mb=24576), rule, held=(mine,))
    kept = [device for device in only_card(of).devices if device.unavailable]
    assert [(one.type_id, one.unavailable, one.cost) for one in kept] == [
        ("1155", LEFT, 24576)
    ]
    state = HostState(snapshot=of, holdings=(mine,))
    assert fit_host(asking(q8=3), state) is not None
    assert fit_host(asking(q8=4), state) is None
    share: DeviceShare = replace(mine.assignment.devices[0], type_id="77")
    lost = held(replace(mine.assignment, devices=(share,)))
    gone = snapshot(card_of(), held=(lost,))
    assert [d.unavailable for d in only_card(gone).devices if d.unavailable] == [GONE]


def test_a_rule_that_no_vf_meets_says_so() -> None:
    """Before VFs are enabled only the PF is there."""
    of = snapshot([PF], ANY)
    assert of.cards == ()
    (problem,) = of.problems
    assert "can be any vGPU; VFs must be enabled" in problem.reason
    assert snapshot(card_of(), ANY).problems == ()
