"""Which libvirt is driven is said with Nova's options, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sundog.core.errors import BadConfigurationError
from sundog.settings.read import read_settings
from sundog.wiring.real import dialect, real_host_name

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("section", "line", "problem"),
    [
        ("DEFAULT", "host = a b", "'a b' is no host name; use letters, digits"),
        (
            "libvirt",
            "connection_uri = qemu+ssh://far/system",
            "'qemu+ssh://far/system' is no URI of QEMU; write qemu:///system",
        ),
        ("libvirt", "virt_type = xen", "'xen' is not known; write kvm or qemu"),
        ("libvirt", "cpu_mode = fast", "'fast' is not known; write none, host-model"),
    ],
)
def test_a_bad_value_is_told_with_the_way_out(
    tmp_path: Path, section: str, line: str, problem: str
) -> None:
    file = tmp_path / "sundog.conf"
    file.write_text(f"[{section}]\n{line}\n")
    with pytest.raises(BadConfigurationError) as caught:
        read_settings([file], {})
    (told,) = caught.value.problems
    assert problem in told


@pytest.mark.parametrize(
    "uri",
    [
        "qemu:///system",
        "qemu:///session",
        "qemu+unix:///system?socket=/run/libvirt/libvirt-sock",
    ],
)
def test_a_local_qemu_is_driven(uri: str) -> None:
    assert read_settings([], {"libvirt.connection_uri": uri}).libvirt.connection_uri


def test_without_a_uri_there_is_no_real_host() -> None:
    """With one it has the machine's name, unless it is given another."""
    assert real_host_name(read_settings([], {"host": "metal1"})) is None
    uri = {"libvirt.connection_uri": "qemu:///system"}
    assert real_host_name(read_settings([], uri))
    assert real_host_name(read_settings([], uri | {"host": "metal1"})) == "metal1"


@pytest.mark.parametrize(
    ("said", "cpu_mode"),
    [
        ({}, "host-model"),
        ({"libvirt.virt_type": "qemu"}, ""),
        ({"libvirt.cpu_mode": "none"}, ""),
        ({"libvirt.cpu_mode": "host-passthrough"}, "host-passthrough"),
        ({"libvirt.virt_type": "qemu", "libvirt.cpu_mode": "maximum"}, "maximum"),
    ],
)
def test_a_guests_cpu_is_as_nova_makes_it(said: dict[str, str], cpu_mode: str) -> None:
    """A CPU that only KVM has is not asked of emulation."""
    settings = read_settings([], dict(said)).libvirt
    found = dialect(settings)
    assert (found.domain_type, found.cpu_mode) == (settings.virt_type, cpu_mode)
