"""Where the command finds the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sundog.core.errors import BadConfigurationError
from sundog.edges.cli.endpoint import DEFAULT_ENDPOINT, find_endpoint

if TYPE_CHECKING:
    from pathlib import Path

CLOUDS = """
clouds:
  here: {compute_endpoint_override: "http://h:1/compute/v2.1"}
  there: {compute_endpoint_override: "https://t/base/v2.1/"}
  bare: {auth_type: none}
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return an environment with a clouds.yaml in the home folder's usual place."""
    folder = tmp_path / ".config" / "openstack"
    folder.mkdir(parents=True)
    (folder / "clouds.yaml").write_text(CLOUDS)
    return {"HOME": str(tmp_path)}


def test_the_first_that_is_said_counts(environ: dict[str, str]) -> None:
    """The option, then SUNDOG_ENDPOINT, then the cloud, then the default."""
    assert find_endpoint(None, environ) == DEFAULT_ENDPOINT
    environ["OS_CLOUD"] = "here"
    assert find_endpoint(None, environ) == "http://h:1"
    environ["SUNDOG_ENDPOINT"] = "http://e:2/"
    assert find_endpoint(None, environ) == "http://e:2"
    assert find_endpoint("https://o:3", environ) == "https://o:3"


def test_the_cloud_file_may_be_named(environ: dict[str, str], tmp_path: Path) -> None:
    """OS_CLIENT_CONFIG_FILE comes before the usual places."""
    named = tmp_path / "mine.yaml"
    named.write_text("clouds: {c: {compute_endpoint_override: 'http://m:4/v2.1'}}")
    environ |= {"OS_CLIENT_CONFIG_FILE": str(named), "OS_CLOUD": "c"}
    assert find_endpoint(None, environ) == "http://m:4"


@pytest.mark.parametrize(
    ("cloud", "url"), [("there", "https://t/base"), ("bare", DEFAULT_ENDPOINT)]
)
def test_the_root_is_read_from_the_compute_url(
    environ: dict[str, str], cloud: str, url: str
) -> None:
    """Sundog's API stands beside the compute API; a silent cloud means the default."""
    assert find_endpoint(None, environ | {"OS_CLOUD": cloud}) == url


def test_a_cloud_without_any_file_means_the_default() -> None:
    """OS_CLOUD alone names nothing."""
    assert find_endpoint(None, {"OS_CLOUD": "c", "HOME": "/nowhere"}) == (
        DEFAULT_ENDPOINT
    )


@pytest.mark.parametrize("url", ["host:8774", "ftp://host", "http://"])
def test_a_bad_url_is_refused_with_the_way_out(url: str) -> None:
    """The line names the key, the value and how to write it."""
    with pytest.raises(
        BadConfigurationError, match=r"--endpoint is .*http://HOST:PORT"
    ):
        find_endpoint(url, {})


def test_an_unknown_cloud_is_refused_with_the_known_ones(
    environ: dict[str, str],
) -> None:
    """The line names the file and its clouds."""
    with pytest.raises(BadConfigurationError, match=r"'no'.*bare, here, there"):
        find_endpoint(None, environ | {"OS_CLOUD": "no"})


def test_a_broken_cloud_file_is_a_line(environ: dict[str, str], tmp_path: Path) -> None:
    """What YAML says of it is cut to one line."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("clouds: [")
    environ |= {"OS_CLIENT_CONFIG_FILE": str(broken), "OS_CLOUD": "c"}
    with pytest.raises(BadConfigurationError, match=r"broken.yaml cannot be read"):
        find_endpoint(None, environ)
