"""The two lists: which tests run, and which do not, each with its reason.

A line is a test's name without ``tempest.api.compute.``. In the list of those left out
a line ``# reason`` stands before the tests that it is for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PREFIX: Final = "tempest.api.compute."
# Classes whose tests make projects of their own.
_OWN_PROJECTS: Final = (
    "admin.test_quotas.QuotasAdminTest",
    "admin.test_quotas_negative.QuotasAdminNegativeTest",
)
_HERE: Final = Path(__file__).parent


def included() -> list[str]:
    """Return the tests that run."""
    return [line for line in _lines("include.txt") if not line.startswith("#")]


def excluded() -> dict[str, str]:
    """Return the tests that do not run: by name, the reason."""
    reasons: dict[str, str] = {}
    reason = ""
    for line in _lines("exclude.txt"):
        if line.startswith("#"):
            reason = line.removeprefix("#").strip()
        else:
            reasons[line] = reason
    return reasons


def batches(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Part tests into those with the common accounts, and those that make projects."""
    common, own = list[str](), list[str]()
    for name in names:
        (own if name.startswith(_OWN_PROJECTS) else common).append(name)
    return common, own


def problems(known: Iterable[str]) -> list[str]:
    """Say where the lists do not make up all tests of tempest.api.compute."""
    names = {name.removeprefix(PREFIX) for name in known}
    run, left = included(), excluded()
    twice = {name for name in run if run.count(name) > 1 or name in left}
    told = [f"{name}: stands twice" for name in sorted(twice)]
    told += [f"{name}: in neither list" for name in sorted(names - {*run, *left})]
    told += [f"{name}: there is no such test" for name in sorted({*run, *left} - names)]
    told += [f"{name}: left out without a reason" for name in left if not left[name]]
    return told


def _lines(name: str) -> list[str]:
    text = (_HERE / name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip()]
