"""From a flavor's extra specs and an image's properties to a guest request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sundog.core.requests.alias import ALIAS_KEY, parse_alias_property
from sundog.core.requests.cpu_choice import (
    dedicated_vcpus,
    read_cpu_choice,
    settle_cpu_policy,
)
from sundog.core.requests.device_policy import read_device_policy, under_policy
from sundog.core.requests.guest_cells import GuestSize, make_cells, read_cell_choice
from sundog.core.requests.guest_request import CpuPolicy, GuestRequest, ThreadPolicy
from sundog.core.requests.page_size import check_pages, read_page_size
from sundog.core.requests.resource_groups import read_groups
from sundog.core.requests.spec_source import SpecSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sundog.core.requests.alias import Alias
    from sundog.core.requests.flavor import Flavor
    from sundog.core.requests.guest_request import DeviceRequest
    from sundog.core.requests.resource_groups import ResourceGroups


def check_extra_specs(specs: Mapping[str, str], aliases: Mapping[str, Alias]) -> None:
    """Refuse an extra spec that no guest could be made of, each key on its own.

    A flavor is often written key by key, so that what goes together is only judged
    when it is used. Keys that are not known here pass. Raises BadRequestError.
    """
    source = SpecSource(specs)
    _alias_requests(source, aliases)
    read_device_policy(source)
    read_cpu_choice(source)
    read_cell_choice(source)
    read_page_size(source)
    read_groups(source)


def guest_request(
    flavor: Flavor, image_properties: Mapping[str, str], aliases: Mapping[str, Alias]
) -> GuestRequest:
    """Return what a server of this flavor and image asks for.

    Raises BadRequestError, or ForbiddenError where the image contradicts the flavor.
    """
    source = SpecSource(flavor.extra_specs, image_properties)
    choice = read_cpu_choice(source)
    pages = read_page_size(source)
    groups = read_groups(source)
    policy = settle_cpu_policy(choice, groups.host.get("PCPU"))
    size = GuestSize(
        vcpus=flavor.vcpus,
        memory_mb=flavor.memory_mb,
        pinned=dedicated_vcpus(choice, policy, flavor.vcpus),
    )
    cells = make_cells(
        read_cell_choice(source),
        size,
        needed=policy is not CpuPolicy.SHARED or pages is not None,
    )
    check_pages(cells, pages, source)
    _check_groups(flavor, policy, groups)
    devices = _alias_requests(source, aliases) + groups.devices
    return GuestRequest(
        vcpus=flavor.vcpus,
        memory_mb=flavor.memory_mb,
        disk_gb=_disk_gb(flavor, groups),
        cells=cells,
        cpu_policy=policy,
        thread_policy=choice.thread_policy or ThreadPolicy.PREFER,
        page_size=pages,
        devices=under_policy(devices, read_device_policy(source)),
        required_traits=groups.required_traits,
        forbidden_traits=groups.forbidden_traits,
        isolate_groups=groups.isolate,
    )


def _alias_requests(
    source: SpecSource, aliases: Mapping[str, Alias]
) -> tuple[DeviceRequest, ...]:
    setting = source.spec(ALIAS_KEY)
    return parse_alias_property(setting.value, aliases) if setting else ()


def _check_groups(flavor: Flavor, policy: CpuPolicy, groups: ResourceGroups) -> None:
    if groups.lonely:
        raise groups.lonely.refuse(
            "is in a group without resources; add resources of the same number"
        )
    amounts = {
        "VCPU": flavor.vcpus,
        "PCPU": flavor.vcpus,
        "MEMORY_MB": flavor.memory_mb,
    }
    for name, amount in amounts.items():
        setting = groups.host.get(name)
        if setting and setting.number(0, 2**31 - 1) != amount:
            raise setting.refuse(f"must equal the flavor's {amount}; leave it out")
    vcpus = groups.host.get("VCPU")
    if vcpus and policy is not CpuPolicy.SHARED:
        raise vcpus.refuse("asks for floating vCPUs, but they are pinned; leave it out")


def _disk_gb(flavor: Flavor, groups: ResourceGroups) -> int:
    """Return all the disk that the guest takes; swap is rounded up to GiB."""
    told = groups.host.get("DISK_GB")
    if told:
        return told.number(0, 2**31 - 1)
    return flavor.disk_gb + flavor.ephemeral_gb - (-flavor.swap_mb // 1024)
