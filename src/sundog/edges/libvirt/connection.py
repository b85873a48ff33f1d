"""Connections to libvirt, and its errors in one line."""

from __future__ import annotations

from typing import Any, Final

import libvirt

from sundog.core.errors import UnavailableError

# Libvirt's Python binding ships no types; this name says what an Any stands for.
Connection = Any
_ON_THE_WAY: Final = frozenset({libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE})


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


def is_away(error: libvirt.libvirtError) -> bool:
    """Whether the daemon was not reached, or was lost while it was asked."""
    return error.get_error_domain() in _ON_THE_WAY


def is_bad_uri(error: libvirt.libvirtError) -> bool:
    """Whether libvirt refused the URI itself, so that trying again is in vain.

    A daemon that is away, or that refuses us, is no fault of the URI's.
    """
    code = error.get_error_code()
    if code == libvirt.VIR_ERR_INTERNAL_ERROR:
        # So are a URI that is none, and a path that a driver does not know.
        return " URI " in f" {error} "
    return code in {libvirt.VIR_ERR_NO_CONNECT, libvirt.VIR_ERR_INVALID_ARG}


def one_line(error: Exception) -> str:
    """Libvirt's message on one line."""
    return " ".join(str(error).split())


def _silent(_context: object, _error: object) -> None:
    pass
