"""People who sign in, with the ordinary environment of the ``openstack`` command."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any, Never

from tests.clients.openstack_command import own_environ

from sundog.edges.cli.command_line import OwnDeeds, Surroundings, run

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

    from tests.clients.openstack_command import Openstack

# Name, password, project, role.
PEOPLE = (
    ("admin", "one", "admin", "admin"),
    ("alice", "two", "alpha", "member"),
    ("rita", "three", "alpha", "reader"),
    ("bob", "four", "beta", "member"),
)


def write_users(folder: Path) -> str:
    """Write a users file of these people; returns its path."""
    users = folder / "users.toml"
    users.write_text(
        "".join(
            f'[[user]]\nname = "{name}"\npassword = "{password}"\n'
            f'roles = {{{project} = "{role}"}}\n'
            for name, password, project, role in PEOPLE
        )
    )
    users.chmod(0o600)
    return str(users)


def _never(_: object) -> Never:
    raise AssertionError


class Person:
    """Somebody with OS_* in the environment."""

    def __init__(
        self, openstack: Openstack, url: str, name: str, password: str, project: str
    ) -> None:
        """Set the variables."""
        self._openstack = openstack
        self._environ = own_environ() | {
            "OS_AUTH_TYPE": "password",
            "OS_AUTH_URL": f"{url}/identity/v3",
            "OS_USERNAME": name,
            "OS_PASSWORD": password,
            "OS_PROJECT_NAME": project,
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_ID": "default",
            "OS_IDENTITY_API_VERSION": "3",
        }

    def run(self, *words: str) -> CompletedProcess[str]:
        """Run a command."""
        return self._openstack(self._environ, *words)

    def sundog(self, *words: str) -> tuple[int, str, str]:
        """Run Sundog's own command; returns status, output and errors."""
        out, err = StringIO(), StringIO()
        around = Surroundings(environ=self._environ, out=out, err=err)
        deeds = OwnDeeds(up=_never, check_host_file=str, examine=_never, capture=_never)
        status = run(words, deeds, around)
        return status, out.getvalue(), err.getvalue()

    def ask(self, *words: str) -> str:
        """Run a command that must succeed; returns what it prints."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *words: str) -> Any:
        """Run a command that must succeed and return its JSON."""
        return json.loads(self.ask(*words, "-f", "json"))
