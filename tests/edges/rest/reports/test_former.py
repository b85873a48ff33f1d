"""What Nova's API was once, and what guests have not."""

from __future__ import annotations

from typing import Any

import pytest
from tests.edges.rest.world import IMAGE, World, body_of

from sundog.edges.rest.compute.former.gone import PATHS

NOBODY = "11111111-0000-4000-8000-00000000dead"


def test_hosts_are_told_up_to_2_42(world: World) -> None:
    hosts = world.get("/os-hosts", "2.42")["hosts"]
    assert hosts[0] == {"host_name": "host-a", "service": "compute", "zone": "nova"}
    assert world.get("/os-hosts?zone=east", "2.1") == {"hosts": []}
    assert world.call("GET", "/os-hosts", version="2.43").status_code == 404


def test_a_hosts_resources_are_told_by_project(world: World) -> None:
    world.flavor("m1")
    server = world.server(availability_zone="nova:host-a")
    project = world.get(f"/servers/{server}")["server"]["tenant_id"]
    rows = world.get("/os-hosts/host-a", "2.1")["host"]
    told = {row["resource"]["project"]: row["resource"] for row in rows}
    assert [*told] == ["(total)", "(used_now)", "(used_max)", project]
    assert told[project] == {
        "host": "host-a",
        "project": project,
        "cpu": 2,
        "memory_mb": 512,
        "disk_gb": 1,
    }
    assert told["(total)"]["cpu"] > told["(used_now)"]["cpu"] > 0
    assert world.call("GET", "/os-hosts/nobody", version="2.1").status_code == 404


def test_a_host_is_disabled_and_neither_powered_nor_maintained(world: World) -> None:
    def put(version: str = "2.1", host: str = "host-a", **body: str) -> Any:
        answer = world.call("PUT", f"/os-hosts/{host}", body, version=version)
        return body_of(answer) if answer.status_code == 200 else answer.status_code

    assert put(status="disable") == {"host": "host-a", "status": "disabled"}
    assert [host["host_name"] for host in world.get("/os-hosts", "2.1")["hosts"]] == [
        "host-b"
    ]
    assert put(status="enable")["status"] == "enabled"
    assert put(status="enable", maintenance_mode="enable") == 501
    assert [put(), put(status="odd"), put(host="nobody", status="enable")] == [
        400,
        400,
        404,
    ]
    for deed in ("startup", "shutdown", "reboot"):
        answer = world.call("GET", f"/os-hosts/host-a/{deed}", version="2.1")
        assert answer.status_code == 501
        assert "notImplemented" in body_of(answer)
        path = f"/os-hosts/nobody/{deed}"
        assert world.call("GET", path, version="2.1").status_code == 404


def test_extensions_are_told_by_their_alias(world: World) -> None:
    names = [one["name"] for one in world.get("/extensions")["extensions"]]
    assert {"Hosts", "Servers", "Aggregates"} <= {*names}
    shown = world.get("/extensions/os-consoles")["extension"]
    assert shown["alias"] == "os-consoles"
    assert world.call("GET", "/extensions/os-nothing").status_code == 404


@pytest.mark.parametrize("path", PATHS)
def test_what_was_taken_out_is_gone(world: World, path: str) -> None:
    filled = path
    for part in ("part", "domain", "server_id"):
        filled = filled.replace(f"<{part}>", "x")
    for method in PATHS[path].split():
        answer = world.call(method, filled, version="2.1")
        assert (answer.status_code, [*body_of(answer)]) == (410, ["gone"])


@pytest.mark.parametrize("action", ["resetNetwork", "os-getRDPConsole"])
def test_an_action_that_was_taken_out_is_gone(world: World, action: str) -> None:
    world.flavor("m1")
    path = f"/servers/{world.server()}/action"
    assert world.call("POST", path, {action: None}).status_code == 410


def test_consoles_are_refused_as_where_there_are_none(world: World) -> None:
    world.flavor("m1")
    path = f"/servers/{world.server()}"

    def ask(protocol: str, kind: str, version: str = "2.100") -> tuple[int, str]:
        body = {"remote_console": {"protocol": protocol, "type": kind}}
        answer = world.call("POST", f"{path}/remote-consoles", body, version=version)
        told = next(iter(body_of(answer).values()))
        return answer.status_code, told["message"]

    assert ask("vnc", "novnc") == (400, "Unavailable console type novnc.")
    assert ask("spice", "spice-direct", "2.98")[1].startswith("Invalid input")
    assert ask("spice", "spice-direct", "2.99")[1].startswith("Unavailable")
    assert ask("vnc", "novnc", "2.5")[0] == 404
    old = {"os-getVNCConsole": {"type": "novnc"}}
    assert world.call("POST", f"{path}/action", old, version="2.5").status_code == 400
    assert world.call("POST", f"{path}/action", old, version="2.6").status_code == 404
    token = "/os-console-auth-tokens/x"  # noqa: S105 - a path
    assert world.call("GET", token).status_code == 404


def test_guests_have_no_ports_volumes_and_passwords(world: World) -> None:
    world.flavor("m1")
    path = f"/servers/{world.server()}"
    assert world.get(f"{path}/os-server-password") == {"password": ""}
    assert world.call("DELETE", f"{path}/os-server-password").status_code == 204
    assert world.get(f"{path}/os-interface") == {"interfaceAttachments": []}
    assert world.get(f"{path}/os-volume_attachments") == {"volumeAttachments": []}
    assert world.get(f"{path}/os-security-groups") == {"security_groups": []}
    for name in ("os-interface", "os-volume_attachments"):
        assert world.call("POST", f"{path}/{name}", {}).status_code == 400
        assert world.call("GET", f"{path}/{name}/x").status_code == 404
        assert world.call("DELETE", f"{path}/{name}/x").status_code == 404
        assert world.call("GET", f"/servers/{NOBODY}/{name}").status_code == 404
    assert world.call("GET", f"{path}/ips/private").status_code == 404
    inject = {"injectNetworkInfo": None}
    assert world.call("POST", f"{path}/action", inject).status_code == 202


