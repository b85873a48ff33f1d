"""What a person types, and what the command answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.edges.cli.conftest import RECORDED, SERVER

from sundog.core.hosts.checkup import Check, Mark
from sundog.edges.cli.command_line import UpOptions

if TYPE_CHECKING:
    from tests.edges.cli.conftest import Terminal

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("story", "words", "columns"),
    [
        ("show", ["show"], "114"),
        ("show-narrow", ["show"], "80"),
        ("show-one", ["show", "host-a"], "100"),
        ("devices", ["devices"], "100"),
        ("devices-long", ["devices", "--long", "--host", "host-a"], "100"),
        ("devices-of-host", ["devices", "--host", "gpu1"], "100"),
        ("devices-of-server", ["devices", "--server", "ml-2"], "100"),
        ("devices-of-server-narrow", ["devices", "--server", "ml-2"], "76"),
        ("devices-of-none", ["devices", "--server", "web"], "60"),
        ("explain-fits", ["explain", "one-vgpu"], "100"),
        (
            "explain-nowhere",
            ["explain", "huge", "--image", "i 1", "--zone", "east"],
            "100",
        ),
    ],
)
def test_an_answer_is_drawn_as_agreed(
    terminal: Terminal, story: str, words: list[str], columns: str
) -> None:
    """Each command's answer equals the text kept beside this test."""
    terminal.environ["COLUMNS"] = columns
    status, out, err = terminal.type(*words)
    assert (status, err) == (0, "")
    said = "".join(f"{line.rstrip()}\n" for line in out.splitlines())
    assert said == (GOLDEN / f"{story}.txt").read_text(encoding="utf-8")
    assert max(map(len, said.splitlines())) <= int(columns)


def test_all_that_is_known_of_devices_is_told_as_json(terminal: Terminal) -> None:
    """As the service answers it, of one host or of one server, too."""
    told = json.loads((RECORDED / "devices.json").read_text())
    status, out, _ = terminal.type("devices", "--json")
    assert (status, json.loads(out)) == (0, told)
    some = [row for row in told["devices"] if row["host"] == "gpu1"]
    out = terminal.type("devices", "--json", "--host", "gpu1")[1]
    assert json.loads(out) == {"devices": some}
    assert terminal.type("devices", "--json", "--host", "no")[0] == 2
    out = terminal.type("devices", "--json", "--server", "ml-2")[1]
    assert json.loads(out) == SERVER


def test_up_hands_over_its_configuration_files(terminal: Terminal) -> None:
    """``--config`` may be repeated; the order is kept."""
    assert terminal.type("up", "--config", "a.conf", "--config", "b.conf")[0] == 0
    assert terminal.started == [UpOptions(config=(Path("a.conf"), Path("b.conf")))]


def test_a_check_up_is_told_line_by_line(terminal: Terminal) -> None:
    """What is not ok fails the command; a note does not. Each says the way out."""
    terminal.checks = (
        Check(mark=Mark.OK, about="libvirt", found="version 9.0.0"),
        Check(mark=Mark.NOTE, about="huge pages", found="none", mend="hugepages=8"),
    )
    status, out, err = terminal.type("doctor", "--config", "a.conf")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "ok      libvirt: version 9.0.0",
        "note    huge pages: none",
        "        -> hugepages=8",
    ]
    assert terminal.examined == [(Path("a.conf"),)]
    bad = Check(mark=Mark.BAD, about="IOMMU", found="is off", mend="turn it on")
    terminal.checks = (*terminal.checks, bad)
    status, out, _ = terminal.type("doctor")
    assert (status, out.splitlines()[-2]) == (1, "not ok  IOMMU: is off")


def test_a_host_is_captured_to_the_output(terminal: Terminal) -> None:
    """So that a shell can write it to a file."""
    answer = terminal.type("hostfile", "capture", "--config", "a.conf")
    assert answer == (0, "captured with 1 files\n", "")


def test_a_host_file_is_summed_up_in_a_line(terminal: Terminal) -> None:
    """``hostfile check`` tells what a good file describes."""
    answer = terminal.type("hostfile", "check", "one.toml", "two.toml")
    assert answer == (
        0,
        "one.toml: 2 sockets, 8 cards\ntwo.toml: 2 sockets, 8 cards\n",
        "",
    )


def test_each_problem_of_a_host_file_is_a_line(terminal: Terminal) -> None:
    """A bad file does not hide the others, and sets the exit status to 2."""
    answer = terminal.type("hostfile", "check", "bad.toml", "good.toml")
    assert answer == (
        2,
        "good.toml: 2 sockets, 8 cards\n",
        "sundog: cells: none\nsundog: cards[0].numa_node is 'x'\n",
    )


def test_an_interrupt_is_quiet(terminal: Terminal) -> None:
    """Ctrl-C ends a command with the shell's status for it, and no words."""
    assert terminal.type("hostfile", "check", "slow.toml") == (130, "", "")


def test_an_unknown_flavor_is_a_line(terminal: Terminal) -> None:
    """The service's own message is told."""
    answer = terminal.type("explain", "no")
    assert answer == (1, "", "sundog: Flavor no could not be found.\n")


def test_an_unknown_host_is_a_line_with_the_known_ones(terminal: Terminal) -> None:
    """A host that is not there is a wrong command, and the others are named."""
    line = "sundog: there is no host 'no'; there are: gpu1, host-a\n"
    assert terminal.type("show", "no") == (2, "", line)
    assert terminal.type("devices", "--host", "no") == (2, "", line)


def test_nobody_there_is_a_line_with_the_way_out(terminal: Terminal) -> None:
    """Where no service answers, the line says how to start or name one."""
    status, out, err = terminal.type("show", "--endpoint", "http://127.0.0.1:1")
    assert (status, out) == (1, "")
    assert err == (
        "sundog: no answer from http://127.0.0.1:1 (connection refused); start the "
        "service with 'sundog up', or name it with --endpoint or SUNDOG_ENDPOINT\n"
    )


@pytest.mark.parametrize("path", ["/html", "/elsewhere"])
def test_another_service_is_told_from_sundog(terminal: Terminal, path: str) -> None:
    """An answer that is not Sundog's is not taken for one."""
    url = terminal.environ["SUNDOG_ENDPOINT"] + path
    status, out, err = terminal.type("show", "--endpoint", url)
    assert (status, out) == (1, "")
    assert "answers, but not as Sundog does (/v1/hosts: HTTP" in err


@pytest.mark.parametrize("words", [[], ["fly"], ["show", "--colour"], ["hostfile"]])
def test_a_wrong_command_ends_with_status_2(
    terminal: Terminal, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The usage is told on the error stream."""
    with pytest.raises(SystemExit) as ended:
        terminal.type(*words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: sundog")
