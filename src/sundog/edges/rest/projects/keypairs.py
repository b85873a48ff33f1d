"""``/os-keypairs``: a user's keypairs."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from sundog.core.projects.keypair import KeyKind
from sundog.edges.rest import checks
from sundog.edges.rest.ask import Answer
from sundog.edges.rest.errors import Fault
from sundog.edges.rest.paging import page

if TYPE_CHECKING:
    from sundog.core.projects.keypair import Keypair
    from sundog.edges.rest.ask import Ask

_NAME: Final = re.compile(r"[a-zA-Z0-9_ -]{1,255}", re.ASCII)
_NAME_292: Final = re.compile(r"[a-zA-Z0-9_ @.-]{1,255}", re.ASCII)


class NewKeypair(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``keypair`` of ``POST /os-keypairs``."""

    name: str
    public_key: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    user_id: str | UnsetType = UNSET


class NewKeypairBody(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /os-keypairs``."""

    keypair: NewKeypair


class KeypairBody(msgspec.Struct, kw_only=True):
    """A keypair; ``private_key`` is told once, when it was made."""

    name: str
    public_key: str
    fingerprint: str
    type: str | UnsetType = UNSET
    user_id: str | UnsetType = UNSET
    private_key: str | UnsetType = UNSET
    id: int | UnsetType = UNSET
    created_at: str | UnsetType = UNSET
    updated_at: UnsetType | None = UNSET
    deleted: bool | UnsetType = UNSET
    deleted_at: UnsetType | None = UNSET


def index(ask: Ask) -> Answer:
    """``GET /os-keypairs``."""
    if ask.since(75):
        known = {"user_id"} | ({"limit", "marker"} if ask.since(35) else set())
        ask.query.refuse_unknown(known)
    found = ask.books.keypairs.list(_user(ask, ask.query.text("user_id")))
    more: dict[str, object] = {}
    if ask.since(35):
        found, links = page(ask, found, lambda one: one.name, "/os-keypairs")
        more = {"keypairs_links": links} if links else {}
    return Answer(
        body={"keypairs": [{"keypair": _body(ask, k)} for k in found], **more}
    )


def show(ask: Ask, name: str) -> Answer:
    """``GET /os-keypairs/{name}``."""
    keypair = ask.books.keypairs.get(_user(ask, ask.query.text("user_id")), name)
    created = keypair.created.astimezone(UTC)
    body = replace(
        _body(ask, keypair),
        user_id=keypair.user_id,
        # Nova's number of a row; nothing else is found by it.
        id=int(created.timestamp()),
        created_at=created.strftime("%Y-%m-%dT%H:%M:%S.%f"),
        updated_at=None,
        deleted=False,
        deleted_at=None,
    )
    return Answer(body={"keypair": body})


def create(ask: Ask) -> Answer:
    """``POST /os-keypairs``: keep a public key, or up to 2.91 make one."""
    new = ask.read(NewKeypairBody).keypair
    checks.refuse_early(new, {"type": 2, "user_id": 10}, ask.version)
    if not (_NAME_292 if ask.since(92) else _NAME).fullmatch(new.name):
        raise Fault(
            400,
            "Keypair data is invalid: Keypair name contains unsafe characters, or is "
            "not between 1 and 255 characters long",
        )
    if new.public_key is UNSET and ask.since(92):
        raise Fault(400, "'public_key' is a required property")
    user_id = _user(ask, None if new.user_id is UNSET else new.user_id)
    public_key = None if new.public_key is UNSET else new.public_key
    keypair, private_key = ask.books.keypairs.create(
        user_id,
        new.name,
        _kind(new),
        public_key,
        ask.books.quotas.limits(ask.caller.project_id)["key_pairs"],
    )
    body = replace(_body(ask, keypair), user_id=user_id)
    if private_key:
        body.private_key = private_key
    return Answer(body={"keypair": body}, status=201 if ask.since(2) else 200)


def delete(ask: Ask, name: str) -> Answer:
    """``DELETE /os-keypairs/{name}``."""
    ask.books.keypairs.delete(_user(ask, ask.query.text("user_id")), name)
    return Answer(status=204 if ask.since(2) else 202)


def _user(ask: Ask, said: str | None) -> str:
    """Return whose keypairs are meant: one's own; from 2.10 on the admin's choice."""
    own = ask.caller.user_id
    if said is None or said == own or not ask.since(10):
        return own
    if not ask.caller.is_admin:
        raise Fault(403, "Policy doesn't allow the keypairs of another user.")
    return said


def _kind(new: NewKeypair) -> KeyKind:
    try:
        return KeyKind.SSH if new.type is UNSET else KeyKind(new.type)
    except ValueError:
        raise Fault(
            400,
            f"Invalid input for field/attribute type. Value: {str(new.type)[:80]!r} is "
            "not one of ['ssh', 'x509']",
        ) from None


def _body(ask: Ask, keypair: Keypair) -> KeypairBody:
    return KeypairBody(
        name=keypair.name,
        public_key=keypair.public_key,
        fingerprint=keypair.fingerprint,
        type=keypair.kind.value if ask.since(2) else UNSET,
    )
