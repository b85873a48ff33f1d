"""A host's check-up in lines: what was found, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from sundog.core.hosts.checkup import Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.core.hosts.checkup import Check


def tell_checkup(checks: Sequence[Check], out: TextIO) -> bool:
    """Write a line for each check; returns whether the host is fit."""
    for check in checks:
        out.write(f"{check.mark.value:<7} {check.about}: {check.found}\n")
        if check.mend:
            out.write(f"{'':<7} -> {check.mend}\n")
    return all(check.mark is not Mark.BAD for check in checks)
