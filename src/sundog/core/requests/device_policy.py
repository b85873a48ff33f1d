"""``hw:pci_numa_affinity_policy``: one NUMA policy for all devices of a guest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sundog.core.requests.guest_request import NumaPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sundog.core.requests.guest_request import DeviceRequest
    from sundog.core.requests.spec_source import SpecSource

_NAME: Final = "pci_numa_affinity_policy"
_POLICIES: Final = {policy.value: policy for policy in NumaPolicy}


def read_device_policy(source: SpecSource) -> NumaPolicy | None:
    """Return the policy that overrides each alias's, or None if nothing is said.

    Raises ForbiddenError if flavor and image differ.
    """
    flavor, image = source.flavor(_NAME), source.image(_NAME)
    policies = [setting.choice(_POLICIES) for setting in (flavor, image) if setting]
    if flavor and image and policies[0] is not policies[1]:
        raise image.forbid(flavor)
    return policies[0] if policies else None


def under_policy(
    requests: Iterable[DeviceRequest], policy: NumaPolicy | None
) -> tuple[DeviceRequest, ...]:
    """Return the requests with their policies overridden, if there is one to do so."""
    if policy is None:
        return tuple(requests)
    return tuple(replace(request, policy=policy) for request in requests)
