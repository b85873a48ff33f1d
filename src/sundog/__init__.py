"""Sundog hands out PCI devices, virtual functions and vGPUs, behind Nova's API."""
