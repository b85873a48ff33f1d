"""A check-up says what a host lacks for what its rules hand out, and the way out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sundog.core.hosts.checkup import (
    Findings,
    HostNeeds,
    Mark,
    check_up,
)
from sundog.core.wording import version_text

FIT = Findings(
    libvirt_version=11_003_000,
    qemu_version=10_000_000,
    iommu_groups=40,
    modules=frozenset({"vfio_pci", "vfio_iommu_type1", "mdev"}),
    has_mdev_bus=True,
    has_kvm=True,
    pages={2048: {0: 96, 1: 96}, 1048576: {0: 0, 1: 0}},
    vfs={"0000:22:00.0": (2, 7)},
)
EVERYTHING = HostNeeds(functions=True, types=True, mdevs=True, vfs=True)
NOTHING = HostNeeds(kvm=False)


def marks(found: Findings, needs: HostNeeds) -> dict[str, set[Mark]]:
    told: dict[str, set[Mark]] = {}
    for check in check_up(found, needs):
        told.setdefault(check.about, set()).add(check.mark)
        # Whatever is not well has a way out, and only that.
        assert bool(check.mend) == (check.mark is not Mark.OK), check
        assert "\n" not in check.found + check.mend
    return told


def test_a_fit_host_is_ok_in_every_line() -> None:
    assert set().union(*marks(FIT, EVERYTHING).values()) == {Mark.OK}


@pytest.mark.parametrize(
    ("lack", "about"),
    [
        ({"iommu_groups": 0}, "IOMMU"),
        ({"modules": frozenset({"mdev", "vfio_pci"})}, "VFIO"),
        ({"has_mdev_bus": False}, "mediated devices"),
        ({"has_kvm": False}, "KVM"),
        ({"closed": ("/sys/x/create",)}, "permissions"),
    ],
)
def test_what_no_rule_needs_is_only_a_note(lack: dict[str, object], about: str) -> None:
    """The same lack is not ok where a rule needs it; all other lines stay as well."""
    found = replace(FIT, **lack)  # type: ignore[arg-type]  # replace is untyped
    assert marks(found, EVERYTHING)[about] == {Mark.BAD}
    assert marks(found, NOTHING)[about] == {Mark.NOTE}
    others = marks(found, EVERYTHING)
    del others[about]
    assert set().union(*others.values()) == {Mark.OK}


def test_vgpus_on_vfs_need_no_mdev_bus() -> None:
    """Kernels that have them have none."""
    found = replace(FIT, has_mdev_bus=False)
    needs = HostNeeds(types=True, vfs=True)
    assert marks(found, needs)["mediated devices"] == {Mark.NOTE}


def test_a_libvirt_that_is_away_is_one_line() -> None:
    """No line guesses at versions then."""
    away = replace(FIT, libvirt_error="at qemu:///system: Connection refused")
    told = [check for check in check_up(away, NOTHING) if check.about == "libvirt"]
    (check,) = told
    assert (check.mark, check.found) == (Mark.BAD, away.libvirt_error)
    assert "QEMU" not in marks(away, NOTHING)


@pytest.mark.parametrize(
    ("libvirt", "told"),
    [
        (7_999_000, {Mark.BAD, Mark.NOTE}),
        (8_000_000, {Mark.OK, Mark.NOTE}),
        (9_000_000, {Mark.OK, Mark.NOTE}),
        (10_000_000, {Mark.OK}),
        (0, {Mark.BAD, Mark.NOTE}),
    ],
)
def test_a_version_says_what_it_is_too_old_for(libvirt: int, told: set[Mark]) -> None:
    assert marks(replace(FIT, libvirt_version=libvirt), NOTHING)["libvirt"] == told


def test_an_old_or_missing_qemu_is_not_ok() -> None:
    for version in (0, 6_001_000):
        found = marks(replace(FIT, qemu_version=version), NOTHING)
        assert found["QEMU"] == {Mark.BAD, Mark.NOTE}
    assert marks(replace(FIT, qemu_version=8_002_001), NOTHING)["QEMU"] == {
        Mark.OK,
        Mark.NOTE,
    }


def test_huge_pages_are_told_by_size_and_cell() -> None:
    """None at all is a note, and so is a cell without."""
    (line,) = [each for each in check_up(FIT, NOTHING) if each.about == "huge pages"]
    assert line.found == "of 2048 KiB on cell 0: 96, cell 1: 96"
    for pages in ({}, {2048: {0: 0, 1: 0}}, {2048: {0: 4, 1: 0}}):
        assert marks(replace(FIT, pages=pages), NOTHING)["huge pages"] == {Mark.NOTE}


def test_vfs_that_are_not_enabled_are_a_note_unless_a_rule_enables_them() -> None:
    none = replace(FIT, vfs={"0000:22:00.0": (0, 7)})
    assert marks(none, HostNeeds())["VFs"] == {Mark.NOTE}
    assert marks(none, HostNeeds(vfs=True))["VFs"] == {Mark.OK}


def test_versions_are_written_as_people_do() -> None:
    assert version_text(9_012_003) == "9.12.3"
