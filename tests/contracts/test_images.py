"""The contract of an image source, held by the fake and by a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.fakes.images import FakeImages

from sundog.core.errors import NotFoundError
from sundog.edges.images.image_folder import ImageFolder

if TYPE_CHECKING:
    from pathlib import Path

    from sundog.workflows.ports import ImageSource


@pytest.fixture(params=["fake", "folder"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> ImageSource:
    """Return a source of the images b, a and c."""
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.img").write_text(name)
    folder = ImageFolder(tmp_path)
    return folder if request.param == "folder" else FakeImages([*folder.list()][::-1])


def test_images_are_listed_by_name(source: ImageSource) -> None:
    assert [image.name for image in source.list()] == ["a", "b", "c"]


def test_each_listed_image_is_found_by_its_id(source: ImageSource) -> None:
    assert [source.get(image.id) for image in source.list()] == source.list()


def test_an_unknown_image_is_not_found(source: ImageSource) -> None:
    with pytest.raises(NotFoundError, match="No image found with ID none"):
        source.get("none")
