"""The product stays readable in an afternoon."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = [
    ROOT / part for part in ("src/sundog", "tests", "demo", "scripts", "bench", "lab")
]
MODULES = sorted(path for part in CODE for path in part.rglob("*.py"))
FOLDERS = sorted({path.parent for path in MODULES})
LONGEST_MODULE = 400
FULLEST_FOLDER = 14
LONGEST_README = 120


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_is_short(path: Path) -> None:
    """No module is longer than a reader's patience."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", FOLDERS, ids=_name)
def test_folder_is_seen_at_a_glance(path: Path) -> None:
    """A folder holds 14 files at most, ``__init__.py`` not counted."""
    files = [file for file in path.iterdir() if file.is_file()]
    counted = [file.name for file in files if file.name != "__init__.py"]
    assert len(counted) <= FULLEST_FOLDER


def test_readme_is_a_page_or_two() -> None:
    """The README is read to its end."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert 0 < len(readme.splitlines()) <= LONGEST_README
