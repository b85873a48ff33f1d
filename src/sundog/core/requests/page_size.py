"""``hw:mem_page_size``: the pages that a guest's memory is made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sundog.core.errors import BadRequestError
from sundog.core.requests.guest_request import PageChoice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sundog.core.requests.guest_request import GuestCell
    from sundog.core.requests.spec_source import Setting, SpecSource

_NAME: Final = "mem_page_size"
_WORDS: Final = {choice.value: choice for choice in PageChoice}
_SIZE: Final = re.compile(r"([0-9]{1,9})\s*([KMG]i?B)?", re.ASCII | re.IGNORECASE)
_KB: Final = {"": 1, "k": 1, "m": 1024, "g": 1024**2}
_SMALLEST_KB: Final = 4
_LARGEST_KB: Final = 16 * 1024**2  # arm64 with 64 KiB pages has pages of 16 GiB


def read_page_size(source: SpecSource) -> PageChoice | int | None:
    """Return the choice, a size in KiB, or None if nothing is said.

    As in Nova, an image may only narrow down what its flavor leaves open: ``any`` or
    ``large``.
    """
    flavor, image = source.flavor(_NAME), source.image(_NAME)
    chosen = _read(flavor) if flavor else None
    if image is None:
        return chosen
    asked = _read(image)
    if chosen not in (PageChoice.ANY, PageChoice.LARGE, asked):
        raise image.refuse(
            "of the image needs a flavor that leaves it open; set hw:mem_page_size to "
            "any or large there, or take the property away"
        )
    return asked


def _read(setting: Setting) -> PageChoice | int:
    text = setting.value.strip()
    if text in _WORDS:
        return _WORDS[text]
    match = _SIZE.fullmatch(text)
    size = int(match[1]) * _KB[(match[2] or "")[:1].lower()] if match else 0
    if not _SMALLEST_KB <= size <= _LARGEST_KB or size.bit_count() != 1:
        raise setting.refuse(
            "is no page size; write small, large, any, or a size like 2048 (KiB), "
            "2MB or 1GB"
        )
    return size


def check_pages(
    cells: Iterable[GuestCell], pages: PageChoice | int | None, source: SpecSource
) -> None:
    """Refuse cells whose memory is no whole number of the pages asked for."""
    if not isinstance(pages, int):
        return
    for cell in cells:
        if cell.memory_mb * 1024 % pages:
            # The narrower setting is the one that was followed.
            setting = source.image(_NAME) or source.flavor(_NAME)
            raise BadRequestError(
                f"{setting}: guest cell {cell.id} has {cell.memory_mb} MiB, which is "
                f"no multiple of {pages} KiB; change the memory or the page size"
            )
