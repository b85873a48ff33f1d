"""Fields of a server that several requests set, and how each is checked."""

from __future__ import annotations

import base64
import re
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from msgspec import UNSET, UnsetType

from sundog.core.errors import NotFoundError
from sundog.edges.rest import checks
from sundog.edges.rest.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sundog.edges.rest.ask import Ask
    from sundog.edges.rest.compute.server_bodies import PersonalityFile

METADATA_KEY: Final = re.compile(r"[a-zA-Z0-9\-_:. ]{1,255}", re.ASCII)
_MOST_TAGS: Final = 50
_LONGEST_TAG: Final = 60
_LARGEST_USER_DATA: Final = 65535
_LAST_WITH_PERSONALITY: Final = 56


def admin_password(said: str | None) -> str:
    """Return the password to answer with: the one said, or a new one.

    As in Nova without ``inject_password`` it is told to the client only.
    """
    return token_urlsafe(9) if said is None else said


def tags(values: Sequence[str]) -> frozenset[str]:
    """Check tags: at most 50, each of 1 to 60 characters without ``/`` and ``,``."""
    for value in values:
        checks.name("tags", value)
        if len(value) > _LONGEST_TAG or "/" in value or "," in value:
            raise Fault(
                400,
                f"Invalid input for field/attribute tags. Value: {value[:80]!r}. A tag "
                f"has 1 to {_LONGEST_TAG} characters and no '/' or ','.",
            )
    if len(set(values)) > _MOST_TAGS:
        raise Fault(400, f"A server has at most {_MOST_TAGS} tags.")
    return frozenset(values)


def metadata(ask: Ask, values: dict[str, str]) -> dict[str, str]:
    """Check metadata: short texts, no more than the project's quota says."""
    most = ask.books.quotas.limits(ask.caller.project_id)["metadata_items"]
    if 0 <= most < len(values):
        raise Fault(403, f"Maximum number of metadata items exceeds {most}")
    return checks.pairs("metadata", values, METADATA_KEY)


def is_auto(disk_config: str) -> bool:
    """Whether a disk's partitions are to grow by themselves; raises Fault 400.

    As in Nova with libvirt it is noted, and left to what is inside the image.
    """
    if disk_config not in ("AUTO", "MANUAL"):
        raise Fault(
            400,
            "Invalid input for field/attribute OS-DCF:diskConfig. Value: "
            f"{disk_config[:80]!r} is not one of ['AUTO', 'MANUAL']",
        )
    return disk_config == "AUTO"


def check_flavor(ask: Ask, flavor_id: str) -> None:
    """Refuse a private flavor of others as if it were not there."""
    try:
        flavor = ask.books.flavors.get(flavor_id)
    except NotFoundError:
        return  # making the server says so, in Nova's words
    if not ask.books.access.may_use(ask.caller, flavor):
        raise Fault(400, f"Flavor {flavor_id} could not be found.")


def key_name_of(ask: Ask, name: str | None) -> str | None:
    """Return the keypair's name; it is kept, and nothing puts it into the guest."""
    if name is None:
        return None
    try:
        return ask.books.keypairs.get(ask.caller.user_id, name).name
    except NotFoundError:
        raise Fault(400, "Invalid key_name provided.") from None


def check_zone(ask: Ask, zone: str) -> None:
    """Refuse a zone that has no host whose service is enabled."""
    there = ask.books.aggregates.open_zones()
    if zone not in there:
        raise Fault(
            400,
            f"The requested availability zone is not available: {zone[:80]!r}; there "
            f"are {', '.join(sorted(there)) or 'none'}.",
        )


def check_personality(ask: Ask, files: list[PersonalityFile] | UnsetType) -> None:
    """Refuse files for guests: none are put in, so that the limit of them is 0."""
    if files is UNSET:
        return
    if ask.version > _LAST_WITH_PERSONALITY:
        raise Fault(
            400, "Additional properties are not allowed ('personality' was unexpected)"
        )
    for one in files:
        _check_base64("personality", one.contents)
    if files:
        raise Fault(403, "Personality file limit exceeded: guests get no files.")


def check_user_data(text: str | None) -> str | None:
    """Return user data: at most 64 KiB of base64; raises Fault 400."""
    if text is None:
        return None
    if len(text) > _LARGEST_USER_DATA:
        raise Fault(400, f"User data too large. It must be <= {_LARGEST_USER_DATA}.")
    _check_base64("user_data", text)
    return text


def _check_base64(field: str, text: str) -> None:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except ValueError:  # binascii.Error is one, text that is not ASCII another
        raise Fault(
            400, f"Invalid input for field/attribute {field}: it is not a 'base64'."
        ) from None
