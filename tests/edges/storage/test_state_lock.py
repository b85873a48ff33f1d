"""Two services never work on one state folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sundog.core.errors import BadConfigurationError
from sundog.edges.storage.state_lock import hold_state

if TYPE_CHECKING:
    from pathlib import Path


def test_the_second_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """The line names the key, the folder and the process that holds it."""
    let_go = hold_state(tmp_path)
    line = rf"state_path = .*process {os.getpid()}\) works there; stop that one"
    for _ in range(2):
        with pytest.raises(BadConfigurationError, match=line):
            hold_state(tmp_path)
    let_go()
    hold_state(tmp_path)()


def test_a_lock_file_that_was_left_does_not_matter(tmp_path: Path) -> None:
    """What counts is who holds it, not that it is there."""
    (tmp_path / "sundog.lock").write_text("99999\n")
    hold_state(tmp_path)()


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "sundog.lock").mkdir()
    with pytest.raises(BadConfigurationError, match="name a folder"):
        hold_state(tmp_path)
