"""What the actions take, in JSON."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType, field

from sundog.edges.rest.compute.server_bodies import (
    PersonalityFile,  # noqa: TC001 - msgspec reads the types at run time
)

Flag = bool | str | int


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """An action that takes nothing: null, or an empty object."""


class Reboot(msgspec.Struct, forbid_unknown_fields=True):
    """``reboot``: SOFT or HARD, in any case."""

    type: str


class Lock(msgspec.Struct, forbid_unknown_fields=True):
    """``lock``, with a reason from 2.73 on."""

    locked_reason: str | UnsetType = UNSET


class Unshelve(msgspec.Struct, forbid_unknown_fields=True):
    """``unshelve``, with a zone from 2.77 on and a host from 2.91 on."""

    availability_zone: str | UnsetType | None = UNSET
    host: str | UnsetType = UNSET


class Resize(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``resize``, to a flavor by id or link."""

    flavor_ref: str | int = field(name="flavorRef")
    disk_config: str | UnsetType = field(default=UNSET, name="OS-DCF:diskConfig")


class Migrate(msgspec.Struct, forbid_unknown_fields=True):
    """``migrate``, with a host from 2.56 on."""

    host: str | UnsetType | None = UNSET


class MigrateLive(msgspec.Struct, forbid_unknown_fields=True):
    """``os-migrateLive``."""

    host: str | None
    block_migration: Flag
    disk_over_commit: Flag | UnsetType = UNSET
    force: Flag | UnsetType = UNSET


class Evacuate(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``evacuate``."""

    host: str | UnsetType | None = UNSET
    admin_pass: str | UnsetType = field(default=UNSET, name="adminPass")
    on_shared_storage: Flag | UnsetType = field(default=UNSET, name="onSharedStorage")
    force: Flag | UnsetType = UNSET


class Rescue(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``rescue``, from an image or from the server's own."""

    rescue_image_ref: str | UnsetType = UNSET
    admin_pass: str | UnsetType = field(default=UNSET, name="adminPass")


class ResetState(msgspec.Struct, forbid_unknown_fields=True):
    """``os-resetState``."""

    state: str


class ConsoleOutput(msgspec.Struct, forbid_unknown_fields=True):
    """``os-getConsoleOutput``: its last ``length`` lines."""

    length: int | str | None = None


class OldConsole(msgspec.Struct, forbid_unknown_fields=True):
    """``os-getVNCConsole`` and its like, up to 2.5."""

    type: str


class CreateImage(msgspec.Struct, forbid_unknown_fields=True):
    """``createImage``."""

    name: str
    metadata: dict[str, str] = {}


class Rebuild(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``rebuild``."""

    image_ref: str = field(name="imageRef")
    name: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    hostname: str | UnsetType = UNSET
    user_data: str | UnsetType | None = UNSET
    key_name: str | UnsetType | None = UNSET
    trusted_image_certificates: list[str] | UnsetType | None = UNSET
    disk_config: str | UnsetType = field(default=UNSET, name="OS-DCF:diskConfig")
    admin_pass: str | UnsetType = field(default=UNSET, name="adminPass")
    access_ip_v4: str | UnsetType | None = field(default=UNSET, name="accessIPv4")
    access_ip_v6: str | UnsetType | None = field(default=UNSET, name="accessIPv6")
    preserve_ephemeral: Flag = False
    personality: list[PersonalityFile] | UnsetType = UNSET
