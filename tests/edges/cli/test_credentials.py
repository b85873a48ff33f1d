"""The command signs in as the openstack command does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sundog.edges.cli.credentials import Credentials, find_credentials
from sundog.edges.cli.endpoint import find_endpoint

if TYPE_CHECKING:
    from pathlib import Path

CLOUDS = """
clouds:
  signed:
    auth: {auth_url: "http://h:1/identity/v3", username: u, password: p,
           project_name: a}
  bare: {auth_type: none}
"""
ENVIRON = {"OS_USERNAME": "alice", "OS_PASSWORD": "two", "OS_PROJECT_NAME": "alpha"}


def test_the_environment_says_who() -> None:
    assert find_credentials(ENVIRON) == Credentials(
        user="alice",
        password="two",  # noqa: S106 - nobody's
        project="alpha",
    )


@pytest.mark.parametrize("name", ["OS_USERNAME", "OS_PASSWORD"])
def test_without_a_name_or_a_password_nobody_signs_in(name: str) -> None:
    assert find_credentials({k: v for k, v in ENVIRON.items() if k != name}) is None


def test_a_cloud_says_who_and_where(tmp_path: Path) -> None:
    file = tmp_path / "clouds.yaml"
    file.write_text(CLOUDS)
    environ = ENVIRON | {"OS_CLIENT_CONFIG_FILE": str(file), "OS_CLOUD": "signed"}
    found = find_credentials(environ)
    assert found is not None
    assert (found.user, found.project) == ("u", "a")
    assert find_endpoint(None, environ) == "http://h:1"
    assert find_credentials(environ | {"OS_CLOUD": "bare"}) is None


def test_the_auth_url_says_where() -> None:
    environ = {"OS_AUTH_URL": "http://h:1/identity/v3/"}
    assert find_endpoint(None, environ) == "http://h:1"
    assert find_endpoint(None, environ | {"OS_AUTH_URL": "http://h:2/v3"}) == (
        "http://h:2"
    )


def test_a_password_is_not_shown() -> None:
    assert "two" not in repr(find_credentials(ENVIRON))
