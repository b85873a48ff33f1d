"""``/v1/devices/{host}/{address}/hold`` and ``/release``: the operator's word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sundog.edges.rest.ask import Answer

if TYPE_CHECKING:
    from sundog.edges.rest.ask import Ask


class HoldFields(msgspec.Struct, forbid_unknown_fields=True):
    """``POST …/hold``: why, as it is shown to those who ask for the device."""

    reason: str = ""


class ReleaseFields(msgspec.Struct, forbid_unknown_fields=True):
    """``POST …/release``: an empty object."""


def hold(ask: Ask, name: str, address: str) -> Answer:
    """Offer a device no more; whoever has it keeps it."""
    fields = ask.read(HoldFields)
    ask.books.devices.hold(name, address, " ".join(fields.reason.split()))
    return Answer(status=204)


def release(ask: Ask, name: str, address: str) -> Answer:
    """Offer a device again, whoever or whatever held it back."""
    ask.read(ReleaseFields)
    ask.books.devices.release(name, address)
    return Answer(status=204)
