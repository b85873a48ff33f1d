"""Refusals name the host, the constraint and what would help."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.core.choosing.plain_hosts import (
    asked,
    cell,
    floating,
    gpu,
    held,
    host,
    of_type,
    parent,
    pinned,
)

from sundog.core.choosing.choose_host import choose_host, fit_host
from sundog.core.choosing.explain import LONGEST, Refusal, explain, silent, summary
from sundog.core.choosing.fleet import Fleet
from sundog.core.choosing.shortages import Shortage
from sundog.core.requests.guest_request import (
    CpuPolicy,
    GuestCell,
    GuestRequest,
    NumaPolicy,
    PageChoice,
    ThreadPolicy,
)

if TYPE_CHECKING:
    from sundog.core.hosts.host_snapshot import HostState

REQUIRED = NumaPolicy.REQUIRED


def named(state: HostState, name: str) -> HostState:
    """Give a host another name."""
    return replace(state, snapshot=replace(state.snapshot, name=name))


def only(request: GuestRequest, state: HostState) -> Refusal:
    """Explain one host."""
    (refusal,) = explain(request, Fleet([state]))
    return refusal


def test_a_host_that_fits_is_not_explained() -> None:
    """No refusal, no words."""
    assert explain(pinned(), Fleet([host()])) == ()


def test_a_gpu_in_the_wrong_cell_is_told() -> None:
    """Pinned to cell 0, with the only GPU on cell 1 and ``required``: refused."""
    state = host(gpu(1, 1), cells=(cell(0), cell(1, dedicated=0)))
    request = pinned(asked(REQUIRED))
    assert choose_host(request, Fleet([state])) == ()
    refusals = explain(request, Fleet([state]))
    assert (
        refusals[0].first == "have vGPU in cell 1 while only cell 0 can hold the guest"
    )
    assert summary(request, refusals) == (
        "No valid host was found. Needs 1 \N{MULTIPLICATION SIGN} vGPU in the same "
        "cell as 2 free CPUs and 1024 MiB: 1 host has vGPU in cell 1 while only "
        "cell 0 can hold the guest. To help: free CPUs and memory in cell 1, or "
        "relax the NUMA policy."
    )


def test_hosts_are_counted_by_reason() -> None:
    """The roll-up starts with the reason of most hosts."""
    request = pinned(asked(REQUIRED, want=of_type("a")))
    full = host(parent(1, 0, a=8))
    full = held(full, fit_host(request, full))
    fleet = Fleet(
        [
            *(named(host(), f"bare{number}") for number in range(3)),
            named(full, "full"),
            replace(host(name="off"), enabled=False, why_disabled="maintenance"),
        ]
    )
    refusals = explain(request, fleet)
    assert [refusal.host for refusal in refusals] == [
        *("bare0", "bare1", "bare2", "full", "off")
    ]
    text = summary(request, refusals)
    assert "vGPU a in the same cell" in text
    assert "3 hosts have no vGPU, 1 is disabled, 1 has no free vGPU." in text
    assert "To help: offer vGPU on a host (device_spec)." in text
    assert refusals[-1].detail == "maintenance"


def test_a_host_that_does_not_answer_is_not_called_disabled() -> None:
    """One that was never seen is told in the same words."""
    why = "it does not answer: no libvirt"
    lost = replace(host(name="lost"), enabled=False, why_disabled=why, answers=False)
    [refusal] = explain(floating(), Fleet([lost]))
    assert refusal == silent("lost", why)
    assert refusal.detail == why
    text = summary(floating(), [refusal])
    assert text.endswith("1 host does not answer. To help: see to the host's libvirt.")


def test_a_summary_is_bounded() -> None:
    """However many reasons there are, the text stays short."""
    refusals = [
        Refusal(host=f"h{n}", first="", tightest=f"{n} " * 60, detail="", remedy="x")
        for n in range(9)
    ]
    assert len(summary(pinned(), refusals)) == LONGEST
    short = [replace(r, tightest=r.host) for r in refusals]
    assert "4 for other reasons" in summary(floating(), short)
    assert summary(pinned(), []).startswith("No valid host was found.")


WIDE = GuestCell(id=0, cpus=frozenset({0, 1}), dedicated=frozenset({0}), memory_mb=1024)


@pytest.mark.parametrize(
    ("change", "lack"),
    [
        ({"disk_gb": 11}, "have too little disk"),
        ({"required_traits": frozenset({"A"})}, "lack trait A"),
        ({"forbidden_traits": frozenset({"B"})}, "have the forbidden trait B"),
        ({"vcpus": 9}, "have too few shared CPUs"),
        ({"memory_mb": 8193}, "have too little memory"),
        ({"page_size": PageChoice.LARGE}, "have no cell with 1024 MiB in such pages"),
        ({"page_size": 2048}, "have no cell with 1024 MiB in such pages"),
        (
            {
                "cells": (
                    replace(
                        WIDE, cpus=frozenset(range(7)), dedicated=frozenset(range(5))
                    ),
                )
            },
            "have no cell with 5 free CPUs and 2 shared CPUs",
        ),
        (
            {"cells": (WIDE,), "thread_policy": ThreadPolicy.REQUIRE, "disk_gb": 20},
            "have too little disk",
        ),
        ({"cells": pinned(cells=3, vcpus=1).cells}, "have too few cells"),
        (
            {"vcpus": 5, "page_size": PageChoice.SMALL},
            "have no cell with 5 shared CPUs",
        ),
        (
            {"vcpus": 5, "cpu_policy": CpuPolicy.DEDICATED},
            "have no cell with 5 free CPUs",
        ),
        ({"devices": (asked(count=3),)}, "have too few free vGPU"),
    ],
)
def test_each_constraint_is_told(change: dict[str, object], lack: str) -> None:
    """What fails by itself is named."""
    bare = host(gpu(1, 0))
    traits = frozenset({"B"})
    state = replace(bare, snapshot=replace(bare.snapshot, traits=traits))
    request = replace(floating(), **change)  # type: ignore[arg-type]  # the parameters name the fields
    assert only(request, state).first == lack


def test_cpus_and_memory_in_different_cells_are_told() -> None:
    """Each is there, but not in one cell."""
    cells = (
        replace(cell(0), memory_mb=0),
        cell(1, dedicated=0),
    )
    refusal = only(pinned(), host(cells=cells))
    assert refusal.first == "have CPUs and memory, but not in the same cells"


def test_devices_that_exclude_each_other_are_told() -> None:
    """Each type is free, but not both at once."""
    wants = [asked(want=of_type(name), request_id=f"{name}-0") for name in "ab"]
    refusal = only(pinned(*wants), host(parent(1, 0, a=8, b=8)))
    assert refusal.first == "cannot give a and b together"


def test_devices_in_too_many_cells_are_told() -> None:
    """One in each cell is not two in one."""
    refusal = only(pinned(asked(REQUIRED, 2)), host(gpu(1, 0), gpu(2, 1)))
    assert refusal.first == (
        "have vGPU in cells 0, 1 while cells 0, 1 can hold the guest"
    )


def test_a_device_of_unknown_cell_is_told() -> None:
    """Unknown is not near."""
    refusal = only(pinned(asked(REQUIRED)), host(gpu(1)))
    assert "in no known cell" in refusal.first
    assert "cells 0, 1" in refusal.first


def test_what_is_needed_is_said_in_words() -> None:
    """Several cells and several policies."""
    request = pinned(asked(), asked(REQUIRED, 2, "b"), cells=2)
    text = summary(request, explain(request, Fleet([host()])))
    assert "in 2 cells" in text
    floats = floating(asked())
    assert "vGPU with 1 shared CPUs" in summary(
        floats, explain(floats, Fleet([host()]))
    )


def test_a_closed_host_is_told_behind_those_that_were_asked() -> None:
    """Of four hosts three were not asked: the one that was has the first word."""
    states = [named(host(), name) for name in ("a", "b", "c", "d")]
    away = Shortage("are elsewhere", 0.0, "is elsewhere", "come here")
    closed = dict.fromkeys(("b", "c", "d"), away)
    request = floating(vcpus=1000)
    told = explain(request, Fleet(states), closed)
    assert [one.closed for one in told] == [False, True, True, True]
    text = summary(request, told)
    assert "1 host has too few shared CPUs, 3 are elsewhere" in text
    assert "To help: free CPUs" in text
    everywhere = dict.fromkeys(("a", "b", "c", "d"), away)
    assert "To help: come here" in summary(
        request, explain(request, Fleet(states), everywhere)
    )


def test_a_closed_host_is_not_chosen() -> None:
    """The best of those left is, and none when all are closed."""
    fleet = Fleet([named(host(), name) for name in ("a", "b")])
    (first,) = choose_host(floating(), fleet, limit=1)
    (second,) = choose_host(floating(), fleet, limit=1, closed={first.host})
    assert {first.host, second.host} == {"a", "b"}
    assert choose_host(floating(), fleet, closed={"a", "b"}) == ()


def test_a_disabled_host_that_is_closed_is_told_once() -> None:
    state = replace(named(host(), "a"), enabled=False)
    away = Shortage("are elsewhere", 0.0, "is elsewhere", "come here")
    (told,) = explain(floating(), Fleet([state]), {"a": away})
    assert told.detail == "is elsewhere"
