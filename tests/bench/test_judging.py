"""Wrong answers are known as wrong."""

from __future__ import annotations

from bench.bench_exact import (
    FALSE_ACCEPTANCE,
    FALSE_REJECTION,
    FITTING,
    WRONG_PINS,
    judge_nova,
)
from bench.ours import request_of, state_of
from bench.small_cases import small_case

from sundog.core.choosing.fit_host import fit_host

SEEDS = range(40)


def _ours(seed: int) -> list[dict[str, object]] | None:
    """Answer a case as Nova would word it, with our fit."""
    host, asked = small_case(seed)
    fit = fit_host(request_of(asked), state_of(host))
    if fit is None:
        return None
    return [{"cell": c.host_cell, "pins": [list(p) for p in c.pins]} for c in fit.cells]


def test_a_right_answer_is_right() -> None:
    """Whether it is a fit or that there is none."""
    for seed in SEEDS:
        answer = _ours(seed)
        assert list(judge_nova(seed, answer)) == ([FITTING] if answer else [])


def test_a_refusal_where_a_fit_exists_is_false() -> None:
    """And a fit where none exists."""
    for seed in SEEDS:
        if _ours(seed):
            assert list(judge_nova(seed, None)) == [FITTING, FALSE_REJECTION]
        else:
            anywhere = [{"cell": 0, "pins": []}]
            assert list(judge_nova(seed, anywhere)) == [FALSE_ACCEPTANCE]


def test_a_cpu_twice_or_elsewhere_is_wrong() -> None:
    """The cells may be right all the same."""
    seed = next(seed for seed in SEEDS if _ours(seed))
    answer = _ours(seed)
    assert answer
    for pins in ([[0, 999]], [[0, 0], [1, 0]]):
        wrong = [{**answer[0], "pins": pins}, *answer[1:]]
        assert list(judge_nova(seed, wrong)) == [FITTING, WRONG_PINS]
