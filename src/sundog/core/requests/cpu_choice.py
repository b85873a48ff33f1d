"""``hw:cpu_policy`` and its kin: which of a guest's vCPUs are pinned, and how."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sundog.core.errors import BadRequestError
from sundog.core.requests.guest_request import CpuPolicy, ThreadPolicy

if TYPE_CHECKING:
    from sundog.core.requests.spec_source import Setting, SpecSource

MOST_VCPUS: Final = 4096  # what QEMU's q35 machine can have
_POLICIES: Final = {policy.value: policy for policy in CpuPolicy}
_THREAD_POLICIES: Final = {policy.value: policy for policy in ThreadPolicy}
_LONGEST_LIST: Final = 4096
_RANGE: Final = re.compile(r"(\^?)([0-9]{1,6})(?:-([0-9]{1,6}))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuChoice:
    """What is said of CPUs; None where nothing is said.

    ``mask`` is ``hw:cpu_dedicated_mask``, already known to be well formed. ``source``
    is the setting that ``policy`` was read from.
    """

    policy: CpuPolicy | None = None
    thread_policy: ThreadPolicy | None = None
    mask: Setting | None = None
    source: Setting | None = None


def read_cpu_choice(source: SpecSource) -> CpuChoice:
    """Read policy, thread policy and mask, each on its own.

    Raises ForbiddenError where the image contradicts the flavor as Nova sees it.
    """
    flavor, image = source.flavor("cpu_policy"), source.image("cpu_policy")
    chosen = flavor or image
    policy = chosen.choice(_POLICIES) if chosen else None
    asked = image.choice(_POLICIES) if image else policy
    if flavor and image and policy is not CpuPolicy.DEDICATED:
        # An image may ask for less than its flavor gives, never for more.
        allowed = {CpuPolicy.SHARED, policy}
        if asked not in allowed:
            raise image.forbid(flavor)
    mask = source.flavor("cpu_dedicated_mask")
    if mask:
        parse_mask(mask, MOST_VCPUS)
    return CpuChoice(
        policy=policy,
        thread_policy=_read_thread_policy(source),
        mask=mask,
        source=chosen,
    )


def _read_thread_policy(source: SpecSource) -> ThreadPolicy | None:
    name = "cpu_thread_policy"
    flavor, image = source.flavor(name), source.image(name)
    chosen = flavor.choice(_THREAD_POLICIES) if flavor else None
    if image is None:
        return chosen
    asked = image.choice(_THREAD_POLICIES)
    # As in Nova, an image may decide what the flavor only prefers.
    if flavor and chosen not in (ThreadPolicy.PREFER, asked):
        raise image.forbid(flavor)
    return asked


def settle_cpu_policy(choice: CpuChoice, pcpus: Setting | None) -> CpuPolicy:
    """Return the policy, or refuse settings that do not go together.

    ``pcpus`` is ``resources:PCPU``, which stands for ``hw:cpu_policy=dedicated``.
    """
    if pcpus and choice.source:
        raise pcpus.refuse(f"stands beside {choice.source}; write only one of them")
    policy = choice.policy or CpuPolicy.SHARED
    if pcpus:
        policy = CpuPolicy.DEDICATED
    if choice.thread_policy and policy is CpuPolicy.SHARED:
        raise BadRequestError(
            f"hw:cpu_thread_policy={choice.thread_policy.value!r} needs pinned vCPUs; "
            "set hw:cpu_policy to dedicated"
        )
    if choice.mask and policy is not CpuPolicy.MIXED:
        raise choice.mask.refuse("needs hw:cpu_policy=mixed; set it or drop the mask")
    if policy is CpuPolicy.MIXED and not choice.mask:
        raise BadRequestError(
            "hw:cpu_policy='mixed' needs hw:cpu_dedicated_mask; say which vCPUs are "
            "pinned, for example 0-1"
        )
    return policy


def dedicated_vcpus(
    choice: CpuChoice, policy: CpuPolicy, vcpus: int
) -> frozenset[int] | None:
    """Return the vCPUs that are pinned; None means all of them."""
    if policy is CpuPolicy.DEDICATED:
        return None
    if choice.mask is None:
        return frozenset()
    pinned = parse_mask(choice.mask, vcpus)
    if not pinned or max(pinned) >= vcpus or len(pinned) == vcpus:
        raise choice.mask.refuse(
            f"must name some but not all of the vCPUs 0 to {vcpus - 1}"
        )
    return pinned


def parse_mask(setting: Setting, vcpus: int) -> frozenset[int]:
    """Read a mask: a list of vCPUs, or only exclusions from all of them."""
    only_exclusions = setting.value.strip().startswith("^")
    everything = range(min(vcpus, MOST_VCPUS) if only_exclusions else 0)
    return parse_cpus(setting, frozenset(everything))


def parse_cpus(setting: Setting, start: frozenset[int] = frozenset()) -> frozenset[int]:
    """Read a CPU list like ``0-3,^2,8``; exclusions win wherever they stand."""
    taken, excluded = set(start), set[int]()
    if len(setting.value) > _LONGEST_LIST:
        raise setting.refuse(f"is longer than {_LONGEST_LIST} characters; shorten it")
    for part in setting.value.split(","):
        match = _RANGE.fullmatch(part.strip())
        first, last = (int(match[2]), int(match[3] or match[2])) if match else (1, 0)
        if match is None or not first <= last < MOST_VCPUS:
            raise setting.refuse(
                f"has the part {part.strip()!r}; write vCPUs like 0-3,^2 up to "
                f"{MOST_VCPUS - 1}"
            )
        (excluded if match[1] else taken).update(range(first, last + 1))
    return frozenset(taken - excluded)
