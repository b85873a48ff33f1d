"""What the documentation shows is what is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sundog.settings.options import OPTIONS

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "CONTRIBUTING.md"]
PAGES += [str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md")]
COMMAND_LINE = "src/sundog/edges/cli/command_line.py"
# Set-up that a new machine in CI runs through, or that nothing here can run.
BY_HAND = {"git clone", "apt-get install", "cd sundog", "export OS_"}


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _commands(page: str) -> list[str]:
    """Return each command line in the page's shell blocks."""
    blocks = re.findall(r"```(?:sh|console|bash)\n(.*?)```", _text(page), re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    bare = [line.removeprefix("$ ").removeprefix("sudo ") for line in lines if line]
    return [re.sub(r"\s+#.*", "", line) for line in bare]


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", _text("Makefile"), re.MULTILINE))


def _run_somewhere() -> str:
    """Return what CI runs, and the stories that tests type."""
    stories = [*(ROOT / "demo").glob("*.py"), *(ROOT / "tests").rglob("test_*.py")]
    return " ".join(path.read_text(encoding="utf-8") for path in stories)


@pytest.mark.parametrize("page", [page for page in PAGES if _commands(page)])
def test_every_command_shown_is_run(page: str) -> None:
    """A command in the docs is a make target, or one that the demo or a test runs."""
    run, targets = _run_somewhere(), _targets()
    commands = [c for c in _commands(page) if not any(c.startswith(b) for b in BY_HAND)]
    for command in commands:
        words = command.split()
        if words[0] == "make":
            assert set(words[1:]) <= targets, command
        elif words[0] in {"openstack", "sundog"}:
            # What is asked of what: two words with openstack, one with sundog.
            verbs = words[1 : 3 if words[0] == "openstack" else 2]
            spoken = r"\s*".join(rf"['\"]?{verb}['\"]?,?" for verb in verbs)
            assert re.search(spoken, run), command
        else:
            pytest.fail(f"nothing runs: {command}")


def test_every_command_named_in_a_text_is_sundogs() -> None:
    """Also where it is no line of a shell block."""
    known = set(re.findall(r'add_parser\(\s*"(\w+)"', _text(COMMAND_LINE)))
    fragments = [f"changes/{path.name}" for path in (ROOT / "changes").glob("*.md")]
    for page in PAGES + fragments:
        named = re.findall(r"`sundog\s+([a-z]+)", _text(page))
        assert set(named) <= known, page


def test_the_makefile_is_its_own_table_of_contents() -> None:
    """Every target says what it does."""
    described = set(re.findall(r"^([a-z-]+):.*## ", _text("Makefile"), re.MULTILINE))
    assert _targets() == described


def test_every_option_is_described_with_its_default() -> None:
    """The table of options has a row for each, by section, and no row else."""
    page = _text("docs/configuration.md")
    rows = re.findall(r"^\| (\w+) \| (`.*`) \| (.*?) ?\| .+ \|$", page, re.MULTILINE)
    told = {
        (section, name): default.partition(";")[0].strip("`")
        for section, names, default in rows
        for name in re.findall(r"`(\w+)`", names)
    }
    options = {(s, one.name): one.default for s in OPTIONS for one in OPTIONS[s]}
    assert told.keys() == options.keys()
    for key, default in options.items():
        # What has no default in a file has one in words; empty text is called so.
        expected = {"": {"empty", "none", ""}, None: {told[key]}}
        assert told[key] in expected.get(default, {default}), key
    sections = [section for section, *_ in rows]
    assert sections == sorted(sections, key=sections.index)


def test_links_lead_somewhere() -> None:
    """A relative link in any page names a file that is there."""
    for page in (ROOT / name for name in PAGES):
        links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        missing = [link for link in links if not (page.parent / link).exists()]
        assert not missing, page.name
