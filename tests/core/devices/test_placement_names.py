"""Names are spelt as Placement knows them."""

import os_resource_classes  # type: ignore[import-untyped]  # it ships no types
import os_traits  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sundog.core.devices import placement_names


def test_the_standard_classes_are_placements() -> None:
    """The constant is complete for the Placement that is installed."""
    assert frozenset(os_resource_classes.STANDARDS) == placement_names.STANDARD_CLASSES


def test_every_standard_trait_is_known_as_one() -> None:
    """A standard trait keeps its name."""
    for name in os_traits.get_traits():
        assert placement_names.trait(name.lower()) == name
        assert placement_names.is_trait(name)


@given(st.text())
def test_any_name_is_spelt_so_that_placement_takes_it(name: str) -> None:
    """A name is normalised or refused with ValueError."""
    try:
        spelt = placement_names.resource_class(name)
        traits = placement_names.trait(name)
    except ValueError:
        return
    assert placement_names.is_class(spelt)
    assert placement_names.is_trait(traits)


def test_names_are_normalised_as_nova_does() -> None:
    """Upper case, underscores, and CUSTOM_ unless it is a standard name."""
    assert placement_names.resource_class("gpu-big") == "CUSTOM_GPU_BIG"
    assert placement_names.resource_class("custom_gpu") == "CUSTOM_GPU"
    assert placement_names.resource_class("pgpu") == "PGPU"
    assert placement_names.trait(" blue ") == "CUSTOM_BLUE"
    assert placement_names.trait("hw_gpu_api_vulkan") == "HW_GPU_API_VULKAN"
    assert placement_names.custom_name("nvidia-35") == "CUSTOM_NVIDIA_35"


@pytest.mark.parametrize("name", ["VCPU", "memory_mb", " ", "x" * 249])
def test_a_device_cannot_go_by_such_a_name(name: str) -> None:
    """Neither by a cell's class, nor by none, nor by one too long."""
    with pytest.raises(ValueError, match=r"cells provide|1 to 248"):
        placement_names.resource_class(name)


@pytest.mark.parametrize("name", ["", "GPU", "CUSTOM_", "CUSTOM_gpu", "CUSTOM_A\n"])
def test_what_placement_does_not_know_is_no_name(name: str) -> None:
    """A flavor must spell a name exactly."""
    assert not placement_names.is_class(name)
    assert not placement_names.is_trait(name)
    assert not placement_names.is_trait("HW_x")