def test_no_volume_can_be_snapshotted(world: World) -> None:
    path, info = "/os-assisted-volume-snapshots", {"snapshot_id": "s"}
    create = {
        "snapshot": {
            "volume_id": NOBODY,
            "create_info": info | {"type": "qcow2", "new_file": "f"},
        }
    }
    assert world.call("POST", path, create).status_code == 404
    assert world.call("POST", path, {"snapshot": {}}).status_code == 400
    good = f'{path}/s?delete_info={{"volume_id": "{NOBODY}"}}'
    assert world.call("DELETE", good).status_code == 404
    for query in ("", "?delete_info=x", "?delete_info={}"):
        assert world.call("DELETE", f"{path}/s{query}").status_code == 400


def test_files_are_put_into_no_guest(world: World) -> None:
    world.flavor("m1")

    def create(contents: str, version: str = "2.56") -> int:
        files = [{"path": "/a", "contents": contents}]
        answer = world.create(version, personality=files)
        return answer.status_code

    assert [create("YQ=="), create("no base64!"), create("YQ==", "2.57")] == [
        403,
        400,
        400,
    ]
    assert world.create("2.56", personality=[]).status_code == 202


def test_what_users_note_of_a_server_is_kept(world: World) -> None:
    world.flavor("m1")
    long = "0000:0000:0000:0000:0000:babe:220.12.22.2"
    noted = {"accessIPv4": "1.1.1.1", "accessIPv6": long, "OS-DCF:diskConfig": "AUTO"}
    path = f"/servers/{world.server(**noted)}"
    shown = world.get(path)["server"]
    assert (shown["accessIPv4"], shown["OS-DCF:diskConfig"]) == ("1.1.1.1", "AUTO")
    assert shown["accessIPv6"] == "::babe:dc0c:1602"
    assert len(world.get("/servers?access_ip_v4=1.1")["servers"]) == 1
    assert len(world.get("/servers?auto_disk_config=MANUAL")["servers"]) == 0
    assert len(world.get("/servers?auto_disk_config=auto")["servers"]) == 1
    change = {"server": {"accessIPv4": "2.2.2.2", "OS-DCF:diskConfig": "MANUAL"}}
    shown = body_of(world.call("PUT", path, change))["server"]
    assert (shown["accessIPv4"], shown["OS-DCF:diskConfig"]) == ("2.2.2.2", "MANUAL")
    assert shown["accessIPv6"] == "::babe:dc0c:1602"
    rebuild = {"rebuild": {"imageRef": IMAGE.id, "accessIPv6": None}}
    world.call("POST", f"{path}/action", rebuild)
    assert world.get(path)["server"]["accessIPv6"] == ""
    for wrong in (
        {"accessIPv4": "::1"},
        {"accessIPv6": "x"},
        {"OS-DCF:diskConfig": ""},
    ):
        assert world.call("PUT", path, {"server": wrong}).status_code == 400
        assert world.create(**wrong).status_code == 400


def test_locked_servers_are_listed_apart(world: World) -> None:
    world.flavor("m1")
    locked, free = world.server(), world.server()
    world.call("POST", f"/servers/{locked}/action", {"lock": None})
    for word, expected in (("true", locked), ("false", free)):
        (found,) = world.get(f"/servers?locked={word}")["servers"]
        assert found["id"] == expected


def test_a_service_is_forgotten_when_nothing_runs_there(world: World) -> None:
    world.flavor("m1")
    server = world.server(availability_zone="nova:host-a")
    world.books.aggregates.create("a", "east")
    world.call("POST", "/os-aggregates/1/action", {"add_host": {"host": "host-b"}})
    services = world.get("/os-services")["services"]
    ids = {service["host"]: service["id"] for service in services}
    path = "/os-services/{}"
    assert world.call("DELETE", path.format(ids["host-a"])).status_code == 409
    assert world.call("DELETE", path.format(ids["host-b"])).status_code == 204
    assert world.get("/os-aggregates/1")["aggregate"]["hosts"] == []
    world.call("DELETE", f"/servers/{server}")
    old = world.get("/os-services", "2.52")["services"][0]["id"]
    gone = world.call("DELETE", path.format(old), version="2.52")
    assert gone.status_code == 204
    assert world.get("/os-services") == {"services": []}
    for key, version, status in (
        (NOBODY, "2.53", 404),
        ("x", "2.53", 400),
        ("7", "2.52", 404),
        ("x", "2.52", 400),
    ):
        answer = world.call("DELETE", path.format(key), version=version)
        assert answer.status_code == status


def test_a_resize_may_say_how_the_disk_grows(world: World) -> None:
    world.flavor("m1")
    world.flavor("m2")
    path = f"/servers/{world.server()}"

    def resize(**more: str) -> int:
        body = {"resize": {"flavorRef": "m2", **more}}
        return world.call("POST", f"{path}/action", body).status_code

    assert resize(**{"OS-DCF:diskConfig": "odd"}) == 400
    assert resize(**{"OS-DCF:diskConfig": "AUTO"}) == 202
    assert world.get(path)["server"]["OS-DCF:diskConfig"] == "AUTO"
