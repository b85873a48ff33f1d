"""Run Tempest's compute tests against a service: those of the list, or those named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from acceptance import files, lists
from acceptance.service import NotReadyError, service

_HERE: Final = Path(__file__).parent
_ROOT: Final = _HERE.parent
_PYTHON: Final = _ROOT / ".cache" / "tempest" / "bin" / "python"
_STATE: Final = Path(os.environ.get("TEMPEST_STATE", _ROOT / ".state" / "tempest"))


def main(wanted: list[str]) -> int:
    """Check the lists, then run; returns the exit status."""
    # Tempest logs to standard output, too.
    lines = _tempest("list_tests.py").stdout.splitlines()
    told = lists.problems(line for line in lines if line.startswith(lists.PREFIX))
    if told:
        sys.stderr.write("\n".join(["The lists and Tempest differ:", *told]) + "\n")
        return 1
    names = wanted or lists.included()
    shutil.rmtree(_STATE, ignore_errors=True)
    try:
        with service(_STATE, files.users()) as client:
            configs = files.write(_STATE, client)
            batches = lists.batches(names)
            return max(
                _run([lists.PREFIX + name for name in batch], config)
                for batch, config in zip(batches, configs, strict=True)
                if batch
            )
    except NotReadyError as error:
        sys.stderr.write(f"{error} ({_STATE})\n")
        return 1


def _run(names: list[str], config: Path) -> int:
    environ = {
        **os.environ,
        "TEMPEST_CONFIG_DIR": str(config.parent),
        "TEMPEST_CONFIG": config.name,
        "no_proxy": "127.0.0.1",
    }
    command = [str(_PYTHON), str(_HERE / "run_tests.py")]
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        input="\n".join(names),
        text=True,
        cwd=_STATE,
        env=environ,
        check=False,
    )
    return done.returncode


def _tempest(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - same
        [str(_PYTHON), str(_HERE / script)],
        capture_output=True,
        text=True,
        check=True,
        cwd=_ROOT / ".state",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
