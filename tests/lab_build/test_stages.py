"""What was built is built again only when what it is made from changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lab.stages import LabError, Stage, build_all, run

if TYPE_CHECKING:
    from pathlib import Path


def stages(source: Path, built: list[str]) -> list[Stage]:
    """Return one stage made from a file, and one after it."""
    return [
        Stage(
            name="first",
            about="the first",
            made_from=(source,),
            build=lambda: built.append("first"),
        ),
        Stage(
            name="second",
            about="the second",
            made_from=("always the same",),
            build=lambda: built.append("second"),
        ),
    ]


def test_a_change_builds_its_stage_and_those_after_it(tmp_path: Path) -> None:
    """Unchanged nothing is built; a stage stands on those before it."""
    source, built = tmp_path / "source", list[str]()
    source.write_text("one")
    build_all(stages(source, built), tmp_path / "stamps")
    build_all(stages(source, built), tmp_path / "stamps")
    assert built == ["first", "second"]
    source.write_text("two")
    build_all(stages(source, built), tmp_path / "stamps")
    assert built == ["first", "second"] * 2


def test_what_failed_is_tried_again(tmp_path: Path) -> None:
    """A command that fails is named with its last line and its log."""
    log = tmp_path / "log"
    stage = Stage(
        name="bad",
        about="bad",
        made_from=("x",),
        build=lambda: run(("sh", "-c", "echo no room; exit 3"), log),
    )
    for _ in range(2):
        with pytest.raises(LabError, match=rf"sh failed: no room; all .* {log}"):
            build_all([stage], tmp_path / "stamps")
