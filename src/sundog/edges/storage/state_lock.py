"""One service a state folder: a lock that its holder's end releases."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final

from sundog.core.errors import BadConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NAME: Final = "sundog.lock"


def hold_state(folder: Path) -> Callable[[], None]:
    """Take a folder's lock; the answer lets go of it.

    The kernel lets go of it when the process ends, so a crash leaves nothing to
    clear away; the file stays. Raises BadConfigurationError while another holds it.
    """
    path = folder / _NAME
    try:
        lock = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise BadConfigurationError(
            f"[DEFAULT] state_path = {folder}: {path.name} cannot be written there "
            f"({error.strerror}); name a folder that can be written to"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise BadConfigurationError(
            f"[DEFAULT] state_path = {folder}: another service (process {holder}) "
            "works there; stop that one, or name another folder"
        ) from None
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock.close
