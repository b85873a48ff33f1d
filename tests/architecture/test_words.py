"""What nothing in the repository says, and the words that we hold to."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = {".py", ".md", ".toml", ".txt", ".conf", ".sh", ".yaml", ".json", ".cfg", ""}
PARTS = (".ci", "bench", "changes", "demo", "docs", "lab", "scripts", "src", "tests")
OWN = Path(__file__).name
NOWHERE = {
    "open work lives in the tracker": r"\b(TODO|FIXME)\b",
    "no path of one machine": r"(/home/\w+/|/root/|/Users/\w+/|(?<![\w.-])/work/)",
    "no package index but the default": r"(?i)--(extra-)?index-url|extra-index-url",
}
NO_NAMES = re.compile(r"(?i)(manager|utils?|helpers?)(_|$)")


@cache
def _files() -> tuple[Path, ...]:
    """Return the repository's own text files."""
    paths = [path for part in PARTS for path in (ROOT / part).rglob("*")]
    paths += [path for path in ROOT.iterdir() if path.name != "LICENSE"]
    return tuple(
        path
        for path in paths
        if path.suffix in TEXT and path.is_file() and not path.name.startswith(".")
    )


@pytest.mark.parametrize("rule", NOWHERE)
def test_nothing_says_what_nothing_may_say(rule: str) -> None:
    """No open work in comments, no path of one machine, no private index."""
    pattern = re.compile(NOWHERE[rule])
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _files()
        if path.name != OWN
        for number, line in enumerate(
            path.read_text(encoding="utf-8").splitlines(), start=1
        )
        if pattern.search(line)
    ]
    assert not found, rule


def test_no_module_is_named_after_nothing() -> None:
    """``manager``, ``utils`` and ``helper`` say nothing about what is inside."""
    modules = [path for path in _files() if path.suffix == ".py"]
    assert not [path.name for path in modules if NO_NAMES.search(path.stem)]


def test_the_licence_is_stated_once() -> None:
    """LICENSE holds it; sources do not repeat it."""
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").strip()
    sources = [path for path in _files() if path.suffix == ".py" and path.name != OWN]
    stated = [p.name for p in sources if "Licensed under" in p.read_text("utf-8")]
    assert not stated


def test_every_ignored_warning_carries_its_reason() -> None:
    """A ``noqa`` or ``type: ignore`` says on its line why."""
    bare = re.compile(r"#\s*(noqa(:[A-Z0-9, ]+)?|type:\s*ignore(\[.*?\])?)\s*$")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _files()
        if path.suffix == ".py" and path.name != OWN
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if bare.search(line)
    ]
    assert not found
