"""Settings are read once, whole, or refused with everything that is wrong."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sundog.core.choosing.taste import Order, Taste
from sundog.core.errors import BadConfigurationError
from sundog.core.hosts.whitelist import HostPolicy
from sundog.settings.options import OPTIONS
from sundog.settings.read import read_settings
from sundog.settings.tree import (
    ApiSettings,
    HostSettings,
    IdentitySettings,
    LibvirtSettings,
    ReservedPages,
    Settings,
    SimulatedHost,
)

EVERYTHING = """
[DEFAULT]
state_path = /srv/sundog
cpu_allocation_ratio = 16
ram_allocation_ratio = 1.5
disk_allocation_ratio = 2
host = metal1
instances_path = /srv/guests
reserved_host_memory_mb = 1024
reserved_host_disk_mb = 2048
reserved_huge_pages = node:0,size:2048,count:64
reserved_huge_pages = node:1, size:1GB, count:2
osapi_compute_listen = ::1
osapi_compute_listen_port = 8000

[pci]
# Lines may go on, and a dollar that names nothing stays.
device_spec = {"vendor_id": "10de",
    "address": {"function": "[01]$"}}
device_spec = [{"vendor_id": "8086"}, {"vendor_id": "15b3"}]
alias = {"name": "nic", "vendor_id": "8086", "product_id": "1520"}

[compute]
cpu_shared_set = 0-3,^1
cpu_dedicated_set = 4, 6 - 7

[database]
connection = sqlite:///$state_path/db

[placement]
endpoint_override = http://placement.example:8778/
auth_type = admin_token
token = secret

[scheduler]
max_attempts = 5

[libvirt]
device_detach_timeout = 5

[chooser]
hosts = pack
cells = pack
cards = spread
keep_device_hosts_free = no

[libvirt]
connection_uri = qemu:///system
virt_type = qemu
cpu_mode = maximum

[images]
folder = $state_path/pictures

[simulation]
host_file = small
host_file = gpu2=/etc/sundog/two.toml

[identity]
users_file = $state_path/users.toml
region_name = north
token_expiration = 600
"""


def read(folder: Path, text: str) -> Settings:
    """Read one file of settings, named sundog.conf."""
    file = folder / "sundog.conf"
    file.write_text(text)
    return read_settings([file], {})


def problems(folder: Path, text: str) -> list[str]:
    """Return what is wrong with the text of a file, the file's name cut off."""
    with pytest.raises(BadConfigurationError) as caught:
        read(folder, text)
    for line in caught.value.problems:
        assert line.startswith(f"{folder}/sundog.conf: ")
        assert "\n" not in line
    return [line.partition("sundog.conf: ")[2] for line in caught.value.problems]


def test_everything_that_is_said_is_in_the_tree(tmp_path: Path) -> None:
    said = read(tmp_path, EVERYTHING)
    assert str(said.state_path) == "/srv/sundog"
    assert said.detach_seconds == 5
    assert said.host == HostSettings(
        policy=HostPolicy(cpu_ratio=16.0, ram_ratio=1.5, disk_ratio=2.0),
        reserved_memory_mb=1024,
        reserved_disk_mb=2048,
        reserved_huge_pages=(
            ReservedPages(cell=0, size_kb=2048, count=64),
            ReservedPages(cell=1, size_kb=1 << 20, count=2),
        ),
        cpu_shared_set=frozenset({0, 2, 3}),
        cpu_dedicated_set=frozenset({4, 6, 7}),
    )
    assert said.api == ApiSettings(listen="::1", port=8000)
    assert [spec.vendor_id for spec in said.pci.device_specs] == [
        "10de",
        "8086",
        "15b3",
    ]
    assert list(said.pci.aliases) == ["nic"]
    assert said.database == "sqlite:////srv/sundog/db"
    assert said.placement.endpoint == "http://placement.example:8778"
    assert said.placement.token == "secret"  # noqa: S105  it is none
    assert said.taste == Taste(
        hosts=Order.PACK,
        cells=Order.PACK,
        cards=Order.SPREAD,
        keep_device_hosts_free=False,
    )
    assert said.max_attempts == 5
    assert said.identity == IdentitySettings(
        users_file=Path("/srv/sundog/users.toml"), region="north", token_seconds=600
    )
    assert str(said.images) == "/srv/sundog/pictures"
    assert (said.host_name, str(said.instances)) == ("metal1", "/srv/guests")
    assert said.libvirt == LibvirtSettings(
        connection_uri="qemu:///system", virt_type="qemu", cpu_mode="maximum"
    )
    assert said.simulated_hosts == (
        SimulatedHost(file="small"),
        SimulatedHost(name="gpu2", file="/etc/sundog/two.toml"),
    )


