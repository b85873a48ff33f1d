"""Where a guest's settings come from: a flavor's extra specs, an image's properties."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from sundog.core.errors import BadRequestError, ForbiddenError
from sundog.core.wording import listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Setting:
    """A key and its value, as a message shows them."""

    key: str
    value: str

    def refuse(self, reason: str) -> BadRequestError:
        """Return the error that names the key, the value, and ``reason``."""
        return BadRequestError(f"{self} {reason}")

    def forbid(self, other: Setting) -> ForbiddenError:
        """Return the error of an image that contradicts its flavor (``other``)."""
        return ForbiddenError(
            f"{self} of the image contradicts {other} of the flavor; use another image "
            "or flavor, or take the property away"
        )

    def choice(self, choices: Mapping[str, _T]) -> _T:
        """Return what the value stands for among ``choices``."""
        if self.value not in choices:
            raise self.refuse(f"is not known; write one of {listed(choices)}")
        return choices[self.value]

    def number(self, least: int, largest: int) -> int:
        """Return the value as a whole number within bounds."""
        digits = re.fullmatch(r"\s*0*([0-9]{1,10})\s*", self.value, re.ASCII)
        if digits is None or not least <= int(digits[1]) <= largest:
            raise self.refuse(f"is no whole number from {least} to {largest}")
        return int(digits[1])

    def __str__(self) -> str:
        """Show it as ``key='value'``; the key, too, may be anything."""
        return f"{shown(self.key)[1:-1]}={shown(self.value)}"


@dataclass(frozen=True, slots=True)
class SpecSource:
    """Extra specs (``hw:name``) and image properties (``hw_name``)."""

    specs: Mapping[str, str]
    properties: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def flavor(self, name: str) -> Setting | None:
        """Return the flavor's ``hw:name``, if it has one."""
        return self.spec(f"hw:{name}")

    def image(self, name: str) -> Setting | None:
        """Return the image's ``hw_name``, if it has one."""
        key = f"hw_{name}"
        value = self.properties.get(key)
        return None if value is None else Setting(key, value)

    def spec(self, key: str) -> Setting | None:
        """Return the flavor's extra spec with this key, if it has one."""
        value = self.specs.get(key)
        return None if value is None else Setting(key, value)

    def flavor_settings(self) -> Iterator[Setting]:
        """Return all extra specs in the order of their keys."""
        return (Setting(key, self.specs[key]) for key in sorted(self.specs))

    def image_settings(self) -> Iterator[Setting]:
        """Return all image properties in the order of their keys."""
        return (Setting(key, self.properties[key]) for key in sorted(self.properties))
