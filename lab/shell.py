"""A prompt in the lab host: its virtual console, joined to this terminal."""

from __future__ import annotations

import os
import select
import socket
import sys
import termios
import tty
from typing import TYPE_CHECKING, Final

from lab.stages import LabError, say

if TYPE_CHECKING:
    from lab.places import Place

_LEAVE: Final = b"\x1d"  # Ctrl-]
_CHUNK: Final = 4096


def shell(own: Place) -> None:
    """Join the terminal to the lab host's root shell until Ctrl-]."""
    if not sys.stdin.isatty():
        raise LabError("a prompt needs a terminal; 'python -m lab run' needs none")
    here = sys.stdin.fileno()
    say("Ctrl-] leaves; the lab host goes on")
    before = termios.tcgetattr(here)
    with socket.socket(socket.AF_UNIX) as console:
        console.connect(str(own.shell))
        size = os.get_terminal_size(here)
        console.sendall(f"stty rows {size.lines} cols {size.columns}\n".encode())
        tty.setraw(here)
        try:
            _join(here, console)
        finally:
            termios.tcsetattr(here, termios.TCSADRAIN, before)
            say("left")


def _join(here: int, console: socket.socket) -> None:
    while True:
        ready, _, _ = select.select([here, console.fileno()], [], [])
        if console.fileno() in ready:
            said = console.recv(_CHUNK)
            if not said:
                return
            os.write(sys.stdout.fileno(), said)
        if here in ready:
            typed = os.read(here, _CHUNK)
            if not typed or _LEAVE in typed:
                return
            console.sendall(typed)
