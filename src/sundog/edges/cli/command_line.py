"""The ``sundog`` command: its subcommands, options and exit statuses.

Exit status 0: done; 1: it failed; 2: the command or the configuration is wrong;
130: interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from rich.console import Console

from sundog.core.errors import BadConfigurationError, SundogError
from sundog.edges.cli.agreement import tell_audit, tell_healing
from sundog.edges.cli.checkup import tell_checkup
from sundog.edges.cli.credentials import find_credentials
from sundog.edges.cli.endpoint import find_endpoint
from sundog.edges.cli.lists import list_devices, tell_explanation
from sundog.edges.cli.picture import draw_hosts
from sundog.edges.cli.rest_client import RestClient
from sundog.edges.cli.server_devices import await_end, draw_server_devices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sundog.core.hosts.checkup import Check
    from sundog.edges.cli.answers import Host

_DONE: Final = 0
_FAILED: Final = 1
_WRONG: Final = 2
_INTERRUPTED: Final = 130
_PIPE_COLUMNS: Final = 114  # four cards side by side


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """How to start the service: configuration files, the later ones win."""

    config: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDeeds:
    """What the command does by itself, without a service that it asks.

    ``up`` starts the service and returns its exit status. ``check_host_file`` sums up
    a host file in a line. ``examine`` checks this host against configuration files,
    ``capture`` writes it as a host file. Each raises BadConfigurationError.
    """

    up: Callable[[UpOptions], int]
    check_host_file: Callable[[Path], str]
    examine: Callable[[Sequence[Path]], Sequence[Check]]
    capture: Callable[[Sequence[Path]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The world round a command: where it reads settings and writes answers."""

    environ: Mapping[str, str]
    out: TextIO
    err: TextIO


def run(
    argv: Sequence[str], deeds: OwnDeeds, around: Surroundings | None = None
) -> int:
    """Run one command and return its exit status; every error is told in a line.

    ``argv`` is without the program's name.
    """
    around = around or Surroundings(environ=os.environ, out=sys.stdout, err=sys.stderr)
    try:
        asked = _parser().parse_args(argv)
        status = _by_itself(asked, deeds, around)
        if status is not None:
            return status
        return _ask(asked, around)
    except SundogError as error:
        return _tell(error, around.err)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read the answer has seen enough; Python must not flush again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED


def _by_itself(
    asked: argparse.Namespace, deeds: OwnDeeds, around: Surroundings
) -> int | None:
    """Run a command that asks no service; None: it is another."""
    if asked.command == "up":
        return deeds.up(UpOptions(config=tuple(asked.config)))
    if asked.command == "doctor":
        fit = tell_checkup(deeds.examine(asked.config), around.out)
        return _DONE if fit else _FAILED
    if asked.command != "hostfile":
        return None
    if asked.action == "capture":
        around.out.write(deeds.capture(asked.config))
        return _DONE
    return _check_files(asked.files, deeds.check_host_file, around)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sundog",
        description="Hand out PCI devices, VFs and vGPUs with NUMA affinity.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    reading = argparse.ArgumentParser(add_help=False)
    reading.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a configuration file; may be repeated, the later ones win",
    )
    commands.add_parser(
        "up", parents=[reading], help="start the service in the foreground"
    )
    commands.add_parser(
        "doctor",
        parents=[reading],
        help="say whether this host can hand out devices, and how to mend it",
    )
    asking = argparse.ArgumentParser(add_help=False)
    asking.add_argument(
        "--endpoint",
        metavar="URL",
        help="the service's root URL; otherwise SUNDOG_ENDPOINT, or OS_CLOUD's",
    )
    _add_questions(commands, asking)
    hostfile = commands.add_parser("hostfile", help="files that describe a host")
    actions = hostfile.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="read host files and sum them up")
    check.add_argument("files", metavar="FILE", nargs="+", type=Path)
    actions.add_parser(
        "capture", parents=[reading], help="write this host as a host file"
    )
    return parser


def _add_questions(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    asking: argparse.ArgumentParser,
) -> None:
    show = commands.add_parser(
        "show", parents=[asking], help="draw the hosts and who holds what"
    )
    show.add_argument("host", metavar="HOST", nargs="?", help="only this host")
    devices = commands.add_parser(
        "devices", parents=[asking], help="list the devices and who holds them"
    )
    which = devices.add_mutually_exclusive_group()
    which.add_argument("--host", help="only those of this host")
    which.add_argument("--server", help="those of this server, by its name or id")
    how = devices.add_mutually_exclusive_group()
    how.add_argument(
        "--long", action="store_true", help="every device, not what is alike together"
    )
    how.add_argument("--json", action="store_true", help="all that is known, as JSON")
    explain = commands.add_parser(
        "explain", parents=[asking], help="say where a flavor fits, and why not"
    )
    explain.add_argument("flavor", metavar="FLAVOR", help="a flavor's name or id")
    explain.add_argument("--image", help="an image's id, for its properties")
    explain.add_argument("--zone", help="only hosts of this availability zone")
    commands.add_parser(
        "audit",
        parents=[asking],
        help="say where guests, claims, allocations and devices disagree",
    )
    heal = commands.add_parser(
        "heal", parents=[asking], help="mend what audit finds, where that is safe"
    )
    heal.add_argument("--dry-run", action="store_true", help="only say what to mend")
    _add_device(commands, asking)
    _add_plugs(commands, asking)


