"""What ``sundog audit`` and ``sundog heal`` print: a line for each disagreement."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.edges.cli.answers import Audit, Disagreement

_AGREED = "guests, claims, allocations and devices agree\n"


def tell_audit(audit: Audit, out: TextIO) -> bool:
    """Print what disagrees and is under way; returns whether everything agrees."""
    found = audit["disagreements"]
    out.writelines(f"{one['line']}\n" for one in found)
    out.writelines(f"under way: {one['line']}\n" for one in audit["jobs"])
    if not found:
        out.write(_AGREED)
    return not found


def tell_healing(done: Sequence[Disagreement], out: TextIO) -> bool:
    """Print what came of each repair; returns whether nothing is left to do."""
    for one in done:
        said = f"{one['host']}: {one['what']}: "
        if one["mended"]:
            out.write(f"{said}done: {one['repair']}\n")
        elif one["problem"]:
            out.write(f"{said}could not {one['repair']}: {one['problem']}\n")
        else:
            out.write(f"{one['line']}\n")
    if not done:
        out.write(_AGREED)
    return all(one["mended"] for one in done)
