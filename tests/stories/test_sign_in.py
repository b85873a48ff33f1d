"""People sign in with the ordinary environment of the real ``openstack`` command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Never

import pytest
from tests.stories.service import Service, open_service
from waitress.server import create_server

from sundog.edges.cli.command_line import OwnDeeds, Surroundings, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication

OPENSTACK = shutil.which("openstack", path=str(Path(sys.executable).parent))
USERS = """
[[user]]
name = "admin"
password = "one"
roles = {admin = "admin"}

[[user]]
name = "alice"
password = "two"
roles = {alpha = "member"}
"""

pytestmark = pytest.mark.skipif(
    OPENSTACK is None, reason="python-openstackclient is not installed"
)


@contextmanager
def listening(app: WSGIApplication) -> Iterator[str]:
    """Listen meanwhile; gives the root URL."""
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # From waitress's own thread, or its loop may trip over a closed socket.
        server.trigger.pull_trigger(server.close)
        thread.join(timeout=10)
        server.task_dispatcher.shutdown()


def _never(_: object) -> Never:
    raise AssertionError


class Person:
    """Somebody with OS_* in the environment."""

    def __init__(self, url: str, home: Path, name: str, password: str, project: str):
        """Set the variables."""
        mine = {key: text for key, text in os.environ.items() if key[:3] != "OS_"}
        self._home = home
        self._environ = mine | {
            "HOME": str(home),
            "OS_AUTH_TYPE": "password",
            "OS_AUTH_URL": f"{url}/identity/v3",
            "OS_USERNAME": name,
            "OS_PASSWORD": password,
            "OS_PROJECT_NAME": project,
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_ID": "default",
            "OS_IDENTITY_API_VERSION": "3",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        return subprocess.run(  # noqa: S603 - our own words
            [str(OPENSTACK), *words],
            cwd=self._home,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def sundog(self, *words: str) -> tuple[int, str, str]:
        """Run Sundog's own command; returns status, output and errors."""
        out, err = StringIO(), StringIO()
        around = Surroundings(environ=self._environ, out=out, err=err)
        deeds = OwnDeeds(up=_never, check_host_file=str, examine=_never, capture=_never)
        status = run(words, deeds, around)
        return status, out.getvalue(), err.getvalue()

    def json(self, *words: str) -> Any:
        """Run a command that must succeed and return its JSON."""
        done = self.run(*words, "-f", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def opened(tmp_path: Path) -> Service:
    """Open a service where people sign in."""
    users = tmp_path / "users.toml"
    users.write_text(USERS)
    users.chmod(0o600)
    (tmp_path / "home").mkdir(exist_ok=True)
    return open_service(
        tmp_path, ["h1=small"], [], [], **{"identity.users_file": str(users)}
    )


def test_who_was_added_by_the_real_command_stays(tmp_path: Path) -> None:
    """Also through a restart, and until taken away."""
    service, home = opened(tmp_path), tmp_path / "home"
    with service.embedded, listening(service.embedded.app) as url:
        admin = Person(url, home, "admin", "one", "admin")
        admin.json("project", "create", "gamma")
        admin.json("user", "create", "--password", "three", "carl")
        added = admin.run(
            "role", "add", "--project", "gamma", "--user", "carl", "member"
        )
        assert added.returncode == 0, added.stderr
    service = opened(tmp_path)
    with service.embedded, listening(service.embedded.app) as url:
        carl = Person(url, home, "carl", "three", "gamma")
        assert carl.json("server", "list") == []
        admin = Person(url, home, "admin", "one", "admin")
        assert admin.run("user", "delete", "carl").returncode == 0
        assert "requires authentication" in carl.run("server", "list").stderr


def test_the_ordinary_environment_works(tmp_path: Path) -> None:
    service, home = opened(tmp_path), tmp_path / "home"
    with service.embedded, listening(service.embedded.app) as url:
        admin = Person(url, home, "admin", "one", "admin")
        alice = Person(url, home, "alice", "two", "alpha")
        size = ("--ram", "64", "--vcpus", "1", "--disk", "0")
        admin.json("flavor", "create", *size, "tiny")
        boot = ("--flavor", "tiny", "--image", "tiny", "--nic", "none")
        made = alice.json("server", "create", *boot, "mine")
        assert admin.json("server", "list") == []
        (listed,) = admin.json("server", "list", "--all-projects")
        assert listed["ID"] == made["id"]
        # Placement stands behind the same tokens.
        assert admin.json("resource", "provider", "list")
        refused = alice.run("flavor", "create", *size, "more")
        assert "Policy doesn't allow POST /flavors" in refused.stderr
        assert "h1" in admin.sundog("show")[1]
        status, _, told = alice.sundog("show")
        assert (status, "Policy doesn't allow" in told) == (1, True)
        stranger = Person(url, home, "alice", "wrong", "alpha")
        assert "requires authentication" in stranger.run("server", "list").stderr
        assert "does not let user 'alice' into" in stranger.sundog("show")[2]
