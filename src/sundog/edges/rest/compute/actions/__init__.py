"""``POST /servers/{id}/action``."""
