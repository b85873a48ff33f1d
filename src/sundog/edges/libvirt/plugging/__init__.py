"""Devices plugged into running guests, and out of them."""
