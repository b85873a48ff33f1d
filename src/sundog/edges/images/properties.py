"""``<image file>.properties.toml``: what an image's file cannot say itself.

For example ``tiny.img.properties.toml``::

    name = "tiny"
    min_ram = 64                # MiB
    min_disk = 1                # GiB

    [properties]
    hw_numa_nodes = 2
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_T = TypeVar("_T", str, int)

SUFFIX: Final = ".properties.toml"
_KEYS: Final = ("id", "name", "min_disk", "min_ram", "properties")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageProperties:
    """What the file says; an empty ``id`` or ``name`` is not said.

    ``min_ram_mb`` in MiB, ``min_disk_gb`` in GiB.
    """

    id: str = ""
    name: str = ""
    min_disk_gb: int = 0
    min_ram_mb: int = 0
    properties: Mapping[str, str] = field(default_factory=dict)


def read_properties(path: Path) -> ImageProperties:
    """Read a properties file; raises ValueError (one line) or OSError."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    for key in values:
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, 1)
            way_out = f"did you mean {near[0]}?" if near else f"known: {_KEYS}"
            raise ValueError(f"unknown key {key!r}; {way_out}")
    said_id = _read(values, "id", "")
    return ImageProperties(
        id=str(_as_uuid(said_id)) if said_id else "",
        name=_read(values, "name", ""),
        min_disk_gb=_read(values, "min_disk", 0),
        min_ram_mb=_read(values, "min_ram", 0),
        properties=_as_texts(values.get("properties", {})),
    )


def _read(values: Mapping[str, object], key: str, absent: _T) -> _T:
    value = values.get(key, absent)
    if type(value) is not type(absent) or (isinstance(value, int) and value < 0):
        kind = "text" if isinstance(absent, str) else "a whole number from 0 on"
        raise ValueError(f"{key} = {value!r} is not {kind}")
    return value


def _as_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError(f"id = {text!r} is not a UUID; remove it to get one") from None


def _as_texts(table: object) -> dict[str, str]:
    if not isinstance(table, dict):
        raise ValueError(f"properties = {table!r} is not a table; write [properties]")  # noqa: TRY004  a bad value, read by one except
    texts: dict[str, str] = {}
    for key, value in table.items():
        if not isinstance(value, str | int | float):
            raise ValueError(f"properties.{key} = {value!r} is not text or a number")  # noqa: TRY004  same
        # Glance knows only text; a flag is "true", as Nova's image properties spell it.
        texts[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return texts
