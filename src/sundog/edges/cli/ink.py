"""What the picture is drawn with: signs, colours, and a key letter per server."""

from __future__ import annotations

from dataclasses import dataclass, field
from string import ascii_letters
from typing import TYPE_CHECKING, Final

from sundog.edges.cli.answers import cards_of

if TYPE_CHECKING:
    from sundog.edges.cli.answers import Holder, Host

# Readable on dark and on light terminals.
_COLOURS: Final = ("cyan", "magenta", "yellow", "green", "blue", "red")
_MANY: Final = "#"


@dataclass(frozen=True, slots=True)
class Signs:
    """The characters of the picture."""

    full: str = "█"
    rest: str = "░"
    edge: str = "▌"
    free: str = "·"
    shut: str = "✗"
    cut: str = "…"


PLAIN_SIGNS: Final = Signs("#", "-", "|", ".", "x", "~")


@dataclass(frozen=True, slots=True)
class Ink:
    """Signs, and how servers and types of one host are told apart.

    ``keys`` maps server ids to a letter each; those beyond 52 share one sign.
    """

    signs: Signs = field(default_factory=Signs)
    keys: dict[str, str] = field(default_factory=dict)
    colours: dict[str, str] = field(default_factory=dict)

    def key(self, holder: Holder) -> str:
        """Return the letter of the server that holds something."""
        return self.keys.get(holder["server_id"], _MANY)

    def colour(self, kind_of_device: str) -> str:
        """Return a type's colour."""
        return self.colours.get(kind_of_device, _COLOURS[0])

    def fitted(self, text: str, width: int) -> str:
        """Cut or pad ``text`` to ``width``."""
        if len(text) > width:
            text = text[: width - 1] + self.signs.cut if width > 1 else text[:width]
        return text.ljust(width)


def ink_for(host: Host, signs: Signs) -> Ink:
    """Give each server of a host a letter, and each type of device a colour."""
    servers = {server["id"]: None for server in host["servers"]}
    types: dict[str, None] = {}
    for device in (device for card in cards_of(host) for device in card["devices"]):
        types.setdefault(device["type"] or device["kind"])
        for holder in device["holders"]:
            servers.setdefault(holder["server_id"])
    letters = ascii_letters + _MANY * max(0, len(servers) - len(ascii_letters))
    colours = _COLOURS * (len(types) // len(_COLOURS) + 1)
    return Ink(
        signs=signs,
        keys=dict(zip(servers, letters, strict=False)),
        colours=dict(zip(types, colours, strict=False)),
    )
