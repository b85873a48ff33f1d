"""Tempest's compute tests against the running service; ``make tempest`` runs them."""
