"""The demo stops where a command does not do what it should."""

from __future__ import annotations

import io
import os

import pytest
from demo.stage import Play, Stage, UnexpectedError
from rich.console import Console


@pytest.fixture
def stage() -> Stage:
    """Return a stage that keeps what it shows."""
    return Stage(dict(os.environ), Console(file=io.StringIO(), width=60))


def _shown(stage: Stage) -> str:
    assert isinstance(stage.console.file, io.StringIO)
    return stage.console.file.getvalue()


def test_commands_are_shown_in_order_with_what_they_say(stage: Stage) -> None:
    """Two run at a time; the slower first one is still shown first."""
    plays = [Play("sh -c 'sleep 0.2; echo one'"), Play("echo two", says="two")]
    assert stage.together(plays) == ["one\n", "two\n"]
    shown = _shown(stage)
    assert shown.index("one'\none") < shown.index("$ echo two\ntwo")
    assert stage.commands == 2


def test_an_expected_failure_is_shown_and_goes_on(stage: Stage) -> None:
    """A command that must fail is shown with its exit status."""
    stage.run("sh -c 'echo no >&2; exit 1'", status=1, says="no")
    assert "no\n(exit status 1)" in _shown(stage)


@pytest.mark.parametrize(
    ("command", "status", "says"),
    [("false", 0, ""), ("true", 1, ""), ("echo maybe", 0, "yes")],
)
def test_anything_else_stops_the_story(
    stage: Stage, command: str, status: int, says: str
) -> None:
    """Another exit status, or other words, end the demo with a line."""
    with pytest.raises(UnexpectedError, match=command):
        stage.run(command, status, says)


def test_long_commands_are_not_broken(stage: Stage) -> None:
    """A command can be copied from the screen as it is."""
    command = "echo " + "word " * 30
    stage.run(command)
    assert f"$ {command}" in _shown(stage)
