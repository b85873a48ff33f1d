"""Servers in JSON: what is asked, and what is shown.

What Nova knows and Sundog does not serve yet has its place in the request, so that
it is refused in words and not as an unknown field.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType, field

Flag = bool | str | int


class BlockDevice(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An entry of ``block_device_mapping_v2``."""

    uuid: str | None = None
    source_type: str | None = None
    destination_type: str | None = None
    boot_index: int | str | None = None
    delete_on_termination: Flag = True
    image_id: str | None = None
    volume_id: str | None = None
    snapshot_id: str | None = None
    volume_size: int | str | None = None
    volume_type: str | UnsetType | None = UNSET
    tag: str | UnsetType = UNSET
    device_name: str | None = None
    device_type: str | None = None
    disk_bus: str | None = None
    guest_format: str | None = None
    virtual_name: str | None = None
    no_device: object = None


class PersonalityFile(msgspec.Struct, forbid_unknown_fields=True):
    """A file to be put into a guest, up to 2.56; the contents in base64."""

    path: str
    contents: str


class NewServerFields(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``server`` of ``POST /servers``."""

    name: str
    flavor_ref: str | int = field(name="flavorRef")
    image_ref: str = field(default="", name="imageRef")
    networks: str | list[dict[str, str | None]] | UnsetType = UNSET
    block_device_mapping_v2: list[BlockDevice] = []
    min_count: int | str | UnsetType = UNSET
    max_count: int | str | UnsetType = UNSET
    return_reservation_id: Flag = False
    metadata: dict[str, str] = {}
    description: str | UnsetType | None = UNSET
    tags: list[str] | UnsetType = UNSET
    hostname: str | UnsetType = UNSET
    config_drive: Flag | None = False
    user_data: str | None = None
    availability_zone: str | None = None
    host: str | UnsetType = UNSET
    hypervisor_hostname: str | UnsetType = UNSET
    security_groups: list[dict[str, str]] = []
    trusted_image_certificates: list[str] | UnsetType | None = UNSET
    disk_config: str = field(default="MANUAL", name="OS-DCF:diskConfig")
    admin_pass: str | None = field(default=None, name="adminPass")
    access_ip_v4: str | None = field(default=None, name="accessIPv4")
    access_ip_v6: str | None = field(default=None, name="accessIPv6")
    key_name: str | None = None
    personality: list[PersonalityFile] | UnsetType = UNSET
    block_device_mapping: list[dict[str, object]] = []


class NewServerBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``POST /servers``."""

    server: NewServerFields
    hints: dict[str, object] = field(default_factory=dict, name="os:scheduler_hints")
    old_hints: dict[str, object] = field(
        default_factory=dict, name="OS-SCH-HNT:scheduler_hints"
    )


class ServerChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``server`` of ``PUT /servers/{id}``."""

    pinned_availability_zone: str | UnsetType | None = UNSET
    name: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    hostname: str | UnsetType = UNSET
    disk_config: str | UnsetType = field(default=UNSET, name="OS-DCF:diskConfig")
    access_ip_v4: str | UnsetType | None = field(default=UNSET, name="accessIPv4")
    access_ip_v6: str | UnsetType | None = field(default=UNSET, name="accessIPv6")


class ServerChangeBody(msgspec.Struct, forbid_unknown_fields=True):
    """``PUT /servers/{id}``."""

    server: ServerChange


class ServerBrief(msgspec.Struct, kw_only=True):
    """A server in ``GET /servers``."""

    id: str
    name: str
    links: list[dict[str, str]]


class FlavorRef(msgspec.Struct, kw_only=True):
    """A server's flavor before 2.47."""

    id: str
    links: list[dict[str, str]]


class EmbeddedFlavor(msgspec.Struct, kw_only=True):
    """A server's flavor from 2.47 on, as it was when the server was made."""

    vcpus: int
    ram: int
    disk: int
    ephemeral: int
    swap: int
    original_name: str
    extra_specs: dict[str, str]


class ImageRef(msgspec.Struct, kw_only=True):
    """A server's image; its properties from 2.98 on."""

    id: str
    links: list[dict[str, str]]
    properties: dict[str, str] | UnsetType = UNSET


class FaultBody(msgspec.Struct, kw_only=True):
    """Why a server is in ERROR."""

    code: int
    message: str
    created: str


class ServerBody(msgspec.Struct, kw_only=True):
    """A server in full; what a microversion does not show is left out."""

    id: str
    name: str
    status: str
    tenant_id: str
    user_id: str
    metadata: dict[str, str]
    host_id: str = field(name="hostId")
    image: ImageRef
    flavor: FlavorRef | EmbeddedFlavor
    created: str
    updated: str
    addresses: dict[str, list[dict[str, str]]]
    access_ip_v4: str = field(name="accessIPv4")
    access_ip_v6: str = field(name="accessIPv6")
    links: list[dict[str, str]]
    disk_config: str = field(name="OS-DCF:diskConfig")
    progress: int | UnsetType = UNSET
    fault: FaultBody | UnsetType = UNSET
    zone: str | UnsetType = field(default=UNSET, name="OS-EXT-AZ:availability_zone")
    config_drive: str | UnsetType = UNSET
    key_name: str | UnsetType | None = UNSET
    launched: str | UnsetType | None = field(
        default=UNSET, name="OS-SRV-USG:launched_at"
    )
    terminated: str | UnsetType | None = field(
        default=UNSET, name="OS-SRV-USG:terminated_at"
    )
    host: str | UnsetType | None = field(default=UNSET, name="OS-EXT-SRV-ATTR:host")
    instance_name: str | UnsetType = field(
        default=UNSET, name="OS-EXT-SRV-ATTR:instance_name"
    )
    node: str | UnsetType | None = field(
        default=UNSET, name="OS-EXT-SRV-ATTR:hypervisor_hostname"
    )
    hostname: str | UnsetType = field(default=UNSET, name="OS-EXT-SRV-ATTR:hostname")
    kernel_id: str | UnsetType = field(default=UNSET, name="OS-EXT-SRV-ATTR:kernel_id")
    launch_index: int | UnsetType = field(
        default=UNSET, name="OS-EXT-SRV-ATTR:launch_index"
    )
    ramdisk_id: str | UnsetType = field(
        default=UNSET, name="OS-EXT-SRV-ATTR:ramdisk_id"
    )
    reservation_id: str | UnsetType = field(
        default=UNSET, name="OS-EXT-SRV-ATTR:reservation_id"
    )
    root_device_name: str | UnsetType | None = field(
        default=UNSET, name="OS-EXT-SRV-ATTR:root_device_name"
    )
    user_data: str | UnsetType | None = field(
        default=UNSET, name="OS-EXT-SRV-ATTR:user_data"
    )
    task_state: str | UnsetType | None = field(
        default=UNSET, name="OS-EXT-STS:task_state"
    )
    vm_state: str | UnsetType = field(default=UNSET, name="OS-EXT-STS:vm_state")
    power_state: int | UnsetType = field(default=UNSET, name="OS-EXT-STS:power_state")
    volumes: list[dict[str, str]] | UnsetType = field(
        default=UNSET, name="os-extended-volumes:volumes_attached"
    )
    locked: bool | UnsetType = UNSET
    host_status: str | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    tags: list[str] | UnsetType = UNSET
    trusted_image_certificates: list[str] | UnsetType | None = UNSET
    server_groups: list[str] | UnsetType = UNSET
    locked_reason: str | UnsetType | None = UNSET
    pinned_availability_zone: str | UnsetType | None = UNSET
    scheduler_hints: dict[str, object] | UnsetType = UNSET
