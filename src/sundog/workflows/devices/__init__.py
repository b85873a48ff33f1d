"""Devices that are held back, by the operator or by their failures."""
