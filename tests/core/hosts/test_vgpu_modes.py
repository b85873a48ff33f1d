"""Whether a card's vGPUs must be of one size is said, shown, or remembered."""

from __future__ import annotations

from dataclasses import replace

from tests.core.hosts.vgpu_hosts import (
    CARD,
    ROOT,
    TYPES,
    asking,
    card_of,
    held,
    only_card,
    snapshot,
)

from sundog.core.choosing.choose_host import fit_host
from sundog.core.devices.device import MdevType, PciFunction, VgpuPart
from sundog.core.hosts.called_tree import call_for
from sundog.core.hosts.host_snapshot import HostState
from sundog.core.hosts.provider_tree import card_name, provider_uuid


def is_one_type(
    functions: list[PciFunction], rule: str = "", *, was: bool | None = None
) -> bool:
    """Tell whether a card is taken to make one size at a time."""
    spec = '{"vgpu_type": "*"%s}' % (f', "one_type": {rule}' if rule else "")
    seen = {} if was is None else {CARD: was}
    return only_card(snapshot(functions, spec, was_seen=seen)).one_type


def test_whether_a_card_makes_one_size_at_a_time_is_decided_in_order() -> None:
    """It shows so; the rule says; it shows the contrary; it showed; the default."""
    empty, mixed = card_of(), card_of("1152", left_mb=40960)
    one_size = [
        replace(f, vgpu=VgpuPart(types=TYPES[:1])) if f.vgpu and n > 1 else f
        for n, f in enumerate(card_of("1152"))
    ]
    assert is_one_type(one_size, "false", was=False)
    assert is_one_type(mixed, "true")
    assert not is_one_type(empty, "false", was=True)
    assert not is_one_type(mixed, was=True)
    assert not is_one_type(empty, was=False)
    assert is_one_type(empty)


def test_a_rule_that_a_card_belied_is_told() -> None:
    """Only where it denies what was seen."""
    for rule, seen, count in (
        ('"one_type": false', True, 1),
        ('"one_type": false', False, 0),
        ('"one_type": true', True, 0),
    ):
        of = snapshot(card_of(), f'{{"vgpu_type": "*", {rule}}}', was_seen={CARD: seen})
        assert len(of.problems) == count
        assert all("says one_type false" in each.reason for each in of.problems)


def test_series_of_one_size_stand_together_where_sizes_may_not_differ() -> None:
    """In the chooser, and in what Placement is told of a class for both."""
    series = MdevType(id="1161", name="NVIDIA L40S-8A", available=1, size_mb=8192)
    functions = [
        replace(f, vgpu=VgpuPart(types=(*TYPES, series))) if f.vgpu else f
        for f in card_of()
    ]
    rule = '{"vgpu_type": "*", "resource_class": "VGPU"}'
    of = snapshot(functions, rule)
    assert only_card(of).one_type
    state = HostState(snapshot=of)
    one, other = asking(q8=3).devices[0], asking(q24=1).devices[0]
    a8 = replace(
        one, id="a", wants=(replace(one.wants[0], type_id="NVIDIA L40S-8A"),), count=3
    )
    both = replace(asking(), devices=(one, a8))
    assert fit_host(both, state) is not None
    assert fit_host(replace(both, devices=(one, other)), state) is None
    busy = replace(state, holdings=(held(fit_host(both, state)),))
    assert fit_host(asking(q8=1), busy) is None
    some = replace(state, holdings=(held(fit_host(asking(q8=1), state)),))
    assert fit_host(replace(both, devices=(a8,)), some) is not None
    assert fit_host(asking(q24=1), some) is None
    provider = provider_uuid(ROOT, card_name("h1", CARD))
    assert call_for(of, []).providers[provider].inventories["VGPU"].total == 6
