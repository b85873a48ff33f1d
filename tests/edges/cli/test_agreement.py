"""``sundog audit`` and ``sundog heal``: a line each, and a status that says it all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.edges.cli.conftest import JOB

if TYPE_CHECKING:
    from tests.edges.cli.conftest import Terminal

LOST = "gpu1: what server s1 claims is not charged in Placement"
FOREIGN = "gpu1: the mdev m1 is not ours (reported only)\n"
AGREED = "guests, claims, allocations and devices agree\n"


def well(terminal: Terminal) -> str:
    """Return the URL of a service whose records agree."""
    return terminal.environ["SUNDOG_ENDPOINT"] + "/well"


def test_a_disagreement_ends_an_audit_with_status_1(terminal: Terminal) -> None:
    """Each is a line that says what heal would do; jobs under way are named."""
    said = f"{LOST} (write the allocation again)\n{FOREIGN}under way: {JOB['line']}\n"
    assert terminal.type("audit") == (1, said, "")


def test_agreement_is_told_with_status_0(terminal: Terminal) -> None:
    assert terminal.type("audit", "--endpoint", well(terminal)) == (0, AGREED, "")


def test_heal_says_what_came_of_each(terminal: Terminal) -> None:
    """What was mended, what could not be, and what is for people."""
    said = (
        f"{LOST}: done: write the allocation again\n"
        f"{LOST}: could not write the allocation again: no room\n"
        f"{FOREIGN}"
    )
    assert terminal.type("heal") == (1, said, "")


def test_a_dry_run_only_tells(terminal: Terminal) -> None:
    line = f"{LOST} (write the allocation again)\n"
    assert terminal.type("heal", "--dry-run") == (1, f"{line}{line}{FOREIGN}", "")


def test_everything_mended_ends_with_status_0(terminal: Terminal) -> None:
    status, said, _ = terminal.type("heal", "--endpoint", well(terminal))
    assert (status, said) == (0, f"{LOST}: done: write the allocation again\n")
