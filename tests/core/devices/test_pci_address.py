"""An address reads back as it is printed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sundog.core.devices.pci_address import PciAddress

ADDRESSES = st.builds(
    PciAddress,
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFF),
    st.integers(0, 0x1F),
    st.integers(0, 0xFF),
)


@given(ADDRESSES)
def test_an_address_reads_back_as_printed(address: PciAddress) -> None:
    """Both spellings, the kernel's and libvirt's, give the same address."""
    assert PciAddress.parse(str(address)) == address
    assert PciAddress.parse(address.node_device) == address
    assert PciAddress.parse(f" {address} ".upper()) == address


def test_the_domain_may_be_left_out() -> None:
    """Nova and lspci write addresses of domain 0 without it."""
    assert PciAddress.parse("84:00.1") == PciAddress(0, 0x84, 0, 1)


@pytest.mark.parametrize(
    "text", ["", "84:00", "84:20.0", "0000:84:00.0.1", "g4:00.0", "pci_0_84_00_0"]
)
def test_what_is_no_address_is_refused_by_name(text: str) -> None:
    """The message shows the text."""
    with pytest.raises(ValueError, match=repr(text)):
        PciAddress.parse(text)


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """Parsing raises nothing but ValueError."""
    try:
        PciAddress.parse(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017  # either outcome is right, a crash is not