def test_without_files_every_option_has_its_default() -> None:
    said = read_settings([], {})
    assert said == Settings(
        state_path=said.state_path,
        images=said.state_path / "images",
        instances=said.state_path / "instances",
        database="sqlite:////var/lib/sundog/sundog.db",
    )


def test_the_tree_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        read_settings([], {}).max_attempts = 4  # type: ignore[misc]  # frozen on purpose


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    text = EVERYTHING.replace("sqlite://", "postgresql://me:secret@db")
    assert "secret" not in repr(read(tmp_path, text))


def test_paths_are_absolute_and_follow_the_state_path(tmp_path: Path) -> None:
    said = read_settings([], {"state_path": tmp_path / "state"})
    assert said.images == tmp_path / "state" / "images"
    assert said.database == f"sqlite:///{tmp_path}/state/sundog.db"
    assert read_settings([], {"state_path": "~/x"}).state_path.is_absolute()


def test_a_later_file_wins_and_repeated_options_add_up(tmp_path: Path) -> None:
    first, second = tmp_path / "a.conf", tmp_path / "b.conf"
    first.write_text("[scheduler]\nmax_attempts=4\n[simulation]\nhost_file=small\n")
    second.write_text("[scheduler]\nmax_attempts=5\n[simulation]\nhost_file=snc\n")
    said = read_settings([first, second], {})
    assert said.max_attempts == 5
    assert [host.file for host in said.simulated_hosts] == ["small", "snc"]


def test_overrides_win_over_files(tmp_path: Path) -> None:
    file = tmp_path / "a.conf"
    file.write_text(EVERYTHING)
    said = read_settings(
        [file],
        {
            "osapi_compute_listen_port": 0,
            "DEFAULT.reserved_host_memory_mb": 64,
            "simulation.host_file": ["a=small", "b=small"],
            "chooser.keep_device_hosts_free": True,
        },
    )
    assert said.api.port == 0
    assert said.host.reserved_memory_mb == 64
    assert [host.name for host in said.simulated_hosts] == ["a", "b"]
    assert said.taste.keep_device_hosts_free


def test_the_environment_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # oslo.config would read it by default.
    monkeypatch.setenv("OS_SCHEDULER__MAX_ATTEMPTS", "9")
    assert read_settings([], {}).max_attempts == 3


