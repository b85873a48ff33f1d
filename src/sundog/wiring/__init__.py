"""The only place that says which edge fills which port; it builds each process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sundog.edges.cli.command_line import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sundog.edges.cli.command_line import UpOptions


def main(argv: Sequence[str] | None = None) -> int:
    """Run the ``sundog`` command; returns its exit status."""
    return run(sys.argv[1:] if argv is None else argv, _up, _check_host_file)


# The imports below cost a second that commands which only ask the service are spared.


def _up(options: UpOptions) -> int:
    from sundog.wiring.service import serve  # noqa: PLC0415 - see above

    return serve(options.config)


def _check_host_file(path: Path) -> str:
    from sundog.wiring.simulated import check_host_file  # noqa: PLC0415 - see above

    return check_host_file(path)