def _add_plugs(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    asking: argparse.ArgumentParser,
) -> None:
    attach = commands.add_parser(
        "attach", parents=[asking], help="give a server more devices"
    )
    attach.add_argument("server", metavar="SERVER", help="its name or id")
    attach.add_argument(
        "devices",
        metavar="ALIAS[:COUNT]",
        help="in a flavor's words; resources:CLASS=COUNT is understood, too",
    )
    detach = commands.add_parser(
        "detach", parents=[asking], help="take a device from a server"
    )
    detach.add_argument("server", metavar="SERVER", help="its name or id")
    detach.add_argument("slot", metavar="SLOT", help="as sundog devices --server has")


def _add_device(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    asking: argparse.ArgumentParser,
) -> None:
    device = commands.add_parser("device", help="hold a device back, or release it")
    actions = device.add_subparsers(dest="action", required=True, metavar="ACTION")
    hold = actions.add_parser(
        "hold", parents=[asking], help="offer it to no new server"
    )
    release = actions.add_parser("release", parents=[asking], help="offer it again")
    for action in (hold, release):
        action.add_argument("host", metavar="HOST")
        action.add_argument(
            "address", metavar="ADDRESS", help="as sundog devices --long has"
        )
    hold.add_argument("--reason", default="", help="shown to those who ask for it")


def _ask(asked: argparse.Namespace, around: Surroundings) -> int:
    client = RestClient(find_endpoint(asked.endpoint, around.environ))
    who = find_credentials(around.environ)
    if who is not None:
        client = client.signed_in(who)
    if asked.command == "audit":
        return _DONE if tell_audit(client.audit(), around.out) else _FAILED
    if asked.command == "heal":
        done = client.heal(dry_run=asked.dry_run)
        return _DONE if tell_healing(done, around.out) else _FAILED
    if asked.command == "device":
        sent = {"reason": asked.reason} if asked.action == "hold" else {}
        client.device(asked.host, asked.address, asked.action, sent)
        return _DONE
    if asked.command == "attach":
        await_end(client, client.attach(asked.server, asked.devices))
    elif asked.command == "detach":
        await_end(client, client.detach(asked.server, asked.slot))
    elif asked.command == "devices" and asked.json:
        _tell_json(asked, client, around.out)
        return _DONE
    return _draw(asked, client, _console(around))


def _draw(asked: argparse.Namespace, client: RestClient, console: Console) -> int:
    if asked.command == "show":
        draw_hosts(_hosts(client, asked.host), console)
    elif asked.command == "explain":
        tell_explanation(client.explain(asked.flavor, asked.image, asked.zone), console)
    elif asked.server:
        draw_server_devices(client.server_devices(asked.server), console)
    else:
        list_devices(_hosts(client, asked.host), console, each=asked.long)
    return _DONE


def _tell_json(asked: argparse.Namespace, client: RestClient, out: TextIO) -> None:
    """Write the devices that are asked for as the service tells them."""
    if asked.server:
        json.dump(client.server_devices(asked.server), out, indent=2)
    else:
        names = {host["name"] for host in _hosts(client, asked.host)}
        rows = [row for row in client.devices() if row["host"] in names]
        json.dump({"devices": rows}, out, indent=2)
    out.write("\n")


def _hosts(client: RestClient, wanted: str | None) -> list[Host]:
    """Return the hosts, or the one that is wanted; raises BadConfigurationError."""
    hosts = client.hosts()
    if wanted is None:
        return hosts
    found = [host for host in hosts if host["name"] == wanted]
    if not found:
        names = ", ".join(host["name"] for host in hosts) or "none"
        raise BadConfigurationError(f"there is no host {wanted!r}; there are: {names}")
    return found


def _console(around: Surroundings) -> Console:
    console = Console(file=around.out, highlight=False, _environ=around.environ)
    if not console.is_terminal and "COLUMNS" not in around.environ:
        console.width = _PIPE_COLUMNS
    return console


def _check_files(
    files: Sequence[Path], check: Callable[[Path], str], around: Surroundings
) -> int:
    status = _DONE
    for path in files:
        try:
            around.out.write(f"{path}: {check(path)}\n")
        except SundogError as error:
            status = max(status, _tell(error, around.err))
    return status


def _tell(error: SundogError, err: TextIO) -> int:
    lines = str(error).splitlines() or [error.code]
    err.writelines(f"sundog: {line}\n" for line in lines)
    return _WRONG if isinstance(error, BadConfigurationError) else _FAILED
