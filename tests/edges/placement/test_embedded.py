"""Placement in this process: one at a time, quiet, and an administrator's."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from keystoneauth1.adapter import Adapter
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session
from tests.clients.listening import listening
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from sundog.core.hosts.provider_tree import Inventory, Provider, ProviderTree
from sundog.edges.placement.calls import Calls
from sundog.edges.placement.embedded import EmbeddedPlacement
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.sessions import inside_session, token_session

if TYPE_CHECKING:
    from pathlib import Path

    from sundog.edges.placement.embedded import WsgiApp


def _nowhere(_: object, start_response: object) -> list[bytes]:
    assert callable(start_response)
    start_response("404 Not Found", [])
    return []


def _mounted(app: WsgiApp) -> WsgiApp:
    return DispatcherMiddleware(_nowhere, {"/placement": app})


@pytest.mark.parametrize("token", ["admin", "notused"])
def test_it_serves_clients_below_a_path(
    placement: EmbeddedPlacement, token: str
) -> None:
    with listening(_mounted(placement)) as address:
        calls = Calls(token_session(f"{address}/placement/", token))
        assert calls.get("/traits")["traits"]


def test_it_serves_clients_without_authentication(placement: EmbeddedPlacement) -> None:
    """What ``auth_type: none`` of clouds.yaml sends, discovery before it."""
    with listening(_mounted(placement)) as address:
        auth = NoAuth(endpoint=f"{address}/placement")
        adapter = Adapter(
            Session(auth=auth),
            service_type="placement",
            min_version="1.0",
            default_microversion="1.29",
        )
        assert adapter.get("/resource_classes").json()["resource_classes"]


@pytest.mark.parametrize(("token", "status"), [("stranger", 403), (None, 401)])
def test_others_are_no_administrators(
    placement: EmbeddedPlacement, token: str | None, status: int
) -> None:
    with listening(placement) as address:
        headers = {"X-Auth-Token": token} if token else {}
        answer = Session().get(
            f"{address}/resource_providers", headers=headers, raise_exc=False
        )
    assert answer.status_code == status


def test_a_process_has_one_at_a_time(
    placement: EmbeddedPlacement, tmp_path: Path
) -> None:
    assert placement
    with pytest.raises(RuntimeError, match="one embedded Placement at a time"):
        EmbeddedPlacement(tmp_path / "second.sqlite")


# In a process of its own, because the tests of this module keep one open.
_STORY = """
import sys
from pathlib import Path
from uuid import UUID
from sundog.core.hosts.provider_tree import Inventory, Provider, ProviderTree
from sundog.edges.placement.embedded import EmbeddedPlacement
from sundog.edges.placement.ledger import PlacementLedger
from sundog.edges.placement.sessions import inside_session
from sundog.workflows.ports import Owner

folder, root, server = Path(sys.argv[1]), UUID(int=1), UUID(int=2)
tree = ProviderTree.of([Provider(
    uuid=root, name="h", inventories={"CUSTOM_X": Inventory.of(1)},
    traits=frozenset({"HW_NUMA_ROOT", "CUSTOM_Y"}),
)])

def use(name, action):
    app = EmbeddedPlacement(folder / name)
    ledger = PlacementLedger(inside_session(app))
    try:
        return action(ledger)
    finally:
        app.close()

def claim(ledger):
    ledger.report(tree)
    ledger.claim(server, {root: {"CUSTOM_X": 1}}, Owner(project_id="p", user_id="u"))

def refused(path):
    try:
        EmbeddedPlacement(path)
    except Exception as error:
        print(type(error).__name__)
        assert str(path) in str(error)

refused(folder / "no such folder" / "one")
(folder / "no database").write_text("A text, long enough to be no SQLite header." * 9)
refused(folder / "no database")
use("one", claim)
use("two", claim)
print(use("one", lambda ledger: ledger.allocation(server) != {}))
print(use("three", lambda ledger: ledger.allocation(server) != {}))
"""


def test_databases_are_opened_one_after_another_and_keep_what_they_hold(
    tmp_path: Path,
) -> None:
    """Nothing is said on the way, neither on standard error nor on output."""
    done = subprocess.run(  # noqa: S603 - this interpreter runs the text above
        [sys.executable, "-c", _STORY, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.split() == [
        "BadConfigurationError",
        "BadConfigurationError",
        "True",
        "False",
    ]


def test_names_are_unquoted_on_the_way_inside(placement: EmbeddedPlacement) -> None:
    """A provider's name is found by a query with a space in it."""
    name = f"a host {uuid4()}"
    root = Provider(uuid=uuid4(), name=name, inventories={"VGPU": Inventory.of(1)})
    session = inside_session(placement)
    PlacementLedger(session).report(ProviderTree.of([root]))
    quoted = name.replace(" ", "%20")
    found = Calls(session).get(f"/resource_providers?name={quoted}")
    assert [each["name"] for each in found["resource_providers"]] == [name]
