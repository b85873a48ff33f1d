"""Asks the service; every failure is one line that says what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlencode, urlsplit

from sundog.core.errors import NotFoundError, SundogError, UnavailableError
from sundog.edges.cli.credentials import ANY_TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.edges.cli.answers import (
        Audit,
        Begun,
        DeviceRow,
        Disagreement,
        Event,
        Explanation,
        Host,
        ServerDevices,
    )
    from sundog.edges.cli.credentials import Credentials

_PATIENCE_SECONDS: Final = 30
_OK: Final = 200
_NO_CONTENT: Final = 204
_CREATED: Final = 201
_ACCEPTED: Final = 202
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class RestClient:
    """Sundog's own API under an ``endpoint`` (a root URL)."""

    endpoint: str
    token: str = field(default=ANY_TOKEN, repr=False)

    def hosts(self) -> list[Host]:
        """Return every host with its cells, cards and servers."""
        return cast("list[Host]", self._get("/v1/hosts", "hosts"))

    def devices(self) -> list[DeviceRow]:
        """Return every device of every host."""
        return cast("list[DeviceRow]", self._get("/v1/devices", "devices"))

    def explain(
        self, flavor: str, image: str | None = None, zone: str | None = None
    ) -> Explanation:
        """Return where a flavor (with an image) fits in a zone, and why not there."""
        query = {"flavor": flavor} | ({"image": image} if image else {})
        query |= {"availability_zone": zone} if zone else {}
        return cast("Explanation", self._get("/v1/explain", None, query))

    def audit(self) -> Audit:
        """Return everything that the records tell differently, and unfinished jobs."""
        return cast("Audit", self._get("/v1/audit", None))

    def heal(self, *, dry_run: bool) -> list[Disagreement]:
        """Let the service make the safe repairs; returns what came of each."""
        sent = {"dry_run": dry_run}
        found = self._read("/v1/audit", "disagreements", sent)
        return cast("list[Disagreement]", found)

    def device(
        self, host: str, address: str, action: str, sent: Mapping[str, str]
    ) -> None:
        """Hold or release a device."""
        path = "/".join(quote(part, safe=":") for part in (host, address, action))
        self._read(f"/v1/devices/{path}", None, sent)

    def server_devices(self, server: str) -> ServerDevices:
        """Return a server's devices, by its name or id."""
        return cast("ServerDevices", self._get(_devices_of(server), None))

    def attach(self, server: str, devices: str) -> Begun:
        """Begin to attach devices: ``vGPU:1``."""
        sent = {"devices": devices}
        return cast("Begun", self._read(_devices_of(server), None, sent))

    def detach(self, server: str, slot: str) -> Begun:
        """Begin to detach a device."""
        path = f"{_devices_of(server)}/{quote(slot)}"
        return cast("Begun", self._read(path, None, method="DELETE"))

    def events(self, server_id: str, request_id: str) -> list[Event]:
        """Return what hosts did, or do, for an action on a server."""
        path = f"/v2.1/servers/{server_id}/os-instance-actions/{request_id}"
        action = cast("dict[str, list[Event]]", self._get(path, "instanceAction"))
        return action["events"]

    def signed_in(self, who: Credentials) -> RestClient:
        """Return a client with a token of a user; raises SundogError."""
        domain = {"id": "default"}
        user = {"name": who.user, "password": who.password, "domain": domain}
        proof = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"name": who.project, "domain": domain}}
        auth = {"auth": {"identity": proof, "scope": scope}}
        status, body, token = self._send("POST", "/v3/auth/tokens", auth)
        if status != _CREATED or not token:
            raise SundogError(
                f"{self.endpoint} does not let user {who.user!r} into project "
                f"{who.project!r} (HTTP {status}{_told(body)}); mend OS_USERNAME, "
                "OS_PASSWORD and OS_PROJECT_NAME, or the cloud that OS_CLOUD names"
            )
        return replace(self, token=token)

    def _get(
        self, path: str, key: str | None, query: Mapping[str, str] | None = None
    ) -> object:
        return self._read(f"{path}?{urlencode(query)}" if query else path, key)

    def _read(
        self, target: str, key: str | None, sent: object = None, method: str = ""
    ) -> object:
        """Ask, with POST where something is sent."""
        path = target.partition("?")[0]
        method = method or ("GET" if sent is None else "POST")
        status, body, _ = self._send(method, target, sent)
        if status == _NO_CONTENT:
            return None
        try:
            answer = json.loads(body)
            if status in {_OK, _ACCEPTED}:
                return answer[key] if key else answer
        except (ValueError, KeyError, TypeError):
            answer = None
        if status == _OK or (status == _NOT_FOUND and not answer):
            raise UnavailableError(
                f"{self.endpoint} answers, but not as Sundog does ({path}: HTTP "
                f"{status}); name Sundog's root URL with --endpoint"
            )
        if status == _UNAUTHORIZED:
            raise SundogError(
                "you have to sign in: set OS_USERNAME, OS_PASSWORD and "
                "OS_PROJECT_NAME, or OS_CLOUD, as for the openstack command"
            )
        error = NotFoundError if status == _NOT_FOUND else SundogError
        raise error(_message(answer) or f"{path} failed with HTTP {status}")

    def _send(self, method: str, target: str, sent: object) -> tuple[int, bytes, str]:
        """Return status, body, and the token that was given, if one was."""
        parts = urlsplit(self.endpoint)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        try:
            connection = kind(parts.netloc, timeout=_PATIENCE_SECONDS)
            try:
                data = None if sent is None else json.dumps(sent)
                headers = _HEADERS | {"X-Auth-Token": self.token}
                connection.request(method, parts.path + target, data, headers)
                response = connection.getresponse()
                token = response.headers.get("X-Subject-Token", "")
                return response.status, response.read(), token
            finally:
                connection.close()
        except (OSError, HTTPException) as error:
            raise UnavailableError(
                f"no answer from {self.endpoint} ({_reason(error)}); start the service "
                "with 'sundog up', or name it with --endpoint or SUNDOG_ENDPOINT"
            ) from None


_HEADERS: Final = {
    "Accept": "application/json",
    # From 2.84 on, events say why they failed.
    "OpenStack-API-Version": "compute 2.84",
    "Content-Type": "application/json",
}


def _devices_of(server: str) -> str:
    return f"/v1/servers/{quote(server, safe='')}/devices"


def _told(body: bytes) -> str:
    try:
        said = _message(json.loads(body))
    except ValueError:
        return ""
    return f": {said}" if said else ""


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else str(error)
    return (text or str(error) or type(error).__name__).lower()


def _message(answer: Any) -> str:  # noqa: ANN401  # JSON of an unknown server
    """Return the message of an error body: ``{"itemNotFound": {"message": …}}``."""
    if isinstance(answer, dict):
        for inner in answer.values():
            if isinstance(inner, dict) and isinstance(inner.get("message"), str):
                return " ".join(inner["message"].split())
    return ""
