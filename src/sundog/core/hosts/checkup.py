"""Whether a host is fit to hand out devices, and how to mend what is not.

Sources of the versions: libvirt's and QEMU's release notes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from sundog.core.moves.live_rules import LIVE_FUNCTIONS, LIVE_MDEVS
from sundog.core.wording import version_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OLDEST_LIBVIRT: Final = 8_000_000
OLDEST_QEMU: Final = 6_002_000
# What newer ones than the oldest are needed for.
_FEATURES: Final = (
    ("live migration of servers with mdevs", LIVE_MDEVS),
    ("live migration of servers with PCI functions", LIVE_FUNCTIONS),
)
_MODULES: Final = ("vfio_pci", "vfio_iommu_type1")


class Mark(Enum):
    """How a line of a check-up turned out; a NOTE is nothing that this host needs."""

    OK = "ok"
    NOTE = "note"
    BAD = "not ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of a check-up; ``mend`` says the way out unless all is well."""

    mark: Mark
    about: str
    found: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostNeeds:
    """What the operator's rules want of a host; ``types`` are of mdevs or vGPUs."""

    functions: bool = False
    types: bool = False
    mdevs: bool = False
    vfs: bool = False
    kvm: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found on a host.

    ``libvirt_error`` is libvirt's word when it cannot be reached; versions count as
    libvirt does, 0 is unknown. ``modules`` are the kernel's. ``pages`` maps a huge
    page's size in KiB to how many there are on each cell. ``closed`` are the files
    that this process may not write and would have to.
    """

    libvirt_version: int = 0
    qemu_version: int = 0
    libvirt_error: str = ""
    iommu_groups: int = 0
    modules: frozenset[str] = frozenset()
    has_mdev_bus: bool = False
    has_kvm: bool = False
    pages: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    closed: tuple[str, ...] = ()
    vfs: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def check_up(found: Findings, needs: HostNeeds) -> tuple[Check, ...]:
    """Judge what was found; only what the rules need is not ok when it lacks."""
    return (
        *_libvirt(found),
        _iommu(found, needs),
        _vfio(found, needs),
        _mdevs(found, needs),
        _kvm(found, needs),
        *_pages(found),
        *_vfs(found, needs),
        _rights(found, needs),
    )


def _libvirt(found: Findings) -> Iterator[Check]:
    if found.libvirt_error:
        yield Check(
            mark=Mark.BAD,
            about="libvirt",
            found=found.libvirt_error,
            mend="apt-get install libvirt-daemon-system, and start libvirtd; "
            "the URI is [libvirt] connection_uri",
        )
        return
    yield _version("libvirt", found.libvirt_version, OLDEST_LIBVIRT)
    yield _version("QEMU", found.qemu_version, OLDEST_QEMU)
    for feature, least in _FEATURES:
        for about, has, needs in (
            ("libvirt", found.libvirt_version, least.libvirt),
            ("QEMU", found.qemu_version, least.qemu),
        ):
            if has < needs:
                yield Check(
                    mark=Mark.NOTE,
                    about=about,
                    found=f"{feature} needs {version_text(needs)}",
                    mend=f"upgrade {about} if that is wanted",
                )


def _version(about: str, number: int, least: int) -> Check:
    if not number:
        return Check(
            mark=Mark.BAD,
            about=about,
            found="its version is not told",
            mend="apt-get install qemu-system-x86",
        )
    old = number < least
    return Check(
        mark=Mark.BAD if old else Mark.OK,
        about=about,
        found=f"version {version_text(number)}",
        mend=f"upgrade to {version_text(least)} or newer" if old else "",
    )


def _wanted(needed: bool, there: bool) -> Mark:  # noqa: FBT001  two facts, one verdict
    if there:
        return Mark.OK
    return Mark.BAD if needed else Mark.NOTE


def _iommu(found: Findings, needs: HostNeeds) -> Check:
    there = found.iommu_groups > 0
    return Check(
        mark=_wanted(needs.functions, there),
        about="IOMMU",
        found=f"{found.iommu_groups} groups" if there else "is off",
        mend=""
        if there
        else "turn it on in the firmware (VT-d, AMD-Vi) and on the kernel's command "
        "line: intel_iommu=on",
    )


def _vfio(found: Findings, needs: HostNeeds) -> Check:
    missing = [name for name in _MODULES if name not in found.modules]
    return Check(
        mark=_wanted(needs.functions or needs.types, not missing),
        about="VFIO",
        found=f"not loaded: {', '.join(missing)}" if missing else "modules are loaded",
        mend=f"modprobe -a {' '.join(missing)}; name them in /etc/modules-load.d"
        if missing
        else "",
    )


def _mdevs(found: Findings, needs: HostNeeds) -> Check:
    return Check(
        mark=_wanted(needs.mdevs, found.has_mdev_bus),
        about="mediated devices",
        found="the bus is there" if found.has_mdev_bus else "there is no mdev bus",
        mend="" if found.has_mdev_bus else "modprobe mdev, and load the card's driver",
    )


def _kvm(found: Findings, needs: HostNeeds) -> Check:
    return Check(
        mark=_wanted(needs.kvm, found.has_kvm),
        about="KVM",
        found="/dev/kvm can be used"
        if found.has_kvm
        else "there is no usable /dev/kvm",
        mend=""
        if found.has_kvm
        else "turn virtualisation on in the firmware and modprobe kvm_intel or "
        "kvm_amd; or emulate: [libvirt] virt_type = qemu",
    )


def _pages(found: Findings) -> Iterator[Check]:
    totals = {size: sum(cells.values()) for size, cells in found.pages.items()}
    if not any(totals.values()):
        yield Check(
            mark=Mark.NOTE,
            about="huge pages",
            found="none are set aside",
            mend="hugepagesz=2M hugepages=COUNT on the kernel's command line, or "
            "write nr_hugepages of each cell",
        )
    for size, cells in sorted(found.pages.items()):
        shares = ", ".join(f"cell {cell}: {cells[cell]}" for cell in sorted(cells))
        if totals[size]:
            lacks = not all(cells.values())
            yield Check(
                mark=Mark.NOTE if lacks else Mark.OK,
                about="huge pages",
                found=f"of {size} KiB on {shares}",
                mend="set some aside on each cell" if lacks else "",
            )


def _vfs(found: Findings, needs: HostNeeds) -> Iterator[Check]:
    for address, (enabled, total) in sorted(found.vfs.items()):
        yield Check(
            mark=Mark.OK if enabled or needs.vfs else Mark.NOTE,
            about="VFs",
            found=f"{enabled} of {total} are enabled on {address}",
            mend=""
            if enabled or needs.vfs
            else "say sriov_numvfs in the device_spec that means it",
        )


def _rights(found: Findings, needs: HostNeeds) -> Check:
    return Check(
        mark=_wanted(needs.vfs or needs.types, not found.closed),
        about="permissions",
        found=f"may not write {', '.join(found.closed)}"
        if found.closed
        else "device files can be written",
        mend="run sundog as root; without, libvirt makes mdevs, VFs are enabled by "
        "hand, and no vGPU type is set"
        if found.closed
        else "",
    )
