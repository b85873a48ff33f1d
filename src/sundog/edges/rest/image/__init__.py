"""Glance's image API, read-only."""
