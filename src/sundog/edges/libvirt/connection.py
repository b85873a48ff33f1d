"""Connections to libvirt, and its errors in one line."""

from __future__ import annotations

from typing import Any

import libvirt

from sundog.core.errors import UnavailableError

# Libvirt's Python binding ships no types; this name says what an Any stands for.
Connection = Any


def open_connection(uri: str) -> Connection:
    """Open a read-write connection; raises UnavailableError with libvirt's word.

    A ``test:///FILE`` connection holds a host of its own for as long as it is open.
    """
    be_silent()
    try:
        return libvirt.open(uri)
    except libvirt.libvirtError as error:
        raise UnavailableError(f"libvirt at {uri}: {one_line(error)}") from error


def be_silent() -> None:
    """Keep the binding from printing each error to stderr, where it is raised, too."""
    libvirt.registerErrorHandler(_silent, None)


def libvirt_error(message: str) -> Exception:
    """Return an error of libvirt's, for what stands in for a part of it."""
    error: Exception = libvirt.libvirtError(message)
    return error


def one_line(error: Exception) -> str:
    """Libvirt's message on one line."""
    return " ".join(str(error).split())


def _silent(_context: object, _error: object) -> None:
    pass
