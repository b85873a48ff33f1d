"""Nova's compute API."""
