"""Images in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sundog.workflows.ports import Image


class FakeImages:
    """The port ``ImageSource`` over values."""

    def __init__(self, images: Iterable[Image]) -> None:
        self._images = sorted(images, key=lambda image: image.name)

    def get(self, image_id: str) -> Image:
        for image in self._images:
            if image.id == image_id:
                return image
        raise NotFoundError(f"No image found with ID {image_id}")

    def list(self) -> Sequence[Image]:
        return list(self._images)
