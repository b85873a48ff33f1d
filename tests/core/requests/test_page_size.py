"""Pages are of the size asked for, and memory is whole pages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.core.requests.asking import FLAVOR, ask, refused

from sundog.core.errors import BadRequestError
from sundog.core.requests.guest_request import (
    PageChoice,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("small", PageChoice.SMALL),
        ("large", PageChoice.LARGE),
        ("any", PageChoice.ANY),
        ("2048", 2048),
        ("2MB", 2048),
        ("2 MiB", 2048),
        ("1GB", 1048576),
        ("4KB", 4),
        (" 4 ", 4),
    ],
)
def test_a_page_size_is_a_word_or_a_size(text: str, size: PageChoice | int) -> None:
    """A number is in KiB; units count by 1024. It makes one cell, as in Nova."""
    request = ask({"hw:mem_page_size": text})
    assert request.page_size == size
    assert len(request.cells) == 1


def test_an_image_may_narrow_pages_down_but_not_choose_them() -> None:
    """It needs a flavor that leaves the size open."""
    image = {"hw_mem_page_size": "2MB"}
    assert ask({"hw:mem_page_size": "any"}, image).page_size == 2048
    assert ask({"hw:mem_page_size": "large"}, image).page_size == 2048
    assert ask({"hw:mem_page_size": "2048"}, image).page_size == 2048
    assert "leaves it open" in refused({}, image)
    assert "leaves it open" in refused({"hw:mem_page_size": "1GB"}, image)
    assert "is no page size" in refused({}, {"hw_mem_page_size": "x"})


def test_a_cells_memory_is_whole_pages() -> None:
    """A guest of 4 GiB in 8 cells cannot be made of pages of 1 GiB."""
    specs = {"hw:mem_page_size": "1GB", "hw:numa_nodes": "4"}
    assert ask(specs).page_size == 1048576
    odd = replace(FLAVOR, memory_mb=4100)
    with pytest.raises(BadRequestError, match="guest cell 0 has 1025 MiB, which is no"):
        ask(specs, flavor=odd)
    with pytest.raises(BadRequestError, match="hw_mem_page_size='1GB'"):
        ask(
            specs | {"hw:mem_page_size": "any"},
            {"hw_mem_page_size": "1GB"},
            flavor=odd,
        )
