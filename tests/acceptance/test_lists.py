"""The lists of Tempest's tests make up the whole, each test once."""

from __future__ import annotations

from acceptance import lists


def test_what_is_left_out_has_a_reason_and_is_not_run() -> None:
    run, left = lists.included(), lists.excluded()
    assert run
    assert lists.problems([lists.PREFIX + name for name in [*run, *left]]) == []


def test_a_test_in_neither_list_is_told() -> None:
    run, left = lists.included(), lists.excluded()
    known = [lists.PREFIX + name for name in [*run[1:], *left, "test_new.New.test_it"]]
    assert lists.problems(known) == [
        "test_new.New.test_it: in neither list",
        f"{run[0]}: there is no such test",
    ]