@pytest.mark.parametrize(
    ("section", "line", "problem"),
    [
        ("DEFAULT", "state_path =", "is empty; write a path"),
        ("DEFAULT", "state_path = ~nobody-here/x", "'~nobody-here/x' is no path: "),
        ("DEFAULT", "osapi_compute_listen = here", "'here' does not appear to be an"),
        ("identity", "region_name = a b", "'a b' is no host name; use letters, digits"),
        ("DEFAULT", "cpu_allocation_ratio = 0", "'0' is no ratio; write one as 1.0"),
        ("DEFAULT", "ram_allocation_ratio = nan", "'nan' is no ratio; write one as"),
        ("DEFAULT", "disk_allocation_ratio = two", "'two' is no ratio; write one as"),
        (
            "DEFAULT",
            "reserved_host_memory_mb = -1",
            "'-1' is no whole number from 0 to 2147483647",
        ),
        (
            "DEFAULT",
            "osapi_compute_listen_port = 65536",
            "'65536' is no whole number from 0 to 65535",
        ),
        (
            "DEFAULT",
            "reserved_huge_pages = node:0,size:2048",
            "'node:0,size:2048' is not as node:0,size:2048,count:64",
        ),
        ("compute", "cpu_shared_set = 3-1", "'3-1' is no range from 0 to 8191"),
        ("compute", "cpu_shared_set = 0-99999999", "'0-99999999' is no range from 0"),
        ("compute", "cpu_shared_set = a", "'a' is no CPU; write 0-3,^1,8"),
        ("compute", "cpu_shared_set =", "'' is no CPU; write 0-3,^1,8"),
        ("compute", "cpu_dedicated_set = 1,^1", "names no CPU; remove the line if"),
        ("placement", "endpoint_override = here", "'here' is no URL; write one as"),
        ("placement", "auth_type = password", "'password' is not known; write none or"),
        ("placement", "auth_type = admin_token", "admin_token needs token = ..."),
        ("scheduler", "max_attempts = 0", "'0' is no whole number from 1 to 1000"),
        ("chooser", "cards = stack", "'stack' is not known; write pack or spread"),
        ("chooser", "keep_device_hosts_free = 2", "'2' is neither true nor false"),
        ("simulation", "host_file = a=", "'a=' names no host file"),
        ("simulation", "host_file = a/b=c", "'a/b' is no host name; use letters,"),
        ("images", "folder = $nowhere/x", "no such option nowhere in group [DEFAULT]"),
    ],
)
def test_a_bad_value_is_one_line_with_file_section_and_option(
    tmp_path: Path, section: str, line: str, problem: str
) -> None:
    (told,) = problems(tmp_path, f"[{section}]\n{line}\n")
    option = line.partition("=")[0].strip()
    assert told.startswith(f"[{section}] {option}: {problem}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[scheduler]\nmax_attempt = 3",
            "[scheduler] max_attempt: is no option; did you mean max_attempts?",
        ),
        (
            "[scheduler]\nfolder = x",
            "[scheduler] folder: is no option; it belongs to [images]",
        ),
        (
            "[scheduler]\nx = x",
            "[scheduler] x: is no option; known: max_attempts",
        ),
        ("[PCI]", "[PCI] is no section; did you mean pci?"),
        (
            "[zzz]\n",
            "[zzz] is no section; known: DEFAULT, chooser, compute, database, ",
        ),
        ("state_path = /x", "line 1: Section must be started before assignment;"),
        ("[DEFAULT]\nstate_path", "line 2: No ':' or '=' found in assignment;"),
        (
            "[compute]\ncpu_shared_set=0-3\ncpu_dedicated_set=3-5",
            "[compute] cpu_dedicated_set: CPU 3 is in cpu_shared_set too; leave it",
        ),
        (
            "[placement]\ntoken = secret",
            "[placement] token: needs auth_type = admin_token, or it would not be sent",
        ),
        (
            "[simulation]\nhost_file = a=small\nhost_file = a=snc",
            "[simulation] host_file: host 'a' stands twice; give each its own name",
        ),
        ('[pci]\ndevice_spec = {"vendor_id": "zz"}', "[pci] device_spec rule 1: key"),
        ("[pci]\nalias = 7", "[pci] alias rule 1: 7 is not an object"),
    ],
)
def test_each_slip_is_told_with_the_way_out(
    tmp_path: Path, text: str, told: str
) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(told)


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """
        [DEFAULT]
        state_path =
        hots = a
        [pci]
        device_spec = {"vendor_id": "zz"}
        device_spec = {"product_id": "zz"}
        alias = {"name": "a", "colour": "red", "vendor_id": "10de"}
        [scheduler]
        max_attempts = x
    """.replace("        ", "")
    told = "\n".join(problems(tmp_path, text))
    for option in (
        "state_path",
        "hots",
        "device_spec rule 1",
        "device_spec rule 2",
        "alias rule 1",
        "max_attempts",
    ):
        assert told.count(f"] {option}:") == 1


def test_bad_overrides_are_told_as_such() -> None:
    with pytest.raises(BadConfigurationError) as caught:
        read_settings(
            [],
            {
                "scheduler.max_attempts": 0,
                "scheduler.max_attempt": 1,
                "nowhere.x": 1,
                "max_attempts": 1,
            },
        )
    assert [line.partition(";")[0] for line in caught.value.problems] == [
        "override: [scheduler] max_attempts: '0' is no whole number from 1 to 1000",
        "override scheduler.max_attempt: is no option",
        "override nowhere.x: is no option",
        "override max_attempts: is no option",
    ]


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "binary.conf").write_bytes(b"\xff\xfe")
    with pytest.raises(BadConfigurationError) as caught:
        read_settings([tmp_path / "none.conf", tmp_path / "binary.conf", tmp_path], {})
    assert [
        line.removeprefix(f"{tmp_path}")[:30] for line in caught.value.problems
    ] == [
        "/none.conf: cannot be read: No",
        "/binary.conf: is not UTF-8 tex",
        ": cannot be read: Is a directo",
    ]


_WORDS = [
    *(f"\n[{section}]\n" for section in OPTIONS),
    *(f"\n{option.name} = " for options in OPTIONS.values() for option in options),
    *(
        "$state_path",
        "${",
        "$$",
        '{"vendor_id": "10de"}',
        "[",
        "]",
        ",",
        "0-3",
        "http://[",
    ),
    *("\n", "  ", "#", ":", "=", '"', "\0", "node:0,size:1GB,count:1", "~", "\ufeff"),
]


@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(text=st.lists(st.sampled_from(_WORDS) | st.text(max_size=4)).map("".join))
def test_no_text_at_all_gets_another_error(text: str) -> None:
    told: tuple[str, ...] = ()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "any.conf"
        file.write_text(text, encoding="utf-8")
        try:
            read_settings([file], {})
        except BadConfigurationError as error:
            told = error.problems
    assert all("\n" not in problem for problem in told)


def test_an_option_that_names_itself_is_told(tmp_path: Path) -> None:
    (told,) = problems(tmp_path, "[DEFAULT]\nstate_path = $state_path/x")
    assert told.startswith("[DEFAULT] state_path: ")
