"""The only place that says which edge fills which port; it builds each process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sundog.edges.cli.command_line import OwnDeeds, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sundog.core.hosts.checkup import Check
    from sundog.edges.cli.command_line import UpOptions


def main(argv: Sequence[str] | None = None) -> int:
    """Run the ``sundog`` command; returns its exit status."""
    deeds = OwnDeeds(
        up=_up, check_host_file=_check_host_file, examine=_examine, capture=_capture
    )
    return run(sys.argv[1:] if argv is None else argv, deeds)


# The imports below cost a second that commands which only ask the service are spared.


def _up(options: UpOptions) -> int:
    from sundog.wiring.service import serve  # noqa: PLC0415 - see above

    return serve(options.config)


def _check_host_file(path: Path) -> str:
    from sundog.wiring.simulated import check_host_file  # noqa: PLC0415 - see above

    return check_host_file(path)


def _examine(config: Sequence[Path]) -> Sequence[Check]:
    from sundog.wiring.doctor import examine  # noqa: PLC0415 - see above

    return examine(config)


def _capture(config: Sequence[Path]) -> str:
    from sundog.wiring.capture import capture  # noqa: PLC0415 - see above

    return capture(config)
