"""``make demo`` runs the story; ``make run`` leaves the service up (``--stay``)."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, Final

from demo.service import (
    ROOT,
    Service,
    ServiceError,
    free_port,
    leftover,
    make_anew,
    running,
)
from demo.stage import Stage, UnexpectedError
from demo.story import tell

if TYPE_CHECKING:
    from types import FrameType

_USUAL_PORT: Final = 8774
_INTERRUPTED: Final = 130

_STAY = """
Sundog is up at {root}. In another terminal, in this folder:

  export OS_CLIENT_CONFIG_FILE={clouds} OS_CLOUD=sundog
  . .venv/bin/activate

  openstack flavor create vgpu --vcpus 2 --ram 2048 --disk 5
  openstack flavor set --property "pci_passthrough:alias"="vGPU:1" vgpu
  openstack server create --flavor vgpu --image tiny --nic none --wait one
  sundog show

Ctrl-C ends it; its state stays in {state} for the next time.
"""


def _demo() -> None:
    started = time.monotonic()
    service = Service(state=ROOT / ".state" / "demo", port=free_port())
    make_anew(service.state)
    stage = Stage(service.environ())
    stage.say("starting Sundog: REST API, chooser, Placement and two simulated hosts")
    with running(service, service.state / "service.log"):
        stage.say(f"it is up at {service.root} after {_since(started)}")
        tell(stage, service.config)
    stage.say(
        f"\nAll {stage.commands} commands ended as they should; {_since(started)}."
    )


def _stay() -> None:
    state = ROOT / ".state" / "run"
    pid = leftover(state)
    if pid:
        raise ServiceError(
            f"it is up already, as process {pid}; end it with: kill {pid}"
        )
    service = Service(state=state, port=free_port(_USUAL_PORT))
    with running(service, None) as process:
        print(_STAY.format(root=service.root, clouds=service.clouds, state=state))  # noqa: T201  # a person reads it
        if process.wait():
            raise ServiceError(f"it ended with status {process.returncode}")


def _since(started: float) -> str:
    return f"{time.monotonic() - started:.1f} s"


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    # A kill is an orderly end, too: the service that we started ends with us.
    raise KeyboardInterrupt


def main() -> int:
    """Run the story, or stay; return the exit status."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _stay() if "--stay" in sys.argv[1:] else _demo()
    except (ServiceError, UnexpectedError) as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
