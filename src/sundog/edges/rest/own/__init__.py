"""Sundog's own API under ``/v1``: hosts, devices, aliases, explain."""
